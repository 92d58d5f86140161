from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tagsight.binding import BindingError, bind, legal_level, merged, patterns_of
from tagsight.conditions import parse
from tagsight.job_plans import QualityPlan
from tagsight.plan import InputPlan, Job, ModelPlan
from tagsight_connectors.tag import DataType, Range, Tag
from tests.plugin.small_site import MINUTE, plan_of


def tag(path: str, **fields: object) -> Tag:
    return Tag(f"ns=2;s={path}", path, **fields)  # type: ignore[arg-type]


def plan(*inputs: str, **changes: object) -> ModelPlan:
    return replace(plan_of("P101", **changes), inputs=inputs)


PUMP = (
    tag("Plant/P101/Speed", unit="1/min", eu_range=Range(0.0, 3000.0)),
    tag("Plant/P101/Flow", unit="m3/h"),
    tag("Plant/P101/Open", data_type=DataType.BOOLEAN),
)


def test_each_tag_of_a_pattern_becomes_a_role_with_its_unit_and_range() -> None:
    found = bind(plan("Plant/P101/*"), PUMP)
    assert [role.name for role in found.roles] == ["Speed", "Flow", "Open"]
    assert (found.roles[0].unit, found.roles[0].low, found.roles[0].high) == ("1/min", 0.0, 3000.0)
    assert [role.step for role in found.roles] == [False, False, True]
    assert found.addresses["Flow"] == "ns=2;s=Plant/P101/Flow"


def test_a_pattern_without_a_tag_is_an_error_that_names_it() -> None:
    with pytest.raises(BindingError, match=r"P101/Health: no tag matches 'Plant/P102/\*'"):
        bind(plan("Plant/P101/*", "Plant/P102/*"), PUMP)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        pytest.param({"data_type": DataType.TEXT}, "its values are text", id="text"),
        pytest.param({"data_type": DataType.OTHER}, "arrays or structures", id="array"),
        pytest.param({"historizing": False}, "does not keep its history", id="no-history"),
    ],
)
def test_a_tag_that_cannot_be_an_input_is_skipped_in_a_pattern_and_refused_by_name(
    fields: dict[str, object], why: str
) -> None:
    odd = tag("Plant/P101/Odd", **fields)
    found = bind(plan("Plant/P101/*"), [*PUMP, odd])
    assert [path for path, _ in found.skipped] == ["Plant/P101/Odd"]
    assert why in found.skipped[0][1]
    with pytest.raises(BindingError, match=why):
        bind(plan("Plant/P101/Odd"), [*PUMP, odd])
    with pytest.raises(BindingError, match=f"no tag is left as an input: .*{why}"):
        bind(plan("Plant/P101/O?d"), [odd])


def test_a_tag_that_tagsight_writes_is_never_an_input() -> None:
    score = tag("Plant/P101/Score")
    found = bind(plan("Plant/P101/*"), [*PUMP, score], lambda one: one.name == "Score")
    assert "Score" not in found.addresses


def test_tags_of_one_name_get_roles_that_tell_them_apart() -> None:
    found = bind(plan("**"), [tag("A/P1/Flow"), tag("A/P2/Flow"), tag("A/P2/Level")])
    assert [role.name for role in found.roles] == ["P1-Flow", "P2-Flow", "Level"]


def test_what_the_engineer_says_of_an_input_counts() -> None:
    settings = {"Plant/P101/Flow": InputPlan(role="Q", interpolation="step", max_gap_ns=MINUTE, smallest_deviation=0.5)}
    found = bind(plan("Plant/P101/*", input_settings=settings), PUMP)
    flow = found.roles[1]
    assert (flow.name, flow.step, flow.smallest_deviation) == ("Q", True, 0.5)
    assert found.max_gaps == {"Q": MINUTE}


def test_operands_are_roles_or_tags_and_are_read_once() -> None:
    running = parse("[Speed] > 100 and [Plant/P101/Mode] = 'auto'")
    one = plan("Plant/P101/*", running=running, exclude_inputs=("Plant/P101/Mode",))
    found = bind(one, [*PUMP, tag("Plant/P101/Mode", data_type=DataType.TEXT)])
    assert found.operands == {"Speed": "ns=2;s=Plant/P101/Speed", "Plant/P101/Mode": "ns=2;s=Plant/P101/Mode"}
    assert len(found.all_addresses) == 4
    assert "Plant/P101/Mode" in patterns_of(one)


def test_an_operand_that_nobody_has_is_an_error_that_names_it() -> None:
    with pytest.raises(BindingError, match="no tag or role 'Nowhere' for the running condition"):
        bind(plan("Plant/P101/*", running=parse("[Nowhere] > 1")), PUMP)


@given(st.text())
@example("0" * 63 + " 0")
def test_any_name_becomes_a_legal_level(name: str) -> None:
    level = legal_level(name)
    assert 1 <= len(level) <= 64
    assert not set(level) & set("/+#$.")
    assert level.isprintable()
    assert legal_level(level) == level


def test_the_version_that_still_runs_keeps_its_inputs_beside_those_of_a_new_one() -> None:
    old = bind(plan("Plant/P101/Speed", "Plant/P101/Flow"), PUMP)
    new = bind(plan("Plant/P101/Flow", "Plant/P101/Open"), PUMP)
    both = merged(new, old)
    assert [role.name for role in both.roles] == ["Flow", "Open", "Speed"]
    assert both.addresses == {**old.addresses, **new.addresses}
    assert merged(new, None) == new


def soft_sensor(target: str) -> ModelPlan:
    return replace(plan("Plant/P101/*"), job=Job.QUALITY, of_job=QualityPlan(target))


def test_the_target_of_a_job_is_read_beside_the_inputs_and_is_never_one_of_them() -> None:
    found = bind(soft_sensor("Plant/P101/Flow"), PUMP)
    assert [role.name for role in found.roles] == ["Speed", "Open"]
    assert found.beside == {"Plant/P101/Flow": "ns=2;s=Plant/P101/Flow"}
    assert "ns=2;s=Plant/P101/Flow" in found.all_addresses
    assert "Plant/P101/Flow" in patterns_of(soft_sensor("Plant/P101/Flow"))


@pytest.mark.parametrize(
    ("target", "said"),
    [("Lab/X", "no tag matches 'Lab/X'"), ("Plant/P101/*", "3 tags match"), ("Plant/P101/Note", "are no numbers")],
)
def test_a_target_that_is_not_one_tag_of_numbers_is_refused(target: str, said: str) -> None:
    tags = PUMP if target != "Plant/P101/Note" else (*PUMP, tag("Plant/P101/Note", data_type=DataType.TEXT))
    with pytest.raises(BindingError, match=said):
        bind(soft_sensor(target), tags)
