"""One setting changes, everything else stays."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight.configuration import check_text
from tagsight.editing import place_of_model, plain_tree, with_item, with_setting, without_setting
from tagsight.errors import ConfigurationError, NotAllowed

FILE = """\
# TagSight of unit 3
timezone: Europe/Berlin    # of every date
historian: {url: "memory://plant"}
results: {to: server}
models:
  - name: Health
    asset: "P101"
    inputs: ["Plant/P101/*"]
    # only while this holds:
    running: "[Plant/P101/Speed] > 100"
    train: {last: 90d}    # normal time only
    alarm: {at_most: 2 per month, on_delay: 5m}
  - name: Health
    asset: "P102"
    inputs: ["Plant/P102/*"]
"""
PERIOD = {"from": "2026-01-01 06:00", "to": "2026-01-02 07:00", "reason": "pump # open: yes"}
SAMPLE = Path(__file__).parents[2] / "docs" / "sample.yaml"


def comments(text: str) -> list[str]:
    return re.findall(r"# [^\n\"]*$", text, re.MULTILINE)


def test_a_period_is_added_where_there_was_none_and_comments_order_and_quotes_stay() -> None:
    made = with_item(FILE, ("models", 0, "train", "exclude"), PERIOD)
    assert plain_tree(made)["models"][0]["train"] == {"last": "90d", "exclude": [PERIOD]}
    assert comments(made) == comments(FILE)
    changed = [pair for pair in zip(FILE.splitlines(), made.splitlines(), strict=True) if pair[0] != pair[1]]
    assert len(changed) == 1
    assert check_text(made, Path("tagsight.yaml")).plan is not None


def test_what_was_added_and_removed_again_leaves_the_file_as_it_was() -> None:
    made = with_item(FILE, ("models", 0, "train", "exclude"), PERIOD)
    again = without_setting(
        without_setting(made, ("models", 0, "train", "exclude", 0)), ("models", 0, "train", "exclude")
    )
    assert again == FILE


@given(
    st.dictionaries(
        st.sampled_from(["last", "at_most", "seed"]), st.integers(0, 9) | st.text("abc: #'\"10", max_size=8)
    ),
    st.sampled_from([0, 1]),
)
def test_any_value_comes_back_as_it_was_given_and_nothing_else_changes(group: dict[str, object], model: int) -> None:
    made = FILE
    for key, value in group.items():
        made = with_setting(made, ("models", model, "train", key), value)
    expected = plain_tree(FILE)
    if group:
        expected["models"][model]["train"] = {**expected["models"][model].get("train", {}), **group}
    assert plain_tree(made) == expected
    assert set(comments(FILE)) <= set(comments(made))


def test_the_whole_sample_keeps_every_comment_and_value() -> None:
    text = SAMPLE.read_text(encoding="utf-8")
    made = with_setting(text, ("timezone",), "UTC")
    assert comments(made) == comments(text)
    assert {**plain_tree(made), "timezone": None} == {**plain_tree(text), "timezone": None}


def test_a_model_is_found_by_asset_and_name_and_one_of_a_template_is_refused() -> None:
    models = plain_tree(FILE)["models"]
    assert place_of_model(models, "P102", "Health") == 1
    with pytest.raises(NotAllowed, match="template"):
        place_of_model(models, "P103", "Health")


@pytest.mark.parametrize("text", ["a: [", "- 1\n- 2\n", "a: {b: 1}\nb: *x\n"])
def test_what_is_no_configuration_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        with_setting(text, ("a",), 1)


def test_a_value_where_a_group_is_expected_is_refused_with_its_setting() -> None:
    with pytest.raises(ConfigurationError, match="timezone"):
        with_setting(FILE, ("timezone", "here", "x"), 1)
    with pytest.raises(ConfigurationError, match="timezone"):
        with_item(FILE, ("timezone",), 1)
