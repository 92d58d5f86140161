"""Times as exports write them: found from samples, then read column by column."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tagsight_connectors.errors import MalformedData
from tagsight_connectors.file.settings import FileSettings

NO_TIME: Final = np.iinfo(np.int64).min
"""Stands for a time that could not be read (pandas' NaT)."""

_CLOCKS: Final = (" %H:%M:%S", " %H:%M", " %H:%M:%S.%f", " %H:%M:%S,%f", " %I:%M:%S %p", " %I:%M %p", "T%H:%M:%S", "")
_YEAR_FIRST: Final = ("%Y/%m/%d", "%Y.%m.%d", "%Y%m%d")
_DAY_FIRST: Final = ("%d.%m.%Y", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%y", "%d/%m/%y")
_MONTH_FIRST: Final = ("%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y")
_MONTH_NAMED: Final = ("%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%d %B %Y", "%b %d %Y")
_EPOCHS: Final = ((1e8, 1e11, 1_000_000_000), (1e11, 1e14, 1_000_000), (1e14, 1e17, 1_000), (1e17, 9.2e18, 1))
_OFFSET: Final = re.compile(r"\d:\d\d.*(?:Z|UTC|[+-]\d\d(?::?\d\d)?)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TimeFormat:
    """How the times of one file are written.

    Attributes:
        form: `strptime` format, "ISO8601", or "" for numbers.
        tick_ns: for numbers: nanoseconds of one unit since 1970.
        aware: times carry their offset from UTC.
    """

    form: str
    tick_ns: int = 0
    aware: bool = False


def find_time_format(where: str, samples: Sequence[str], settings: FileSettings) -> TimeFormat:
    """The one way to read all samples. Raises MalformedData if there is none, or more than one."""
    aware = [bool(_OFFSET.search(text.strip())) for text in samples]
    if any(aware) and not all(aware):
        raise MalformedData(where, "some times have an offset from UTC and some have none", mend=_MEND)
    forms = [settings.time_format] if settings.time_format else _forms(samples, settings)
    if not forms:
        raise MalformedData(where, f"no way known to read {samples[0]!r} as a time", mend=_MEND)
    if len(forms) > 1:
        raise MalformedData(
            where,
            f"{samples[0]!r} may begin with the day or with the month",
            mend="Say which: add ?dayfirst=true or ?dayfirst=false to the URL.",
        )
    return TimeFormat(*_tick(forms[0]), aware=any(aware) or forms[0].startswith("epoch"))


_MEND: Final = (
    "Name the column of times (?time=NAME) and, if need be, how they are written (?time_format=%d.%m.%Y %H:%M)."
)


def read_times(column: "pd.Series[Any]", form: TimeFormat) -> NDArray[np.int64]:
    """Each time as ns since 1970: UTC if the format is aware, else as the wall clock showed it. `NO_TIME` if none."""
    if form.tick_ns:
        return _epoch(column, form.tick_ns)
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return _ns(column)
    kinds, different = pd.factorize(column)  # in a long file each time stands there once for each tag
    texts = pd.Series([str(text).strip() for text in different] + [None], dtype=object)
    if form.aware:  # an offset missing in one row must not be taken for UTC
        texts = texts.where(texts.map(lambda text: bool(text and _OFFSET.search(text))), None)
    return _ns(_parsed(texts, form.form, utc=form.aware))[kinds]  # the number of a missing one is -1: the last


def _parsed(texts: "pd.Series[Any]", form: str, *, utc: bool) -> "pd.Series[Any]":
    try:
        return pd.to_datetime(texts, format=form, errors="coerce", utc=utc)
    except ValueError:  # offsets in some rows, where none was expected: those rows are not readable
        naive = texts.where(~texts.map(lambda text: bool(text and _OFFSET.search(text))), None)
        return pd.to_datetime(naive, format=form, errors="coerce")


def _ns(times: "pd.Series[Any]") -> NDArray[np.int64]:
    plain = times.dt.tz_convert("UTC").dt.tz_localize(None) if times.dt.tz is not None else times
    low, high = pd.Timestamp.min, pd.Timestamp.max  # 1677 to 2262: what 64 bits of ns hold
    inside = plain.where((plain >= low) & (plain <= high))
    return np.asarray(inside.dt.as_unit("ns").to_numpy()).view(np.int64)


def _epoch(column: "pd.Series[Any]", tick_ns: int) -> NDArray[np.int64]:
    numbers = pd.to_numeric(column, errors="coerce")
    out = np.full(len(numbers), NO_TIME, dtype=np.int64)
    known = numbers.notna().to_numpy(copy=True)
    if pd.api.types.is_integer_dtype(numbers.dtype):
        limit = np.iinfo(np.int64).max // tick_ns
        known &= (numbers.abs() <= limit).to_numpy()
        out[known] = numbers.to_numpy()[known].astype(np.int64) * tick_ns
        return out
    numbers = numbers.astype(np.float64)
    known &= (numbers.abs() * tick_ns < 9.2e18).to_numpy()
    whole = np.floor(numbers.to_numpy()[known])
    part = np.rint((numbers.to_numpy()[known] - whole) * tick_ns)
    out[known] = whole.astype(np.int64) * tick_ns + part.astype(np.int64)
    return out


def _forms(samples: Sequence[str], settings: FileSettings) -> list[str]:
    epoch = _epoch_of(samples)
    if epoch:
        return [epoch]
    column = pd.Series([text.strip() for text in samples], dtype=object)
    orders: list[tuple[str, ...]] = [_YEAR_FIRST + _MONTH_NAMED]
    orders += [_DAY_FIRST] if settings.dayfirst is not False else []
    orders += [_MONTH_FIRST] if settings.dayfirst is not True else []
    zones = (" %z", "%z") if _OFFSET.search(column.iloc[0]) else ("",)
    found = [[day + clock + zone for day in days for clock in _CLOCKS for zone in zones] for days in orders]
    found[0].insert(0, "ISO8601")
    best = [max((_reads(column, form), -place, form) for place, form in enumerate(forms)) for forms in found]
    most = max(count for count, _, _ in best)
    return [form for count, _, form in best if count == most and count and 2 * count >= len(column)]


def _reads(column: "pd.Series[Any]", form: str) -> int:
    """How many of the samples a format reads; a footer or a damaged row among them is found when all are read."""
    try:
        return int(pd.to_datetime(column, format=form, errors="coerce", utc=True).notna().sum())
    except ValueError:
        return 0


def _epoch_of(samples: Sequence[str]) -> str:
    try:
        numbers = [abs(float(text)) for text in samples]
    except ValueError:
        return ""
    for low, high, tick in _EPOCHS:
        if all(low <= number < high for number in numbers):
            return f"epoch{tick}"
    return ""


def _tick(form: str) -> tuple[str, int]:
    return ("", int(form.removeprefix("epoch"))) if form.startswith("epoch") else (form, 0)
