"""What operators mean by `Feedback` and `Off` of a historian, without any historian."""

from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight.clocks import SECOND
from tagsight.fence import checked_targets
from tagsight.ledger.records import OperatorState
from tagsight.operator_tags import Before, OperatorTag, Verdict, entries_in_question, judge, operator_tags
from tagsight.plan import Destination, Detail, HistorianPlan, Plan, ResultsPlan
from tagsight_connectors.history import Sample
from tagsight_connectors.quality import BAD, BAD_NODE_ID_UNKNOWN, GOOD, UNCERTAIN, UNCERTAIN_LAST_USABLE
from tests.plugin.small_site import plan_of

PATTERN = "ns=2;s=TagSight.{asset}.{model}.{output}"
MODEL = "P101/Health"
FEEDBACK = OperatorTag("scada", "ns=2;s=TagSight.P101.Health.Feedback", MODEL, "Feedback")
OFF = OperatorTag("scada", "ns=2;s=TagSight.P101.Health.Off", MODEL, "Off")
SWITCHED_OFF = {MODEL: OperatorState(off=True)}


def the_plan(to: Destination = Destination.WRITE, url: str = "opc.tcp://scada") -> Plan:
    model = replace(plan_of("P101", outputs=Detail.BASIC), historian="scada")
    results = ResultsPlan(to, PATTERN, "ns=2;s=TagSight.")
    return Plan(ZoneInfo("UTC"), {"scada": HistorianPlan("scada", url)}, {"scada": results}, (model,))


def found(tag: OperatorTag, value: object, second: int = 5, status: int = GOOD) -> list[tuple[OperatorTag, Sample]]:
    return [(tag, Sample(tag.address, second * SECOND, value, status))]  # type: ignore[arg-type]


def at(second: int = 10, **changes: object) -> Before:
    return Before(now_ns=second * SECOND, **changes)  # type: ignore[arg-type]


def wanted(verdict: Verdict) -> list[tuple[str, int]]:
    return [(wish.found.address, wish.value) for wish in verdict.wishes]


def test_the_tags_of_operators_are_among_those_that_an_engineer_accepts() -> None:
    plan = the_plan()
    tags = operator_tags(plan, "scada")
    assert [(tag.model, tag.output) for tag in tags] == [("TagSight", "Off"), (MODEL, "Feedback"), (MODEL, "Off")]
    accepted = {target.address for target in checked_targets(plan, "scada", {}, ())}
    assert {tag.address for tag in tags} <= accepted


@pytest.mark.parametrize(
    "plan",
    [
        pytest.param(the_plan(Destination.SERVER), id="results-on-our-own-server"),
        pytest.param(the_plan(url="file:pumps.csv"), id="a-file"),
    ],
)
def test_nothing_is_watched_where_no_operator_writes(plan: Plan) -> None:
    assert operator_tags(plan, "scada") == ()


@given(
    tag=st.sampled_from([FEEDBACK, OFF]),
    value=st.none() | st.text() | st.booleans() | st.integers() | st.floats(),
    status=st.sampled_from([BAD, BAD_NODE_ID_UNKNOWN, UNCERTAIN, UNCERTAIN_LAST_USABLE]),
    off=st.booleans(),
)
def test_a_value_that_is_not_good_means_nothing(tag: OperatorTag, value: object, status: int, *, off: bool) -> None:
    verdict = judge(found(tag, value, status=status), at(states={MODEL: OperatorState(off=off)}))
    assert verdict == Verdict((), (), {}, ())


@given(
    st.sampled_from([FEEDBACK, OFF]),
    st.none() | st.text() | st.integers(4) | st.integers(max_value=-1) | st.floats(3.1) | st.floats(0.1, 0.9),
)
def test_a_value_that_is_not_one_of_the_list_means_nothing(tag: OperatorTag, value: object) -> None:
    assert judge(found(tag, value), at()) == Verdict((), (), {}, ())


