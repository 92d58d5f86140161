"""Prognosis: how long a machine will last, learned from runs to failure, or until a tag crosses a limit, by trend.

Floors, each imports only what stands below it: `fit`; `learning`, `crossing_fit`; `model`, `crossing`, `judging`;
`interval`, `features`, `trend`; `lives`, `regimes`, `ageing`, `filters`; `trained`, `settings`.
"""
