from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight.cause_patterns import parse_pattern
from tagsight.outputs import Circumstances, appearance, explanation_row, operator_row, score_row
from tagsight.plan import CausePlan
from tagsight.results import ExplanationResult, OutputRow, OutputValue, RoleResult, Run, State
from tagsight_connectors.quality import BAD, BAD_NO_DATA, GOOD, UNCERTAIN, Quality, quality_of
from tagsight_models.job_output import JobOutput

DUE = 1_760_000_040_000_000_000
ROLES = (RoleResult("Flow", 62.0, 50.0, 45.0, 55.0), RoleResult("Pressure", 4.0, 4.1, 3.5, 4.5))
EXPLAINED = ExplanationResult(0.1, {"Flow": 1.2, "Pressure": -0.1}, {"Flow": 0.0, "Pressure": 0.0})
PUMP = Circumstances("P101", units={"Flow": "m3/h"}, detail=True)


def run(score: float | None, quality: int = GOOD, **fields: Any) -> Run:
    return Run("P101/Health", DUE, 3, score, quality, roles=ROLES if score is not None else (), **fields)


def values(row: OutputRow) -> dict[str, OutputValue]:
    return {value.output: value for value in row.values}


@pytest.mark.parametrize(
    ("one", "now", "expected"),
    [
        pytest.param(run(0.3), PUMP, (State.NORMAL, False, Quality.GOOD), id="normal"),
        pytest.param(
            run(1.2), replace(PUMP, alarm=True), (State.MAINTENANCE_REQUIRED, True, Quality.GOOD), id="alarm-active"
        ),
        pytest.param(
            run(0.5),
            replace(PUMP, alarm=True),
            (State.MAINTENANCE_REQUIRED, True, Quality.GOOD),
            id="alarm-within-its-off-delay",
        ),
        pytest.param(run(1.2), PUMP, (State.OUT_OF_SPECIFICATION, False, Quality.GOOD), id="within-the-on-delay"),
        pytest.param(
            run(None, BAD, reason="flat line: Flow"),
            replace(PUMP, sensor_fault=True),
            (State.OUT_OF_SPECIFICATION, False, Quality.GOOD),
            id="sensor-fault",
        ),
        pytest.param(
            run(None, BAD, reason="flat line: Flow"),
            replace(PUMP, sensor_fault=True, last_alarm=True, last_state=State.MAINTENANCE_REQUIRED),
            (State.MAINTENANCE_REQUIRED, True, Quality.BAD),
            id="sensor-fault-while-an-alarm-is-active",
        ),
        pytest.param(
            run(None, UNCERTAIN, reason="not running", stopped=True),
            replace(PUMP, alarm=True, last_alarm=True),
            (State.FUNCTION_CHECK, False, Quality.UNCERTAIN),
            id="stopped",
        ),
        pytest.param(
            run(1.5), replace(PUMP, off=True, alarm=True), (State.FUNCTION_CHECK, False, Quality.UNCERTAIN), id="off"
        ),
        pytest.param(run(1.5, trial=True), PUMP, (State.FUNCTION_CHECK, False, Quality.UNCERTAIN), id="trial"),
        pytest.param(
            run(None, BAD_NO_DATA, reason="no value: Flow"), PUMP, (State.NORMAL, False, Quality.BAD), id="cannot-score"
        ),
        pytest.param(
            run(None, BAD_NO_DATA, reason="no value: Flow"),
            replace(PUMP, last_alarm=True, last_state=State.MAINTENANCE_REQUIRED),
            (State.MAINTENANCE_REQUIRED, True, Quality.BAD),
            id="cannot-score-while-an-alarm-is-active",
        ),
    ],
)
def test_a_row_of_the_table_of_states(one: Run, now: Circumstances, expected: tuple[State, bool, Quality]) -> None:
    look = appearance(one, now)
    assert (look.state, look.alarm, quality_of(look.status)) == expected
    row = values(score_row(one, now))
    assert (row["State"].value, row["Alarm"].value) == (int(expected[0]), int(expected[1]))
    assert row["State"].status == row["Alarm"].status == look.status
    assert row["Score"].status == (BAD if now.sensor_fault else look.status)


def test_a_faulty_sensor_is_known_for_certain_and_a_score_on_it_is_not() -> None:
    one, now = run(None, BAD_NO_DATA, reason="flat line: Flow"), replace(PUMP, sensor_fault=True)
    row = {**values(score_row(one, now)), **values(explanation_row(one, now))}
    assert all(row[name].status == GOOD for name in ("State", "Alarm", "Message"))
    assert row["Message"].value == "P101: not scored: flat line: Flow"
    assert all(row[name].status == BAD_NO_DATA for name in ("Score", "Top1_Tag"))


def _situation(*, last_alarm: bool, **fields: Any) -> Circumstances:
    last_state = State.MAINTENANCE_REQUIRED if last_alarm else State.NORMAL
    return Circumstances(last_alarm=last_alarm, last_state=last_state, **fields)


