"""Shapley values of a score, and the words made of them.

Floors: `errors`, `settings`, `explanation`, `attribution` -> `value_function`, `exact`, `permutation` -> `fast` (ours),
`shap_explainers` (the library's) -> `explainers`. `message` stands on nothing: service and pages import it, and neither
it nor `explanation` nor this file brings torch or shap along; `shap_explainers` imports shap when it is first used.
"""
