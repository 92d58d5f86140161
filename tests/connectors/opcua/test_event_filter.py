"""Which events a client hears of, and what an event tells."""

from dataclasses import replace
from typing import Any

import pytest
from asyncua import ua
from asyncua.common.utils import ServiceError
from hypothesis import given
from hypothesis import strategies as st

from tagsight_connectors.opcua import limits
from tagsight_connectors.opcua.conditions import is_news
from tagsight_connectors.opcua.event_fields import REFRESH_START, condition_event, event_id, occurrence_of, server_event
from tagsight_connectors.opcua.event_filter import EventFilter, matches
from tests.connectors.opcua.alarmed_plant import ALARM, IDS, PUMP, clause
from tests.connectors.opcua.served_plant import START_NS

OP = ua.FilterOperator
Codes = ua.StatusCodes


def literal(value: Any) -> ua.LiteralOperand:
    return ua.LiteralOperand(Value=ua.Variant(value))


def element(operator: ua.FilterOperator, *operands: Any) -> ua.ContentFilterElement:
    return ua.ContentFilterElement(operator, list(operands))


def wanting(*elements: ua.ContentFilterElement) -> EventFilter:
    return EventFilter.checked(ua.EventFilter([clause("Message")], ua.ContentFilter(list(elements))))


def of_type(number: int) -> ua.ContentFilterElement:
    return element(OP.OfType, literal(ua.NodeId(number)))


AN_ALARM = condition_event(ALARM, 2, START_NS)
FIRST, SECOND_ELEMENT = ua.ElementOperand(1), ua.ElementOperand(2)


@pytest.mark.parametrize(
    "kind", ["ExclusiveLimitAlarmType", "AlarmConditionType", "ConditionType", "BaseEventType", "LimitAlarmType"]
)
def test_a_filter_on_a_type_lets_its_subtypes_through(kind: str) -> None:
    assert wanting(of_type(getattr(IDS, kind))).passes(AN_ALARM)


def test_a_filter_on_another_type_lets_refreshes_through_all_the_same() -> None:
    wanted = wanting(of_type(IDS.AuditEventType))
    assert not wanted.passes(AN_ALARM)
    assert wanted.passes(server_event(REFRESH_START, "", START_NS))


@pytest.mark.parametrize(
    ("elements", "passes"),
    [
        pytest.param([element(OP.Equals, clause("SourceName"), literal("P101/Health"))], True, id="equals"),
        pytest.param([element(OP.Like, clause("Message"), literal("%flow%"))], True, id="like"),
        pytest.param([element(OP.GreaterThanOrEqual, clause("Severity"), literal(301))], False, id="severity"),
        pytest.param([element(OP.Between, clause("Severity"), literal(1), literal(500))], True, id="between"),
        pytest.param([element(OP.InList, clause("Severity"), literal(1), literal(300))], True, id="in-list"),
        pytest.param([element(OP.IsNull, clause("NoSuchField"))], True, id="is-null"),
        pytest.param([element(OP.Equals, clause("NoSuchField"), literal(1))], False, id="a-missing-field-is-unknown"),
        pytest.param([element(OP.LessThan, clause("Severity"), literal("a"))], False, id="another-type-is-unknown"),
        pytest.param([element(OP.Not, FIRST), of_type(IDS.AuditEventType)], True, id="not"),
        pytest.param(
            [element(OP.And, FIRST, SECOND_ELEMENT), of_type(IDS.ConditionType), of_type(IDS.AuditEventType)],
            False,
            id="and",
        ),
        pytest.param(
            [element(OP.Or, FIRST, SECOND_ELEMENT), of_type(IDS.ConditionType), of_type(IDS.AuditEventType)],
            True,
            id="or",
        ),
    ],
)
def test_a_where_clause_is_evaluated(*, elements: list[Any], passes: bool) -> None:
    assert wanting(*elements).passes(AN_ALARM) is passes


