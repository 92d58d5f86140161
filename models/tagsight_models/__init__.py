"""Frames and windows, networks, jobs, training, calibration, model files.

Floors, from the ground: `errors`, `reasons` -> `frame` -> `alignment`, `gates`, `windows`, `delays` -> `statistics/`,
`networks/`, `faults`, `conditional`, `bands`, `rivals` -> `calibration`, `training_state` -> `training`,
`residual_statistic`, `wander`, `regimes`, `cost` -> `stacked_training`, `augmentation`, `transfer`, `search`,
`value_statistic` -> `health_gradient`, `health_stack` -> `health`, `health_network` -> `estimates` -> `substitution`,
`sensor_fault`, `unlike`, `drift` -> `drift_reference`,
`training_settings`, `usable_inputs`, `health_fit`, `comparison` -> `training_rows`, `health_start` -> `health_limit`,
`card` -> `health_cost`, `card_writing`, `health_training`.
Beside health stand `regression/` -> `quality/` -> `production/`, and `diagnosis/` and `prognosis/`; above all `kinds`,
`anatomy` and `jobs`; and `card`, `signed_folder` -> `model_register`, `model_file` -> `model_store`.
Nothing here knows of historians, plans or files of configuration; arrays come in, values come out.
"""
