from dataclasses import replace

import numpy as np
import pytest

from tagsight.binding import Binding
from tagsight.cause_patterns import parse_pattern
from tagsight.errors import NotReady
from tagsight.plan import CausePlan, Destination, Job, ModelPlan, ScorePlan, TrainPlan
from tagsight.probing import (
    DAY,
    SECOND,
    Finding,
    HistorianFacts,
    ModelFacts,
    TagFacts,
    TargetFacts,
    Weight,
    grid_ns,
    judge_historian,
    judge_model,
    judge_tag,
    judge_targets,
    tag_line,
    wait_ns,
)
from tagsight.sampling import Sampling
from tagsight_connectors.aggregates import Computer
from tagsight_connectors.errors import AccessRefused
from tagsight_connectors.historian import Description
from tagsight_connectors.history import Span, TagHistory
from tagsight_connectors.quality import BAD_OUT_OF_RANGE
from tagsight_connectors.tag import Access, Tag
from tagsight_models.frame import Role

NOW = 1_800_000_000 * SECOND
SPAN = Span(NOW - 10 * DAY, NOW)
SPEED = Tag("speed", "Plant/Speed", unit="rpm")
SCORE = Tag("score", "score", access=Access.READ | Access.WRITE | Access.WRITE_TIME)
MODEL = ModelPlan("P101", "Health", Job.HEALTH, "default", ("Plant/*",), TrainPlan(), ScorePlan(60 * SECOND))
FACTS = ModelFacts(MODEL, SPAN, SPAN, NOW)


def sampled(every_s: int, start_ns: int = SPAN.start_ns, bad: int = 0) -> Sampling:
    times = np.arange(start_ns, SPAN.end_ns, every_s * SECOND, dtype=np.int64)
    status = np.zeros(len(times), dtype=np.uint32)
    status[:bad] = BAD_OUT_OF_RANGE
    sampling = Sampling()
    sampling.add(TagHistory(times, np.zeros(len(times)), status))
    return sampling


def fine() -> TagFacts:
    return TagFacts(SPEED, ("Speed",), sampled(60), SPAN.start_ns, newest_ns=NOW - 60 * SECOND)


def connected(**changes: object) -> HistorianFacts:
    description = Description("opc.tcp://a", "Server 1", "Basic256Sha256 SignAndEncrypt, user tagsight", "ab12")
    return HistorianFacts("default", "opc.tcp://a", NOW, replace(description, **changes))  # type: ignore[arg-type]


def test_it_is_said_who_computes_the_averages_that_a_model_reads() -> None:
    computed_by = {"Flow": Computer.SERVER, **{f"Role{at}": Computer.TAGSIGHT for at in range(7)}}
    facts = replace(FACTS, binding=Binding((), {}, {}, {}), tags=(fine(),), computed_by=computed_by)
    found = list(judge_model(facts))
    assert (Weight.FINE, "the historian computes the averages of 1 input") in [(one.weight, one.what) for one in found]
    assert troubles(found) == [
        (Weight.WARNING, "the historian computes no averages of Role0, Role1, Role2, Role3, Role4 and 2 more")
    ]


def troubles(findings: list[Finding]) -> list[tuple[Weight, str]]:
    assert all(finding.mend for finding in findings if finding.weight is not Weight.FINE)
    return [(finding.weight, finding.what) for finding in findings if finding.weight is not Weight.FINE]


def test_a_healthy_historian_and_tag_have_no_troubles() -> None:
    facts = connected(server_time_ns=NOW + SECOND, certificate_expires_ns=NOW + 400 * DAY)
    assert troubles(list(judge_historian(facts))) == []
    assert list(judge_tag("P101/Health", fine(), FACTS)) == []


@pytest.mark.parametrize(
    ("changes", "weight", "words"),
    [
        pytest.param({"server_time_ns": NOW + 3 * SECOND}, Weight.WARNING, "3.0 s ahead of", id="ahead"),
        pytest.param({"server_time_ns": NOW - 9 * SECOND}, Weight.WARNING, "9.0 s behind", id="behind"),
        pytest.param({"certificate_expires_ns": NOW + 5 * DAY}, Weight.WARNING, "expires in 5 days", id="expires"),
        pytest.param({"certificate_expires_ns": NOW - 2 * DAY}, Weight.BLOCKS, "expired 2 days ago", id="expired"),
        pytest.param({"security": "None, anonymous"}, Weight.WARNING, "neither signed nor encrypted", id="none"),
        pytest.param({"security": "Basic256Sha256 Sign, user x"}, Weight.WARNING, "signed, not encrypted", id="sign"),
    ],
)
def test_what_is_wrong_with_a_historian_is_said(changes: dict[str, object], weight: Weight, words: str) -> None:
    ((found, what),) = troubles(list(judge_historian(connected(**changes))))
    assert found is weight
    assert words in what


def test_a_historian_that_refuses_prevents_running_with_its_own_mend() -> None:
    facts = HistorianFacts("default", "opc.tcp://a", NOW, failure=AccessRefused("login", "BadUserAccessDenied"))
    (finding,) = judge_historian(facts)
    assert (finding.weight, finding.what) == (Weight.BLOCKS, "login refused: BadUserAccessDenied")
    assert "user administration" in finding.mend


