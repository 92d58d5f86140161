"""Historians: the vocabulary (tag, quality, history), the seam (`Historian`), and one folder for each kind.

Floors, from the ground: `errors`, `quality` -> `tag` -> `history` -> `historian` -> `memory/`, `file/`, `opcua/`
-> `registry`. `store/` stands before any historian and keeps what was read once; so does `live_values`, which keeps what a
subscription (`live`) brings. Nothing here knows of frames, models
or plans.
"""
