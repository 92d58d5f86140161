"""Durations, budgets and sizes as people write them: "90d", "1h30m", "2 per month", "5 GB"."""

import re
from typing import Final

UNITS_NS: Final = {
    "w": 604_800_000_000_000,
    "d": 86_400_000_000_000,
    "h": 3_600_000_000_000,
    "m": 60_000_000_000,
    "s": 1_000_000_000,
    "ms": 1_000_000,
}
"""Units of a duration, longest first; a month is no duration (it has 28 to 31 days)."""

LONGEST_NS: Final = 36_525 * UNITS_NS["d"]
"""A hundred years."""

PERIODS_NS: Final = {
    "hour": UNITS_NS["h"],
    "day": UNITS_NS["d"],
    "week": UNITS_NS["w"],
    "month": 30 * UNITS_NS["d"],
    "year": 365 * UNITS_NS["d"],
}
"""Periods of a budget; a month counts 30 days, a year 365."""

_BYTES: Final = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_PART: Final = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(ms|[wdhms])", re.ASCII)
_BUDGET: Final = re.compile(r"(\d{1,6}(?:\.\d{1,3})?) per (hour|day|week|month|year)", re.ASCII)
_TRIALS: Final = re.compile(r"(\d{1,3}) trials?", re.ASCII)
_SIZE: Final = re.compile(r"(\d{1,9}(?:\.\d{1,3})?) ?(KB|MB|GB|TB)", re.ASCII)


def parse_duration(text: str) -> int:
    """Nanoseconds of "90d", "5s", "1h30m", "1.5h"; units w d h m s ms, longest first, each once.

    Raises:
        ValueError: not a duration, or longer than a hundred years.
    """
    parts = _PART.findall(text)
    units = [unit for _, unit in parts]
    in_order = [unit for unit in UNITS_NS if unit in units]
    if not parts or "".join(number + unit for number, unit in parts) != text or units != in_order:
        raise ValueError("not a duration")
    total = sum(_times(number, UNITS_NS[unit]) for number, unit in parts)
    if total > LONGEST_NS:
        raise ValueError("longer than a hundred years")
    return total


def format_duration(ns: int) -> str:
    """The shortest text that `parse_duration` reads as `ns` (whole milliseconds): 90 s is "1m30s"."""
    text, rest = "", ns
    for unit, size in UNITS_NS.items():
        if unit == "w" and rest % size:  # nobody says 12w6d
            continue
        count, rest = divmod(rest, size)
        text += f"{count}{unit}" if count else ""
    return text or "0s"


def parse_budget(text: str) -> tuple[float, int]:
    """("2 per month") -> (2.0, 30 days in ns).

    Raises:
        ValueError: not a budget, or a budget of none.
    """
    match = _BUDGET.fullmatch(text)
    if match is None:
        raise ValueError("not a budget")
    if float(match[1]) <= 0.0:
        raise ValueError("a budget of none cannot be met: every limit lets something through")
    return float(match[1]), PERIODS_NS[match[2]]


def parse_trials(text: str) -> int:
    """("20 trials") -> 20.

    Raises:
        ValueError: not a number of trials, or not from 2 to 500.
    """
    match = _TRIALS.fullmatch(text)
    if match is None:
        raise ValueError("not a number of trials")
    if not 2 <= int(match[1]) <= 500:
        raise ValueError("from 2 to 500 trials can be made")
    return int(match[1])


def format_budget(at_most: float, per_ns: int) -> str:
    """The text of a budget, as `parse_budget` reads it; periods that have no name are given as a duration."""
    period = next((name for name, ns in PERIODS_NS.items() if ns == per_ns), format_duration(per_ns))
    return f"{at_most:g} per {period}"


def parse_size(text: str) -> int:
    """Bytes of "5 GB", "500MB" (powers of ten).

    Raises:
        ValueError: not a size.
    """
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError("not a size")
    return _times(match[1], _BYTES[match[2]])


def format_size(size: int) -> str:
    """Bytes as people write them: "5 GB"."""
    unit, factor = next(
        (
            (unit, factor)
            for unit, factor in reversed(_BYTES.items())
            if size >= factor and size % (factor // 1000) == 0
        ),
        ("KB", 1000),
    )
    return f"{size / factor:g} {unit}"


def _times(number: str, factor: int) -> int:
    """Exact where a float is not: 0.1 s is 100,000,000 ns."""
    whole, _, fraction = number.partition(".")
    return (int(whole + fraction) * factor) // int(10 ** len(fraction))
