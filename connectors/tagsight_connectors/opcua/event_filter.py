"""Which events a client wants: the where clause of an event filter (OPC 10000-4, 7.7).

asyncua's own evaluator knows no subtypes (a filter on ConditionType lets no alarm through), follows elements in
circles, and takes a fault for "no". Here a filter is checked when it comes, and each element is evaluated once.
"""

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from asyncua import ua
from asyncua.common.utils import ServiceError

from tagsight_connectors.opcua import limits
from tagsight_connectors.opcua.event_fields import REFRESH_END, REFRESH_START, Event

Codes = ua.StatusCodes
OP: Final = ua.FilterOperator

Operands = Sequence[Any]


@dataclass(frozen=True, slots=True)
class EventFilter:
    """A checked filter."""

    clauses: list[Any]
    elements: list[Any]

    @classmethod
    def checked(cls, found: Any) -> "EventFilter":
        """Raises ServiceError where it is no filter for events, or one that we do not evaluate."""
        if not isinstance(found, ua.EventFilter) or not found.SelectClauses:
            raise ServiceError(Codes.BadEventFilterInvalid)
        elements = list(found.WhereClause.Elements or []) if found.WhereClause is not None else []
        if len(found.SelectClauses) > limits.SERVER_EVENT_FIELDS or len(elements) > limits.SERVER_FILTER_ELEMENTS:
            raise ServiceError(Codes.BadEventFilterInvalid)
        for index, element in enumerate(elements):
            _check(index, element, len(elements))
        return cls(list(found.SelectClauses), elements)

    def passes(self, event: Event) -> bool:
        """Whether the client wants it; refreshes begin and end whatever the filter (OPC 10000-9, 5.5.7)."""
        if not self.elements or event.types[0] in (REFRESH_START, REFRESH_END):
            return True
        values: dict[int, Any] = {}
        for index in range(len(self.elements) - 1, -1, -1):
            values[index] = _evaluated(self.elements[index], event, values)
        return values[0] is True


def _check(index: int, element: Any, count: int) -> None:
    operands = element.FilterOperands or []
    least = LEAST_OPERANDS.get(element.FilterOperator)
    if least is None:
        raise ServiceError(Codes.BadFilterOperatorUnsupported)
    if len(operands) < least:
        raise ServiceError(Codes.BadFilterOperandCountMismatch)
    for operand in operands:
        if isinstance(operand, ua.ElementOperand):
            if not index < operand.Index < count:
                raise ServiceError(Codes.BadFilterOperandInvalid)
        elif not isinstance(operand, ua.LiteralOperand | ua.SimpleAttributeOperand):
            raise ServiceError(Codes.BadFilterOperandInvalid)


def _evaluated(element: Any, event: Event, values: dict[int, Any]) -> Any:
    """None: unknown, because a field is missing or of another type."""
    operands = [_operand(operand, event, values) for operand in element.FilterOperands]
    if element.FilterOperator == OP.OfType:
        return operands[0] in event.types
    try:
        return EVALUATED[element.FilterOperator](operands)
    except TypeError:
        return None


def _operand(operand: Any, event: Event, values: dict[int, Any]) -> Any:
    if isinstance(operand, ua.ElementOperand):
        return values[operand.Index]
    if isinstance(operand, ua.LiteralOperand):
        return _plain(operand.Value)
    return _plain(event.pick(operand.BrowsePath or [], operand.AttributeId))


def _plain(variant: Any) -> Any:
    content = variant.Value if variant is not None else None
    if isinstance(content, ua.LocalizedText):
        return content.Text
    return int(content.value) if isinstance(content, ua.StatusCode) else content


def _compared(compare: Callable[[Any, Any], bool]) -> Callable[[Operands], bool | None]:
    def compared(operands: Operands) -> bool | None:
        left, right = operands[:2]
        return None if left is None or right is None else compare(left, right)

    return compared


def _and(operands: Operands) -> bool | None:
    if operands[0] is False or operands[1] is False:
        return False
    return True if operands[0] is True and operands[1] is True else None


def _or(operands: Operands) -> bool | None:
    if operands[0] is True or operands[1] is True:
        return True
    return False if operands[0] is False and operands[1] is False else None


def _not(operands: Operands) -> bool | None:
    return not operands[0] if isinstance(operands[0], bool) else None


def _like(operands: Operands) -> bool | None:
    text, pattern = operands[:2]
    if not isinstance(text, str) or not isinstance(pattern, str):
        return None
    return matches(text, pattern)


def matches(text: str, pattern: str) -> bool:
    """`%` any text, `_` one character, as OPC 10000-4 Table 120 has them; sets of characters are taken literally.

    Linear in pattern times text: a pattern of many `%` cannot hold the event loop.
    """
    reached = {0}
    for one in re.split("(%)", pattern):
        if one == "%":
            reached = set(range(min(reached, default=len(text) + 1), len(text) + 1))
        else:
            reached = {at + len(one) for at in reached if _fits(text[at : at + len(one)], one)}
    return len(text) in reached


def _fits(part: str, pattern: str) -> bool:
    return len(part) == len(pattern) and all(
        wanted in ("_", found) for found, wanted in zip(part, pattern, strict=True)
    )


def _between(operands: Operands) -> bool | None:
    value, low, high = operands[:3]
    return None if None in (value, low, high) else bool(low <= value <= high)


EVALUATED: Final[dict[Any, Callable[[Operands], bool | None]]] = {
    OP.Equals: _compared(operator.eq),
    OP.GreaterThan: _compared(operator.gt),
    OP.LessThan: _compared(operator.lt),
    OP.GreaterThanOrEqual: _compared(operator.ge),
    OP.LessThanOrEqual: _compared(operator.le),
    OP.IsNull: lambda operands: operands[0] is None,
    OP.Like: _like,
    OP.Not: _not,
    OP.Between: _between,
    OP.InList: lambda operands: operands[0] in operands[1:],
    OP.And: _and,
    OP.Or: _or,
}

LEAST_OPERANDS: Final[dict[Any, int]] = {
    **dict.fromkeys(EVALUATED, 2),
    OP.IsNull: 1,
    OP.Not: 1,
    OP.OfType: 1,
    OP.Between: 3,
}
