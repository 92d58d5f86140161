"""The job `production`: what limits throughput, yield or energy, which station or limit is the bottleneck, and which
set-point moves inside given bounds would gain how much. Advice only; nothing here is ever written to the plant.

Floors: `settings`, `samples`, `stations`, `gain_error`; then `columns`, `limits_reached`, `estimate`; then `setpoints`,
`drivers`; then `production_parts`, `model`, and `fit` above all.
"""
