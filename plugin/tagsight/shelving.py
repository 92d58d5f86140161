"""Shelving: an operator keeps an alarm from announcing for some time. Pure. Why so: docs/decisions/0005."""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from tagsight.clocks import SECOND
from tagsight.ledger.records import OperatorAct, OperatorState

LONGEST_SHELVING_NS: Final = 7 * 86_400 * SECOND
"""A week: time for a repair. Who needs longer shelves again, or switches the model off."""


def is_shelved(state: OperatorState, time_ns: int) -> bool:
    """At this time, as far as it is known now."""
    return state.shelved_until_ns is not None and time_ns < state.shelved_until_ns


def shelved_words(state: OperatorState, time_ns: int, timezone: ZoneInfo) -> str:
    """Why nothing is announced; "" when not shelved."""
    if not is_shelved(state, time_ns) or state.shelved_until_ns is None:
        return ""
    until = datetime.fromtimestamp(state.shelved_until_ns / SECOND, tz=timezone)
    words = f"shelved until {until:%Y-%m-%d %H:%M}"
    return f"{words} or the end of the alarm" if state.shelved_once else words


def ended(model: str, state: OperatorState, now_ns: int, who: str) -> OperatorAct | None:
    """The act that ends a shelving whose time is over: the same however often it is asked for."""
    until_ns = state.shelved_until_ns
    if until_ns is None or now_ns < until_ns:
        return None
    return OperatorAct(f"end of shelving {model} {until_ns}", model, who, until_ns, shelved_until_ns=0)
