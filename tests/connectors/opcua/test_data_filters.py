"""Which changes a subscriber is told of."""

import math
from typing import Any

import pytest
from asyncua import ua

from tagsight_connectors.opcua.data_filters import EVERY_CHANGE, DataFilter, checked
from tests.connectors.opcua.served_plant import MESSAGE, RUNNING, SPEED, STATE

Codes = ua.StatusCodes
VALUE = int(ua.AttributeIds.Value)
ABSOLUTE, PERCENT = int(ua.DeadbandType.Absolute), int(ua.DeadbandType.Percent)
STATUS_VALUE = ua.DataChangeTrigger.StatusValue


def sample(value: Any, status: int = 0) -> Any:
    return ua.DataValue(ua.Variant(value), ua.StatusCode(ua.UInt32(status)))


def wanted(kind: int, value: float, trigger: Any = STATUS_VALUE) -> Any:
    return ua.DataChangeFilter(Trigger=trigger, DeadbandType=kind, DeadbandValue=value)


def test_the_first_value_every_new_value_and_every_new_status_are_told() -> None:
    assert EVERY_CHANGE.passes(None, sample(1.0))
    assert EVERY_CHANGE.passes(sample(1.0), sample(2.0))
    assert EVERY_CHANGE.passes(sample(1.0), sample(1.0, 0x40000000))
    assert EVERY_CHANGE.passes(sample(1.0), sample(None, 0x80000000))
    assert not EVERY_CHANGE.passes(sample(1.0), sample(1.0))
    assert not EVERY_CHANGE.passes(sample(math.nan), sample(float("nan")))


def test_a_filter_for_the_status_alone_tells_no_values() -> None:
    status = checked(wanted(0, 0.0, ua.DataChangeTrigger.Status), VALUE, SPEED)
    assert isinstance(status, DataFilter)
    assert not status.passes(sample(1.0), sample(2.0))
    assert status.passes(sample(1.0), sample(2.0, 0x80000000))


@pytest.mark.parametrize(("kind", "size"), [(ABSOLUTE, 30.0), (PERCENT, 1.0)], ids=["absolute", "percent"])
def test_within_a_deadband_nothing_is_told_but_a_status(kind: int, size: float) -> None:
    band = checked(wanted(kind, size), VALUE, SPEED)  # its range is 0 to 3,000
    assert isinstance(band, DataFilter)
    assert not band.passes(sample(100.0), sample(130.0))
    assert band.passes(sample(100.0), sample(130.5))
    assert band.passes(sample(100.0), sample(101.0, 0x40000000))
    assert band.passes(sample(100.0), sample(math.nan))
    assert band.passes(sample(100.0), sample(None))
    assert band.passes(sample(None), sample(100.0))


@pytest.mark.parametrize(
    ("asked", "variable", "refusal"),
    [
        pytest.param(wanted(ABSOLUTE, 1.0), MESSAGE, Codes.BadFilterNotAllowed, id="deadband of a text"),
        pytest.param(wanted(ABSOLUTE, 1.0), RUNNING, Codes.BadFilterNotAllowed, id="deadband of a Boolean"),
        pytest.param(wanted(ABSOLUTE, 1.0), None, Codes.BadFilterNotAllowed, id="deadband of another node"),
        pytest.param(wanted(PERCENT, 1.0), STATE, Codes.BadDeadbandFilterInvalid, id="percent without a range"),
        pytest.param(wanted(PERCENT, 101.0), SPEED, Codes.BadDeadbandFilterInvalid, id="over 100 percent"),
        pytest.param(wanted(ABSOLUTE, -1.0), SPEED, Codes.BadDeadbandFilterInvalid, id="negative"),
        pytest.param(wanted(ABSOLUTE, math.nan), SPEED, Codes.BadDeadbandFilterInvalid, id="not a number"),
        pytest.param(wanted(7, 1.0), SPEED, Codes.BadDeadbandFilterInvalid, id="unknown kind"),
        pytest.param(ua.AggregateFilter(), SPEED, Codes.BadMonitoredItemFilterUnsupported, id="aggregates"),
    ],
)
def test_a_filter_that_does_not_fit_is_refused(asked: Any, variable: Any, refusal: int) -> None:
    assert checked(asked, VALUE, variable) == refusal
