"""Classical statistics of multivariate process monitoring: the baselines that a trained model must beat.

Floors: `statistic` (the seam), `linear_algebra`, `quadratic_inverse`, `ewma` -> one file for each statistic ->
`registry` -> `out_of_fold`.
"""
