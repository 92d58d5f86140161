"""Shapley values of a score, and the words made of them.

Floors: `errors`, `settings`, `explanation`, `attribution`, `players`, `absence` -> `value_function`, `exact`,
`permutation` -> `fast` (ours), `shap_explainers` (the library's) -> `explainers`; `role_time` -> `pictures/`.
`language` -> `message` stand apart: service and pages import them. Neither they nor `explanation` nor this file bring
torch or shap along; `shap_explainers` imports shap when it is first used, and `pictures/` alone imports matplotlib.
"""
