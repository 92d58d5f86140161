"""The job `quality`: a soft sensor for slow laboratory values.

It has an interval that covers, a correction from each new value, and advice on which adjustable roles bring the
prediction back inside its limits.

Floors: `settings`, `lab_history`, `residual_field` and `lab_steps`, `limits`, `mistakes`; then `lab_samples` and
`delay`, `lab_following`, `advice`; then `sensor_parts` and `soft_sensor`; `inner_time` and `comparison`;
and `fit` above all.
"""
