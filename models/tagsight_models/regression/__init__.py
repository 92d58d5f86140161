"""Regression of a slow value on windows of roles: ridge, small networks beside it, and boosted trees, as plain arrays.

Floors: `window_features`, `oblivious_trees`, `ridge_line` know nothing of each other; `residual_network` of training
alone; `regressor` joins them. Beside them what both jobs that stand on this need: `region` (what inputs were seen),
`noise_level` (how the error grows), `conformal` (quantiles of errors). `quality` and `production` stand on this.
"""
