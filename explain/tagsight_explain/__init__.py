"""Shapley values of a score, and the words made of them.

Floors: `errors`, `explanation` -> `value_function` -> `shapley` (ours), `shap_explainers` (the library's)
-> `explainers` -> `message`.
"""
