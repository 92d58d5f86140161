"""Times of the plant for a chart: a browser elsewhere shows them as clocks in the plant do. Pure."""

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from tagsight_models.frame import Floats, Times

HOUR_NS: Final = 3_600_000_000_000
MILLISECOND_NS: Final = 1_000_000


def wall_ms(times: Times, timezone: ZoneInfo) -> Floats:
    """UTC ns -> milliseconds that a chart with `useUTC` shows as the time of the time zone; shape (n,)."""
    hours, place = np.unique(times // HOUR_NS, return_inverse=True)
    offsets = np.array([_offset_ms(int(hour) * HOUR_NS, timezone) for hour in hours.tolist()])
    return np.asarray(times / MILLISECOND_NS + offsets[place] if len(times) else times.astype(np.float64))


def of_wall(milliseconds: float, timezone: ZoneInfo) -> int:
    """The inverse, UTC ns; of an hour that a clock shows twice, the first."""
    shown = datetime.fromtimestamp(milliseconds / 1e3, tz=UTC).replace(tzinfo=timezone)
    return round(shown.timestamp() * 1e3) * MILLISECOND_NS


def _offset_ms(time_ns: int, timezone: ZoneInfo) -> float:
    offset = datetime.fromtimestamp(time_ns / 1e9, tz=timezone).utcoffset()
    return offset.total_seconds() * 1e3 if offset is not None else 0.0
