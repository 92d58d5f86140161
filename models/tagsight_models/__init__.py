"""Frames and windows, networks, jobs, training, calibration, model files.

Floors, from the ground: `errors`, `reasons` -> `frame` -> `alignment`, `gates`, `windows`, `delays` -> `statistics/`,
`networks/`, `faults` -> `calibration`, `training`, `health` -> `health_fit`, `comparison` -> `card` -> `signed_folder`
-> `model_register`, `model_file` -> `model_store`, `jobs`.
Nothing here knows of historians, plans or files of configuration; arrays come in, values come out.
"""
