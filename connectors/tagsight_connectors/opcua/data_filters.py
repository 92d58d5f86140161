"""Which changes of a value a subscriber is told of (OPC 10000-4, 7.22.2): its filter, checked when it is set.

asyncua compares with the last sample, not with the last one told, so that slow drifts below a deadband are never told;
it subtracts whatever a value is; and it takes a percentage for anything. Here a filter that does not fit is refused.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

from asyncua import ua

from tagsight_connectors.serving import ServedVariable
from tagsight_connectors.tag import DataType

Codes = ua.StatusCodes
OF_CHANGES: Final = ua.NodeId(ua.ObjectIds.DataChangeFilter)
"""By the id of its type: `ua.DataChangeFilter` is another class than the one that asyncua decodes."""

WITH_VALUE: Final = frozenset({ua.DataChangeTrigger.StatusValue, ua.DataChangeTrigger.StatusValueTimestamp})


@dataclass(frozen=True, slots=True)
class DataFilter:
    """A checked filter.

    Attributes:
        value: a new value is told, not only a new status.
        time: a new source time is told too.
        deadband: of numbers: so much must a value differ from the last one told; 0: any change.
    """

    value: bool = True
    time: bool = False
    deadband: float = 0.0

    def passes(self, old: Any, new: Any) -> bool:
        """Whether `new` is told after `old`, the last one told."""
        if old is None or old.StatusCode.value != new.StatusCode.value:
            return True
        if self.time and old.SourceTimestamp != new.SourceTimestamp:
            return True
        return self.value and _differs(_plain(old), _plain(new), self.deadband)


EVERY_CHANGE: Final = DataFilter()


def checked(wanted: Any, attribute: int, variable: ServedVariable | None) -> DataFilter | int:
    """The filter that a client asks for, or the StatusCode of its refusal.

    Args:
        wanted: of the request; None or empty: every change of status or value.
        attribute: that is watched.
        variable: of ours that is watched; None: another node.
    """
    if not wanted:
        return EVERY_CHANGE
    if getattr(wanted, "data_type", None) != OF_CHANGES:
        return int(Codes.BadMonitoredItemFilterUnsupported)
    value, time = wanted.Trigger in WITH_VALUE, wanted.Trigger == ua.DataChangeTrigger.StatusValueTimestamp
    if wanted.DeadbandType == ua.DeadbandType.None_:
        return DataFilter(value, time)
    number = variable is not None and variable.data_type is DataType.NUMBER and attribute == ua.AttributeIds.Value
    if not number:
        return int(Codes.BadFilterNotAllowed)
    width = _width(wanted, variable)
    if width is None:
        return int(Codes.BadDeadbandFilterInvalid)
    return DataFilter(value, time, width)


def _width(wanted: Any, variable: ServedVariable | None) -> float | None:
    asked = float(wanted.DeadbandValue)
    if not math.isfinite(asked) or asked < 0:
        return None
    if wanted.DeadbandType == ua.DeadbandType.Absolute:
        return asked
    known = variable.eu_range if variable is not None else None
    if wanted.DeadbandType != ua.DeadbandType.Percent or known is None or asked > 100:
        return None
    return asked / 100.0 * (known.high - known.low)


def _plain(value: Any) -> Any:
    return None if value.Value is None else value.Value.Value


def _differs(old: Any, new: Any, deadband: float) -> bool:
    if old is new or old == new:
        return False
    if isinstance(old, float) and isinstance(new, float) and math.isnan(old) and math.isnan(new):
        return False
    if not deadband or not isinstance(old, float | int) or not isinstance(new, float | int):
        return True
    return not abs(new - old) <= deadband  # a NaN on one side is a change