@pytest.mark.parametrize(
    ("changes", "weight", "words"),
    [
        pytest.param({"tag": replace(SPEED, access=Access.READ)}, Weight.BLOCKS, "may not be read", id="rights"),
        pytest.param({"failure": NotReady("broken", "Mend it.")}, Weight.BLOCKS, "broken", id="unreadable"),
        pytest.param({"sampling": Sampling()}, Weight.BLOCKS, "no value in the training period (10d, ", id="empty"),
        pytest.param({"begins_ns": NOW - 4 * DAY}, Weight.WARNING, "begins 6d after", id="begins-late"),
        pytest.param({"sampling": sampled(60, bad=7200)}, Weight.WARNING, "50.0% of its values are bad", id="bad"),
        pytest.param({"newest_ns": NOW - DAY}, Weight.WARNING, "newest value is 1d old", id="stale"),
        pytest.param({"newest_ns": NOW + 3600 * SECOND}, Weight.WARNING, "lies 1h ahead", id="future"),
        pytest.param({"newest_ns": None}, Weight.WARNING, "no current value", id="nothing"),
    ],
)
def test_what_is_wrong_with_a_tag_is_said(changes: dict[str, object], weight: Weight, words: str) -> None:
    facts = replace(fine(), **changes)  # type: ignore[arg-type]
    ((found, what),) = troubles(list(judge_tag("P101/Health", facts, FACTS)))
    assert found is weight
    assert words in what


def test_a_tag_stored_by_exception_is_not_stale_because_it_is_quiet() -> None:
    quiet = replace(fine(), sampling=sampled(86_400), newest_ns=NOW - 2 * DAY)
    assert list(judge_tag("P101/Health", quiet, FACTS)) == []


def test_bad_states_are_named() -> None:
    (finding,) = judge_tag("P101/Health", replace(fine(), sampling=sampled(60, bad=7200)), FACTS)
    assert "out of range 7200" in finding.what
    states = replace(fine(), sampling=sampled(60, bad=7200), tag=replace(SPEED, description="states: Scan Timeout (9)"))
    (finding,) = judge_tag("P101/Health", states, FACTS)
    assert "Scan Timeout (9)" in finding.what


def test_a_long_hole_in_the_history_is_told() -> None:
    sampling = sampled(60, NOW - DAY)
    holed = Sampling()
    holed.add(TagHistory(np.array([SPAN.start_ns]), np.zeros(1), np.zeros(1, dtype=np.uint32)))
    times = np.arange(NOW - DAY, NOW, 60 * SECOND, dtype=np.int64)
    holed.add(TagHistory(times, np.zeros(len(times)), np.zeros(len(times), dtype=np.uint32)))
    ((weight, what),) = troubles(list(judge_tag("P101/Health", replace(fine(), sampling=holed), FACTS)))
    assert weight is Weight.WARNING
    assert "90% of the period" in what
    assert sampling.holes_ns() == 0


def test_missing_locked_and_timeless_targets_are_named() -> None:
    targets = [
        TargetFacts("gone", None),
        TargetFacts("locked", replace(SCORE, access=Access.READ)),
        TargetFacts("timeless", replace(SCORE, access=Access.READ | Access.WRITE)),
        TargetFacts("fine", SCORE),
    ]
    found = troubles(list(judge_targets("default", targets)))
    assert [weight for weight, _ in found] == [Weight.BLOCKS, Weight.BLOCKS, Weight.WARNING]
    assert [what.split(": ")[-1] for _, what in found] == ["gone", "locked", "timeless"]
    assert troubles(list(judge_targets("default", targets[3:]))) == []


def test_a_server_that_takes_results_only_in_the_other_way_is_told_with_that_way() -> None:
    by_write = [TargetFacts("score", replace(SCORE, access=Access.READ | Access.WRITE | Access.WRITE_TIME))]
    ((weight, what),) = troubles(list(judge_targets("default", by_write, Destination.HISTORY)))
    assert (weight, "take no HistoryUpdate" in what) == (Weight.BLOCKS, True)
    assert any("to: write" in one.mend for one in judge_targets("default", by_write, Destination.HISTORY))
    by_history = [TargetFacts("score", replace(SCORE, access=Access.READ | Access.WRITE_HISTORY))]
    assert any("to: history" in one.mend for one in judge_targets("default", by_history))
    assert troubles(list(judge_targets("default", by_history, Destination.HISTORY))) == []


def test_a_tag_that_operators_write_must_be_readable() -> None:
    unreadable = replace(SCORE, access=SCORE.access & ~Access.READ)
    found = troubles(list(judge_targets("default", [TargetFacts("off", unreadable, by_operators=True)])))
    assert [(weight, what.split(": ")[-1]) for weight, what in found] == [(Weight.BLOCKS, "off")]
    assert troubles(list(judge_targets("default", [TargetFacts("score", unreadable)]))) == []


def test_the_time_base_comes_from_sampling_and_delays() -> None:
    facts = replace(FACTS, tags=[replace(fine(), delays_ns=(7 * SECOND,)), replace(fine(), sampling=sampled(300))])
    assert grid_ns(facts) == 180 * SECOND
    assert wait_ns(facts) == 10 * SECOND
    assert wait_ns(replace(FACTS, tags=[replace(fine(), delays_ns=(1,))])) == 5 * SECOND
    assert (grid_ns(FACTS), wait_ns(FACTS)) == (None, None)


def test_the_line_of_a_tag_shows_what_was_measured() -> None:
    line = tag_line(replace(fine(), delays_ns=(1_500_000_000,)), NOW)
    assert line == ("Plant/Speed [rpm]", "14,400", "1m", "1m", "0.0%", "1m ago", "1s500ms")


def test_a_role_in_the_cause_library_that_the_model_does_not_have_is_told() -> None:
    causes = (CausePlan(parse_pattern("Speed low"), "x"), CausePlan(parse_pattern("Spede low"), "y"))
    binding = Binding((Role("Speed"),), {}, {}, {})
    facts = replace(FACTS, model=replace(MODEL, causes=causes), binding=binding, tags=(fine(),))
    assert troubles(list(judge_model(facts))) == [(Weight.WARNING, "causes: Spede low: this model has no role 'Spede'")]
