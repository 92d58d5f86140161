"""The job `diagnosis`: which known fault it is, with calibrated probabilities, or that it is none of them.

Floors, from the top: `fit` (training) -> `verdict`, `held_out` -> `model` -> `judgement` -> `experts`, `pool`,
`novelty`, `strangeness` -> `forest`, `discriminants`, `severity`, `networks`; `sight` -> `features`,
`labelled_windows`; `folds` -> `labelled_windows` -> `components`, `normal_label`, `settings`.
"""
