"""Frames and windows, networks, jobs, training, calibration, model files.

Floors, from the ground: `errors`, `reasons` -> `series`, `frame` -> `alignment`, `gates`, `windows` ->
`statistics/`, `networks/` -> `calibration`, `training` -> `health` -> `comparison`, `card`, `model_file` -> `jobs`.
Nothing here knows of historians, plans or files of configuration; arrays come in, values come out.
"""
