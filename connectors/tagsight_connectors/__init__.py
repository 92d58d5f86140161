"""Historians: the vocabulary (tag, quality, history), the seam (`Historian`), and one folder for each kind.

Floors, from the ground: `errors`, `quality` -> `tag` -> `history` -> `historian` -> `memory/`, `file/`, `opcua/`
-> `registry`. Three stand before any historian: `store/` keeps what was read once, `live_values` what a subscription
(`live`) brings, `redundant` chooses among servers. Nothing here knows of frames, models or plans.
"""
