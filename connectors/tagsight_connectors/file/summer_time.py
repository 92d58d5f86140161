"""Times without an offset: from the wall clock to UTC, also in the night when summer time ends.

In that night one hour is written twice. Where the rows are in order of time, the place at which the clock goes back
tells the two passes apart; where nothing tells, it is an error that says how to lay it down.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tagsight_connectors.errors import MalformedData
from tagsight_connectors.file.settings import Ambiguous
from tagsight_connectors.file.times import NO_TIME

_DAY_NS = 86_400 * 10**9


@dataclass
class _Passes:
    """Where one sequence of rows stands in a repeated hour."""

    last: int
    second: bool = False
    told_apart: bool = False


@dataclass
class WallClock:
    """Turns wall times into UTC, block after block in the order of the file.

    Attributes:
        where: the file, for messages.
        zone: time zone of the wall clock.
        rule: how the repeated hour is told apart.
        descending: the rows run from new to old.
    """

    where: str
    zone: ZoneInfo
    rule: Ambiguous = "order"
    descending: bool = False
    _passes: dict[tuple[object, int], _Passes] = field(default_factory=dict)

    def first_passes(
        self, wall: NDArray[np.int64], keys: Sequence[object] | NDArray[np.object_] | None = None
    ) -> NDArray[np.bool_]:
        """For each row in a repeated hour: is it the first pass (summer time)?

        `keys`: which sequence each row belongs to (the tag, in a long file); None: one sequence.
        """
        rows = np.flatnonzero(ambiguous_rows(wall, self.zone))
        if self.rule != "order":
            return np.full(len(rows), self.rule == "first")
        names = [None if keys is None else keys[int(row)] for row in rows]
        groups: dict[tuple[object, int], list[int]] = {}
        for position, (row, name) in enumerate(zip(rows, names, strict=True)):
            groups.setdefault((name, int(wall[row]) // _DAY_NS), []).append(position)
        out = np.zeros(len(rows), dtype=bool)
        for key, positions in groups.items():
            out[positions] = self._group(key, [int(wall[rows[position]]) for position in positions])
        return out

    def _group(self, key: tuple[object, int], walls: list[int]) -> list[bool]:
        state = self._passes.setdefault(key, _Passes(walls[0]))
        hourly = not state.told_apart and len(walls) == 2 and walls[0] == walls[1]  # one value an hour
        out = []
        for number, wall in enumerate(walls):
            back = wall > state.last if self.descending else wall < state.last
            if back or (hourly and number == 1):
                state.second = state.told_apart = True
            state.last = wall
            out.append(state.second if self.descending else not state.second)
        return out

    def ensure_told_apart(self) -> None:
        """Raise MalformedData if a repeated hour was met whose two passes nothing tells apart."""
        for (name, _), state in self._passes.items():
            if not state.told_apart:
                hour = pd.Timestamp(state.last).strftime("%Y-%m-%d %H:%M")
                raise MalformedData(
                    self.where + (f", tag {name}" if name is not None else ""),
                    f"{hour} exists twice in {self.zone.key} and nothing tells which one is meant",
                    mend="Add ?ambiguous=first or ?ambiguous=second to the URL, or ?timezone=UTC if the times are UTC.",
                )

    def to_utc(self, wall: NDArray[np.int64], first_passes: NDArray[np.bool_]) -> NDArray[np.int64]:
        """UTC of wall times; `first_passes` as returned for the same rows. NO_TIME stays."""
        flags = np.zeros(len(wall), dtype=bool)
        if len(first_passes):
            flags[ambiguous_rows(wall, self.zone)] = first_passes
        try:
            return _ns(_index(wall).tz_localize(self.zone, ambiguous=flags, nonexistent="raise"))
        except ValueError as error:
            raise MalformedData(
                self.where,
                f"a time that no clock in {self.zone.key} shows, when summer time begins: {error}",
                mend="Which time zone did the export use? Add ?timezone=UTC (or another name) to the URL.",
            ) from None


def ambiguous_rows(wall: NDArray[np.int64], zone: ZoneInfo) -> NDArray[np.bool_]:
    """Rows whose wall time exists twice."""
    if zone.key == "UTC" or not len(wall):
        return np.zeros(len(wall), dtype=bool)
    known = wall != NO_TIME
    localized = _index(wall).tz_localize(zone, ambiguous="NaT", nonexistent="shift_forward")
    return np.asarray(known & localized.isna(), dtype=bool)


def _index(wall: NDArray[np.int64]) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(wall.view("datetime64[ns]"))


def _ns(index: Any) -> NDArray[np.int64]:
    return np.asarray(index.tz_convert("UTC").tz_localize(None).to_numpy()).view(np.int64)