def test_feedback_is_an_act_and_0_is_wanted_in_its_place() -> None:
    verdict = judge(found(FEEDBACK, 2.0), at())
    (act,) = verdict.acts
    assert (act.model, act.by, act.time_ns, act.feedback, act.off) == (MODEL, "operator via scada", 5 * SECOND, 2, None)
    assert act.entry == f"scada: {FEEDBACK.address}@{5 * SECOND}=2"
    assert wanted(verdict) == [(FEEDBACK.address, 0)]
    assert judge(found(FEEDBACK, 0), at()) == Verdict((), (), {}, ())


def test_feedback_whose_answer_was_refused_counts_no_further_until_it_is_another() -> None:
    refused = at(refused={FEEDBACK.address: 2})
    assert judge(found(FEEDBACK, 2, second=7), refused).acts == ()
    assert wanted(judge(found(FEEDBACK, 2, second=7), refused)) == [(FEEDBACK.address, 0)]
    assert judge(found(FEEDBACK, 1, second=8), refused).acts[0].feedback == 1


@pytest.mark.parametrize(
    ("source_s", "given_s"),
    [
        pytest.param(9, 9, id="since-the-last-look"),
        pytest.param(2, 8, id="a-clock-behind"),
        pytest.param(99, 10, id="a-clock-ahead"),
        pytest.param(0, 10, id="no-source-time"),
    ],
)
def test_when_it_was_given_is_known_within_two_looks(source_s: int, given_s: int) -> None:
    verdict = judge(found(FEEDBACK, 1, source_s), at(10, looked_ns=8 * SECOND))
    assert verdict.acts[0].time_ns == given_s * SECOND


def test_the_answer_is_newer_than_what_it_answers_whatever_the_clock_of_the_hmi() -> None:
    (wish,) = judge(found(FEEDBACK, 1, 99), at(10)).wishes
    assert wish.sample(10 * SECOND).time_ns > 99 * SECOND
    assert wish.sample(200 * SECOND) == Sample(FEEDBACK.address, 200 * SECOND, 0, GOOD)


def test_off_that_shows_what_holds_is_no_act() -> None:
    verdict = judge(found(OFF, 1), at(states=SWITCHED_OFF))
    assert (verdict.acts, verdict.wishes, verdict.settled) == ((), (), {OFF.address: 1})


@pytest.mark.parametrize(
    ("value", "holds", "before", "acts"),
    [
        pytest.param(1, 0, {}, True, id="a-new-tag-at-1-switches-off"),
        pytest.param(0, 1, {}, False, id="a-new-tag-at-its-initial-0-switches-nothing-on"),
        pytest.param(0, 1, {"entries": {OFF.settled_before}}, True, id="written-while-TagSight-was-stopped"),
        pytest.param(1, 0, {"entries": {f"scada: {OFF.address}@{5 * SECOND}=1", OFF.settled_before}}, False,
                     id="not-written-while-TagSight-was-stopped-so-it-was-switched-elsewhere"),
        pytest.param(1, 0, {"shown": {OFF.address: 0}}, True, id="written-since-the-last-look"),
        pytest.param(1, 0, {"shown": {OFF.address: 1}}, False, id="unchanged-so-it-was-switched-elsewhere"),
        pytest.param(1, 0, {"shown": {OFF.address: 0}, "answered": {f"scada: {OFF.address}@{5 * SECOND}=1"}}, False,
                     id="the-answer-is-still-on-its-way"),
    ],
)  # fmt: skip
def test_off_that_differs_is_an_act_where_the_tag_is_the_newer_and_is_corrected_where_not(
    value: int, holds: int, before: dict[str, Any], *, acts: bool
) -> None:
    verdict = judge(found(OFF, value), at(states={MODEL: OperatorState(off=bool(holds))}, **before))
    assert [act.off for act in verdict.acts] == ([bool(value)] if acts else [])
    assert wanted(verdict) == ([] if acts else [(OFF.address, holds)])


def test_the_ledger_is_only_asked_for_switches_that_do_not_show_what_holds() -> None:
    both = found(OFF, 1) + found(FEEDBACK, 1)
    assert entries_in_question(both, {}) == OFF.notes(both[0][1], 1)
    assert entries_in_question(both, SWITCHED_OFF) == ()
    assert entries_in_question(found(OFF, 1, status=BAD), {}) == ()


