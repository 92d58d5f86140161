"""Fields and text are the same thing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight.editing import plain_tree
from tagsight.errors import ConfigurationError
from tagsight.model_fields import FIELDS, Entry, entries_of, fields_of, inherited, with_field

TEXT = """\
timezone: UTC    # of the plant
templates:
  pump: {name: Health, inputs: ["{asset}/*"], alarm: {at_most: 1 per week}}
models:
  - name: Health
    asset: P101
    inputs:
      - P101/Flow      # clamp-on
      - P101/Speed     # of the motor
    train: {last: 30d}     # since the overhaul
  - {template: pump, asset: P102, alarm: {on_delay: 10m}}
  - {template: pump, machines: pumps.csv}
"""
P101, P102, TABLE, PUMP = entries_of(TEXT)


def test_models_templates_and_tables_have_their_entries() -> None:
    assert [one.label for one in (P101, P102, TABLE, PUMP)] == [
        "P101/Health",
        "P102 (pump)",
        "machines of pumps.csv (pump)",
        "template pump",
    ]
    assert (P102.template, TABLE.machines, PUMP.path) == ("pump", "pumps.csv", ("templates", "pump"))


def test_a_field_shows_what_its_entry_says_and_in_grey_what_it_inherits() -> None:
    own, above = fields_of(TEXT, P102), inherited(TEXT, P102)
    assert (own["alarm.on_delay"], own["alarm.at_most"]) == ("10m", "")
    assert (above["alarm.at_most"], above["alarm.off_delay"]) == ("1 per week", "5m")
    assert fields_of(TEXT, P101)["inputs"] == "P101/Flow\nP101/Speed"


def test_a_default_that_a_period_excludes_is_not_shown() -> None:
    dated = with_field(with_field(TEXT, P101, "train.last", ""), P101, "train.from", "2026-01-01")
    assert inherited(dated, P101)["train.last"] == ""
    assert inherited(TEXT, P101)["train.last"] == "90d"


def test_an_override_is_given_and_reset_and_then_the_text_is_as_it_was() -> None:
    given_text = with_field(TEXT, P102, "alarm.at_most", "3 per month")
    assert fields_of(given_text, P102)["alarm.at_most"] == "3 per month"
    assert with_field(given_text, P102, "alarm.at_most", "") == TEXT


def test_a_group_that_is_empty_goes_with_its_last_field() -> None:
    made = with_field(TEXT, P102, "alarm.on_delay", "")
    assert "{template: pump, asset: P102}" in made


def test_inputs_that_stay_keep_their_comments() -> None:
    made = with_field(TEXT, P101, "inputs", "P101/Speed\nP101/Torque\n")
    assert fields_of(made, P101)["inputs"] == "P101/Speed\nP101/Torque"
    assert "# of the motor" in made
    turned = with_field(TEXT, P101, "inputs", "P101/Speed\nP101/Flow")
    assert fields_of(turned, P101)["inputs"] == "P101/Speed\nP101/Flow"


def test_a_text_that_is_no_yaml_has_no_fields() -> None:
    with pytest.raises(ConfigurationError):
        entries_of("models: [")


_WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=12)
_VALUES = st.one_of(st.just(""), st.sampled_from(["30d", "2026-01-05", "2 per month", "true", "12", "null"]), _WORDS)


@given(st.sampled_from([P101, P102, TABLE, PUMP]), st.sampled_from([one.name for one in FIELDS]), _VALUES)
def test_what_is_written_into_a_field_is_read_from_it_and_the_rest_stays(entry: Entry, name: str, value: str) -> None:
    made = with_field(TEXT, entry, name, value)
    assert fields_of(made, entry) == {**fields_of(TEXT, entry), name: value}
    assert "# of the plant" in made
    others = [one for one in (P101, P102, TABLE, PUMP) if one != entry]
    assert [fields_of(made, one) for one in others] == [fields_of(TEXT, one) for one in others]
    assert plain_tree(made)["timezone"] == "UTC"
