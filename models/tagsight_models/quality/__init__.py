"""The job `quality`: a soft sensor for slow laboratory values, with an interval that covers, a correction from each new
value, and advice on which adjustable roles bring the prediction back inside its limits.

Floors: `settings`, `lab_history`, `residual_field`, `noise_level`, `conformal`; then `lab_samples` and `delay`, then
`lab_following`, then `advice` and `soft_sensor`, then `inner_time`, and `fit` above all.
"""
