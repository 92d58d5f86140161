"""What a job says beside the score, in words."""

import pytest

from tagsight_explain.headline import headline
from tagsight_explain.language import languages


@pytest.mark.parametrize(
    ("results", "said"),
    [
        ({}, ""),
        ({"Class": "normal", "Probability/normal": 0.9}, ""),
        ({"Class": "bearing", "Probability/bearing": 0.82}, "bearing (82 %)"),
        ({"Class": "unknown"}, "unlike every known state"),
        (
            {"Class/valve": "80", "Probability/valve/80": 0.7, "Class/pump": "normal", "Probability/pump/normal": 0.9},
            "valve 80 (70 %)",
        ),
        ({"RemainingLife": 7.25, "Lower": 2.0, "Upper": 60.0}, "7.2 h left (2.0 h to 2 d)"),
        ({"RemainingLife": float("nan"), "Lower": 2.0, "Upper": 3.0}, ""),
        ({"Prediction": 44.21, "Lower": 40.0, "Upper": 48.0}, "44.21 cSt predicted"),
        ({"Prediction": 44.2, "Loss": 3.1}, "3.1 t/h below what is possible"),
    ],
)
def test_a_headline_says_what_was_found_and_nothing_where_all_is_well(
    results: dict[str, float | str], said: str
) -> None:
    assert headline(results, {"Prediction": "cSt", "Loss": "t/h"}) == said


@pytest.mark.parametrize("code", languages())
def test_every_language_has_every_headline(code: str) -> None:
    results: dict[str, float | str] = {
        "Class/a": "unknown",
        "Class/b": "worn",
        "Probability/b/worn": 0.5,
        "RemainingLife": 100.0,
        "Lower": 5.0,
        "Upper": 300.0,
        "Prediction": 1.5,
    }
    found = headline(results, {}, code=code)
    assert "{" not in found
    assert "50" in found
    assert ("1,5" if code == "de" else "1.5") in found