scored = st.floats(min_value=0.0, max_value=1e6)
statuses = st.sampled_from([GOOD, UNCERTAIN, BAD, BAD_NO_DATA, 0x40920000, 0x80000000, 0x000F0000])
situations = st.builds(
    _situation,
    asset=st.text(max_size=60),
    alarm=st.booleans(),
    since_ns=st.one_of(st.none(), st.integers(0, DUE)),
    last_alarm=st.booleans(),
    off=st.booleans(),
    sensor_fault=st.booleans(),
    detail=st.booleans(),
    language=st.sampled_from(["en", "de", "zh"]),
)
explanations = st.one_of(
    st.none(),
    st.just(EXPLAINED),
    st.builds(ExplanationResult, st.just(0.0), st.just({}), st.just({}), st.text(min_size=1, max_size=300)),
)


@st.composite
def runs(draw: st.DrawFn) -> Run:
    score = draw(st.one_of(st.none(), scored))
    quality = draw(statuses)
    if score is None and quality_of(quality) is Quality.GOOD:
        quality = BAD
    return run(
        score,
        quality,
        reason=draw(st.text(max_size=300)),
        explanation=draw(explanations),
        stopped=score is None and draw(st.booleans()),
        trial=draw(st.booleans()),
    )


@given(runs(), situations)
def test_what_rests_on_bad_or_uncertain_inputs_is_never_good(one: Run, now: Circumstances) -> None:
    row = {**values(score_row(one, now)), **values(explanation_row(one, now))}
    told = () if now.sensor_fault and not now.last_alarm else ("Alarm", "State", "Message")
    about_inputs = [row[name] for name in ("Score", "Top1_Tag", *told)]
    if quality_of(one.quality) is not Quality.GOOD:
        assert all(quality_of(value.status) is not Quality.GOOD for value in about_inputs)
    if one.score is None and not (one.stopped or now.off or now.sensor_fault):
        assert quality_of(row["Score"].status) is Quality.BAD


@given(runs(), situations)
def test_state_alarm_and_quality_say_one_thing(one: Run, now: Circumstances) -> None:
    look = appearance(one, now)
    assert look.alarm == (look.state is State.MAINTENANCE_REQUIRED)
    assert look.state is not State.FAILURE
    if look.state is State.FUNCTION_CHECK:
        assert look.status == UNCERTAIN
    if now.off or one.stopped:
        assert not look.alarm


@given(runs(), situations)
def test_the_sentence_fits_its_tag_and_every_output_is_a_number_or_a_string(one: Run, now: Circumstances) -> None:
    for row in (score_row(one, now), explanation_row(one, now)):
        assert all(value.value is None or isinstance(value.value, int | float | str) for value in row.values)
        assert len({value.output for value in row.values}) == len(row.values)
    assert len(str(values(explanation_row(one, now))["Message"].value)) <= 120


@given(
    st.floats(-5.0, 5.0),
    st.dictionaries(st.sampled_from(["Flow", "Pressure"]), st.floats(-1e3, 1e3), min_size=2, max_size=2),
)
def test_contributions_and_their_base_sum_to_the_score(base: float, parts: dict[str, float]) -> None:
    score = base + sum(parts.values())
    row = values(explanation_row(run(score, explanation=ExplanationResult(base, parts, parts)), PUMP))
    contributions = [float(value.value or 0.0) for name, value in row.items() if name.startswith("Contribution/")]
    assert float(row["ContributionBase"].value or 0.0) + sum(contributions) == pytest.approx(score, abs=1e-6)
    assert float(row["ContributionSum"].value or 0.0) == pytest.approx(score, abs=1e-6)


def test_the_leading_roles_come_with_actual_expected_direction_and_unit() -> None:
    row = values(explanation_row(run(1.2, explanation=EXPLAINED), replace(PUMP, alarm=True, since_ns=DUE)))
    assert (row["Top1_Tag"].value, row["Top1_Actual"].value, row["Top1_Expected"].value) == ("Flow", 62.0, 50.0)
    assert (row["Top1_Share"].value, row["Top1_Direction"].value) == (100.0, "high")
    assert row["Top2_Tag"].value == ""
    assert "Flow high" in str(row["Message"].value)
    assert "m3/h" in str(row["Message"].value)


def test_below_half_the_limit_nothing_is_named_and_that_is_good() -> None:
    row = values(explanation_row(run(0.4, explanation=EXPLAINED), PUMP))
    assert (row["Message"].value, row["Top1_Tag"].value) == ("", "")
    assert row["Message"].status == row["Top1_Tag"].status == GOOD


def test_an_explanation_that_failed_is_uncertain_says_why_and_names_nobody() -> None:
    failed = ExplanationResult(0.0, {}, {}, "no time before the next scoring")
    row = values(explanation_row(run(1.2, explanation=failed), PUMP))
    assert "not explained: no time before the next scoring" in str(row["Message"].value)
    assert row["Top1_Tag"].value == ""
    assert row["ContributionSum"].value is None
    assert quality_of(row["Message"].status) is Quality.UNCERTAIN
    assert values(score_row(run(1.2, explanation=failed), PUMP))["Score"].status == GOOD


