"""The list of output tags agrees with what is written."""

import pytest

from tagsight.drift_outputs import drift_row
from tagsight.drift_task import DriftFound
from tagsight.heartbeat import PluginStatus, plugin_values
from tagsight.output_tags import identifier_of, output_tags, plugin_tags, served_variable, split_identifier
from tagsight.outputs import Circumstances, explanation_row, operator_row, score_row
from tagsight.results import ExplanationResult, RoleResult, Run
from tagsight_connectors.serving import UserRole
from tagsight_connectors.tag import DataType, Range
from tagsight_models.drift import Drift, RoleDrift
from tagsight_models.frame import Role

ROLES = (Role("speed", "1/s", 0.0, 50.0), Role("pressure", "bar"))
RUN = Run(
    "P101/Health",
    60,
    1,
    1.2,
    0,
    roles=[RoleResult(role.name, 1.0, 2.0, 1.5, 2.5) for role in ROLES],
    explanation=ExplanationResult(0.2, {"speed": 0.7, "pressure": 0.3}, {"speed": 0.0, "pressure": 0.0}),
)


@pytest.mark.parametrize("detail", [False, True])
def test_every_output_that_is_written_is_listed_with_its_type_and_none_else(detail: bool) -> None:  # noqa: FBT001
    now = Circumstances("P101", detail=detail)
    rows = [score_row(RUN, now), explanation_row(RUN, now), operator_row(RUN.model, 60, off=False, feedback_count=0)]
    rows.append(drift_row(DriftFound(RUN.model, 60, Drift((RoleDrift("speed", 0.5, 1.5, up=True, at_once=False),)))))
    listed = {tag.output: tag for tag in output_tags(RUN.model, ROLES, detail=detail)}
    written = {value.output: value.value for row in rows for value in row.values}
    assert written.keys() == listed.keys()
    for output, value in written.items():
        assert value is None or isinstance(value, str) is (listed[output].data_type is DataType.TEXT), output
        assert not (listed[output].integer and isinstance(value, float)), output


def test_the_plugins_tags_are_those_that_are_written() -> None:
    assert {tag.output for tag in plugin_tags()} == {value.output for value in plugin_values(PluginStatus(1, 1))}


def test_operators_write_feedback_and_off_and_nothing_else() -> None:
    tags = output_tags("P101/Health", ROLES, detail=True)
    writable = {tag.output: tag.writable_by for tag in tags if tag.writable_by is not None}
    assert writable == {"Feedback": UserRole.OPERATOR, "Off": UserRole.OPERATOR}


def test_expected_values_have_unit_and_range_of_their_role() -> None:
    tags = {tag.output: tag for tag in output_tags("P101/Health", ROLES, detail=True)}
    assert (tags["Expected/speed"].unit, tags["Expected/speed"].eu_range) == ("1/s", Range(0.0, 50.0))
    assert tags["Expected/pressure"].eu_range is None


@pytest.mark.parametrize(("model", "output"), [("P101/Health", "Expected/speed"), ("TagSight", "Heartbeat")])
def test_identifiers_are_taken_apart_again(model: str, output: str) -> None:
    assert split_identifier(identifier_of(model, output)) == (model, output)


@pytest.mark.parametrize("identifier", ["", "Score", "P101/Score", "TagSight"])
def test_what_is_no_identifier_is_none(identifier: str) -> None:
    assert split_identifier(identifier) is None


def test_a_served_variable_says_the_same_as_the_tag() -> None:
    tag = next(tag for tag in output_tags("P101/Health", (), detail=False) if tag.output == "Off")
    variable = served_variable("P101/Health", tag)
    assert (variable.identifier, variable.path) == ("P101/Health/Off", "P101/Health/Off")
    assert (variable.integer, variable.writable_by) == (True, UserRole.OPERATOR)


def test_a_group_has_a_contribution_in_the_place_of_its_roles() -> None:
    groups = (("Suction", tuple(role.name for role in ROLES[:2])),)
    listed = [tag.output for tag in output_tags("P101/Health", ROLES, detail=True, groups=groups)]
    assert [name for name in listed if name.startswith("Contribution/")] == [
        "Contribution/Suction",
        *(f"Contribution/{role.name}" for role in ROLES[2:]),
    ]
    assert f"Expected/{ROLES[0].name}" in listed
