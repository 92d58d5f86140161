"""The demo: the main job on an embedded plant, over real OPC UA, with TagSight run unmodified by its own commands.

`plant` reads the shipped recording (made by `make_plant` from `plant.yaml`), `historian` serves it live, `site` writes
what an engineer would set up, `service` runs the commands, `observer` is the separate OPC UA client, `checks` judges
what was seen, `play` puts these in order and `screen` shows it.
"""