@pytest.mark.parametrize(
    ("elements", "code"),
    [
        pytest.param([element(OP.Not, ua.ElementOperand(0))], Codes.BadFilterOperandInvalid, id="a-circle"),
        pytest.param([element(OP.Not, ua.ElementOperand(7))], Codes.BadFilterOperandInvalid, id="beyond-the-end"),
        pytest.param([element(OP.Not)], Codes.BadFilterOperandCountMismatch, id="no-operand"),
        pytest.param([element(OP.Cast, literal(1), literal(2))], Codes.BadFilterOperatorUnsupported, id="cast"),
        pytest.param([of_type(1)] * (limits.SERVER_FILTER_ELEMENTS + 1), Codes.BadEventFilterInvalid, id="a-long-one"),
    ],
)
def test_a_filter_that_cannot_be_evaluated_is_refused(elements: list[Any], code: int) -> None:
    with pytest.raises(ServiceError) as refusal:
        wanting(*elements)
    assert refusal.value.code == code


@pytest.mark.parametrize("found", [None, ua.DataChangeFilter(), ua.EventFilter()], ids=["none", "of-values", "empty"])
def test_an_event_item_needs_a_filter_for_events(found: Any) -> None:
    with pytest.raises(ServiceError):
        EventFilter.checked(found)


@pytest.mark.parametrize(
    ("text", "pattern", "fits"),
    [("flow low", "%low%", True), ("flow", "f_ow", True), ("flow", "f%x", False), ("", "%", True), ("a", "", False)],
)
def test_like_knows_its_two_wildcards(*, text: str, pattern: str, fits: bool) -> None:
    assert matches(text, pattern) is fits


@given(st.text(max_size=20), st.text(max_size=5), st.text(max_size=5))
def test_like_finds_any_part_of_a_text(before: str, part: str, after: str) -> None:
    assert matches(before + part + after, "%" + part.replace("%", "_") + "%")


def test_many_wildcards_take_no_time_to_speak_of() -> None:
    assert not matches("a" * 1_000, "%a" * 500 + "b")


@given(st.integers(0, 2**63 - 1))
def test_an_event_id_names_its_occurrence(occurrence: int) -> None:
    assert occurrence_of(event_id(replace(ALARM, occurrence=occurrence))) == occurrence


def test_the_same_state_has_the_same_event_id_and_another_state_another() -> None:
    assert event_id(ALARM) == event_id(replace(ALARM))
    assert event_id(ALARM) != event_id(replace(ALARM, acknowledged=True))
    assert event_id(ALARM) != event_id(replace(ALARM, identifier="P102/Health/Condition"))


def test_an_event_tells_each_mandatory_field_of_its_type() -> None:
    missing = {
        path
        for path in (
            "EventId", "EventType", "SourceNode", "SourceName", "Time", "ReceiveTime", "Message", "Severity",
            "ConditionClassId", "ConditionClassName", "ConditionName", "BranchId", "Retain", "EnabledState",
            "EnabledState/Id", "Quality", "Quality/SourceTimestamp", "LastSeverity", "LastSeverity/SourceTimestamp",
            "Comment", "ClientUserId", "AckedState", "AckedState/Id", "ActiveState", "ActiveState/Id", "InputNode",
            "SuppressedOrShelved", "HighLimit", "LimitState/CurrentState", "LimitState/CurrentState/Id",
        )
        if AN_ALARM.fields.get(path) is None
    }  # fmt: skip
    assert not missing


def test_a_new_wording_is_no_news_but_the_first_explanation_is() -> None:
    waiting = replace(ALARM, complete=False, message="P101: score above its limit")
    assert is_news(waiting, ALARM)
    assert not is_news(ALARM, replace(ALARM, message="P101: flow still too low"))


def test_quality_is_news_only_of_what_operators_need_to_see() -> None:
    assert is_news(ALARM, replace(ALARM, quality=0x80000000))
    assert not is_news(PUMP, replace(PUMP, quality=0x80000000))
    assert not is_news(ALARM, replace(ALARM, quality_ns=5))
    assert not is_news(None, PUMP)