def test_what_was_not_scored_says_so_without_a_number() -> None:
    one = run(None, BAD_NO_DATA, reason="no value: Flow")
    assert values(score_row(one, PUMP))["Score"].value is None
    assert values(explanation_row(one, PUMP))["Message"].value == "P101: not scored: no value: Flow"


def test_feedback_goes_back_to_zero_once_it_is_stored() -> None:
    row = values(operator_row("P101/Health", DUE, off=True, feedback_count=4))
    assert (row["Feedback"].value, row["FeedbackCount"].value, row["Off"].value) == (0, 4, 1)


def test_what_an_operator_reads_is_in_one_language_with_the_historians_description_and_the_engineers_advice() -> None:
    causes = (CausePlan(parse_pattern("Flow low"), "no"), CausePlan(parse_pattern("Flow high"), "Filter prüfen"))
    now = replace(PUMP, language="de", descriptions={"Flow": "Durchfluss"}, causes=causes, since_ns=DUE)
    row = values(explanation_row(run(1.2, explanation=EXPLAINED), now))
    assert row["Message"].value == (
        "P101: Durchfluss Flow hoch, 62 statt erwartet 50 m3/h, seit 08:54 (100 %) - Filter prüfen"
    )
    assert row["Top1_Direction"].value == "high"
    assert values(score_row(run(1.2), now))["Reason"].value == "innerhalb der Einschaltverzögerung"
    assert values(score_row(run(1.2), replace(now, off=True)))["Reason"].value == "vom Bediener ausgeschaltet"


def test_the_start_has_its_date_when_it_was_not_today() -> None:
    row = values(explanation_row(run(1.2, explanation=EXPLAINED), replace(PUMP, since_ns=DUE - 86_400 * 10**9)))
    assert "since 2025-10-08 08:54" in str(row["Message"].value)


def test_below_the_limit_nothing_is_advised() -> None:
    now = replace(PUMP, causes=(CausePlan(parse_pattern("Flow high"), "check filter"),))
    message = str(values(explanation_row(run(0.7, explanation=EXPLAINED), now))["Message"].value)
    assert message
    assert "check filter" not in message
    active = values(explanation_row(run(0.7, explanation=EXPLAINED), replace(now, alarm=True)))
    assert str(active["Message"].value).endswith("check filter")


def test_what_the_job_says_has_the_quality_of_the_score_and_is_there_without_a_value_where_a_run_has_none() -> None:
    now = replace(PUMP, job_outputs=(JobOutput("Class", text=True), JobOutput("RemainingLife", "h")))
    said = values(score_row(run(0.3, results={"Class": "bearing", "RemainingLife": 3.5}), now))
    assert (said["Class"].value, said["RemainingLife"].value) == ("bearing", 3.5)
    assert said["Class"].status == said["Score"].status == GOOD
    silent = values(score_row(run(None, BAD), now))
    assert (silent["Class"].value, silent["RemainingLife"].status) == (None, BAD)


def test_a_result_that_is_no_number_is_shown_without_a_value() -> None:
    assert values(score_row(run(0.3, results={"RemainingLife": float("nan")}), PUMP))["RemainingLife"].value is None


def test_the_sentence_of_a_job_says_first_what_it_found() -> None:
    results: dict[str, float | str] = {"Class": "bearing", "Probability/bearing": 0.82, "Probability/normal": 0.18}
    said = values(explanation_row(run(1.2, explanation=EXPLAINED, results=results), PUMP))["Message"].value
    assert str(said).startswith("P101: bearing (82 %): Flow high")
    alone = ExplanationResult(0.1, {"Flow": -1.2}, {"Flow": 0.0})
    assert (
        values(explanation_row(run(1.2, explanation=alone, results=results), PUMP))["Message"].value
        == "P101: bearing (82 %)"
    )


LOOPS = (("Suction", ("Flow", "Pressure")),)


def test_a_group_leads_under_its_name_with_the_values_of_its_role_that_is_farthest_out() -> None:
    explained = ExplanationResult(0.1, {"Suction": 1.2, "Speed": 0.3}, {"Suction": 0.0, "Speed": 0.0})
    now = replace(PUMP, alarm=True, groups=LOOPS)
    speed = RoleResult("Speed", 1000.0, 990.0, 980.0, 1000.0)
    found = values(explanation_row(replace(run(1.6, explanation=explained), roles=(*ROLES, speed)), now))
    assert [found[f"Top1_{name}"].value for name in ("Tag", "Actual", "Direction")] == ["Suction", 62.0, "high"]
    assert found["Top2_Tag"].value == "Speed"
    assert found["Contribution/Suction"].value == 1.2
    assert found["Message"].value == ("P101: Suction Flow high, 62 of 50 m3/h expected (80 %); then Speed unusual")


def test_a_pattern_may_name_the_group_or_the_role_that_speaks_for_it() -> None:
    explained = ExplanationResult(0.1, {"Suction": 1.2}, {"Suction": 0.0})
    for pattern in ("Flow high", "Suction high"):
        causes = (CausePlan(parse_pattern(pattern), "check strainer"),)
        now = replace(PUMP, alarm=True, groups=LOOPS, causes=causes)
        found = values(explanation_row(run(1.6, explanation=explained), now))
        assert str(found["Message"].value).endswith("check strainer")
