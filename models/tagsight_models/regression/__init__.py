"""Regression of a slow value on windows of roles: ridge, small networks beside it, and boosted trees, as plain arrays.

Floors: `window_features`, `oblivious_trees`, `ridge_line` know nothing of each other; `residual_network` of training
alone; `regressor` joins them. `quality` and `production` stand on this.
"""
