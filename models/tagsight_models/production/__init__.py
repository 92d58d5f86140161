"""The job `production`: what limits throughput, yield or energy, and which set-point moves would gain how much.

It names the station or the limit that is the bottleneck, and advises moves inside given bounds. Advice only; nothing
here is ever written to the plant.

Floors: `settings`, `samples`, `stations`, `gain_error`, `support`; then `columns`, `limits_reached`, `estimate`; then
`setpoints`, `drivers`, `comparison`; then `production_parts`, `model`, and `fit` above all.
"""