@dataclass
class Desk:
    """An operator, a historian's two tags, and a TagSight that may be started anew and whose writes may get lost."""

    second: int = 0
    tags: dict[OperatorTag, Sample] = field(default_factory=dict)
    state: OperatorState = field(default_factory=OperatorState)
    entries: set[str] = field(default_factory=set)
    shown: dict[str, int] = field(default_factory=dict)
    looked_ns: int = 0
    still: bool = False
    """The source times of this historian never move."""

    def write(self, tag: OperatorTag, value: int) -> None:
        self.second += 1
        self.tags[tag] = Sample(tag.address, self.time_ns(), value, GOOD)

    def time_ns(self) -> int:
        return SECOND if self.still else self.second * SECOND

    def switch_elsewhere(self, *, off: bool) -> None:
        self.state = replace(self.state, off=off)

    def restart(self) -> None:
        self.shown, self.looked_ns = {}, 0

    def look(self, *, lost: bool = False) -> None:
        self.second += 1
        seen = list(self.tags.items())
        asked = self.entries & set(entries_in_question(seen, {MODEL: self.state}))
        before = Before({MODEL: self.state}, asked, (), dict(self.shown), {}, self.looked_ns, self.second * SECOND)
        verdict = judge(seen, before)
        for act in verdict.acts:
            if act.entry not in self.entries:
                off = self.state.off if act.off is None else act.off
                self.state = OperatorState(off, None, self.state.feedback_count + bool(act.feedback))
            self.entries.add(act.entry)
        self.entries.update(verdict.notes)
        self.shown.update(verdict.settled)
        self.looked_ns = before.now_ns
        for wish in verdict.wishes:
            if not lost:
                written = self.tags[wish.tag] = replace(wish.sample(self.second * SECOND), time_ns=self.time_ns())
                self.entries.update(wish.notes(written))
                self.shown |= {OFF.address: wish.value} if wish.tag == OFF else {}

    def value(self, tag: OperatorTag) -> object:
        return self.tags[tag].value


STEPS = st.lists(
    st.tuples(st.sampled_from(["feedback", "off", "restart", "lost look", "look"]), st.integers(1, 3)), max_size=30
)


@given(STEPS)
def test_each_feedback_counts_once_and_the_switch_stands_as_it_was_written_last(steps: list[tuple[str, int]]) -> None:
    desk, count, off = Desk(), 0, False
    for tag in (FEEDBACK, OFF):
        desk.write(tag, 0)
    desk.look()
    for what, number in steps:
        if what == "feedback":
            desk.write(FEEDBACK, number)
            count += 1
            desk.look(lost=number == 2)
        elif what == "off":
            off = number == 1
            desk.write(OFF, int(off))
        elif what == "restart":
            desk.restart()
        else:
            desk.look(lost=what == "lost look")
    desk.look()
    assert (desk.state.feedback_count, desk.state.off) == (count, off)
    assert (desk.value(FEEDBACK), desk.value(OFF)) == (0, int(off))


@given(st.lists(st.tuples(st.sampled_from(["operator", "elsewhere"]), st.booleans(), st.booleans()), max_size=12))
def test_whoever_switched_last_holds_and_the_tag_shows_it(steps: list[tuple[str, bool, bool]]) -> None:
    desk, off = Desk(), False
    desk.write(OFF, 0)
    desk.look()
    for who, value, restarted in steps:
        off = value
        if who == "operator" and desk.value(OFF) != value:
            desk.write(OFF, int(value))
        elif who == "elsewhere":
            desk.switch_elsewhere(off=value)
        if restarted:
            desk.restart()
        desk.look()
        desk.look()
        assert (desk.state.off, desk.value(OFF)) == (off, int(off))


@given(st.lists(st.tuples(st.sampled_from(["operator", "elsewhere"]), st.booleans()), max_size=12))
def test_a_running_tagsight_needs_no_source_times_for_a_switch(steps: list[tuple[str, bool]]) -> None:
    desk, off = Desk(still=True), False
    desk.write(OFF, 0)
    desk.look()
    for who, value in steps:
        off = value
        if who == "operator":
            desk.write(OFF, int(value))
        else:
            desk.switch_elsewhere(off=value)
        desk.look()
        desk.look()
        assert (desk.state.off, desk.value(OFF)) == (off, int(off))
