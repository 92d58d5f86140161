"""The scores of a rehearsal with the alarms that a limit and delays would have made of them. Pure."""

from collections.abc import Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np

from tagsight.trends import thinned
from tagsight.web.wall_time import wall_ms
from tagsight.what_if import Event, WhatIf
from tagsight_models.frame import Floats, Times

BUCKETS: Final = 900
HEIGHT: Final = 320
TOP_OF_SCORE: Final = 3.0
"""Scores beyond are drawn at the edge: what matters lies round the limit."""

LINE: Final = "#37474f"
ALARM: Final = "rgba(176, 0, 32, 0.22)"
EVENT: Final = "rgba(120, 130, 140, 0.35)"


def chart(
    times: Times, scores: Floats, found: WhatIf, *, limit: float, events: Sequence[Event], timezone: ZoneInfo
) -> dict[str, Any]:
    """Options of a chart."""
    span = (int(times[0]), int(times[-1])) if len(times) else (0, 1)
    shown_times, shown = thinned(times, np.minimum(scores, TOP_OF_SCORE), span, BUCKETS)
    points = [
        [round(at), None if value != value else round(value, 4)]  # noqa: PLR0124 - NaN
        for at, value in zip(wall_ms(shown_times, timezone).tolist(), shown.tolist(), strict=True)
    ]
    areas = [_area(one.since_ns, one.cleared_ns or span[1], ALARM, timezone) for one in found.alarms]
    areas += [_area(one.start_ns, one.end_ns, EVENT, timezone) for one in events]
    return {
        "animation": False,
        "useUTC": True,
        "grid": {"left": 56, "right": 16, "top": 20, "bottom": 64},
        "xAxis": {"type": "time", "axisLabel": {"hideOverlap": True, "color": "#4a5055"}, "splitLine": {"show": False}},
        "yAxis": {
            "type": "value",
            "name": "score",
            "min": 0,
            "max": float(
                max(
                    1.2,
                    min(
                        TOP_OF_SCORE,
                        np.nanmax(scores, initial=0.0) * 1.05,
                    ),
                    limit * 1.1,
                )
            ),
            "axisLabel": {"color": "#4a5055"},
        },
        "tooltip": {"trigger": "axis", "confine": True},
        "dataZoom": [{"type": "slider", "bottom": 8, "height": 20, "showDataShadow": False}, {"type": "inside"}],
        "series": [
            {
                "type": "line",
                "name": "score",
                "data": points,
                "showSymbol": False,
                "lineStyle": {"width": 1, "color": LINE},
                "itemStyle": {"color": LINE},
                "emphasis": {"disabled": True},
                "markLine": {
                    "silent": True,
                    "symbol": "none",
                    "animation": False,
                    "lineStyle": {"type": "dashed", "color": "#202124", "width": 1},
                    "label": {"formatter": f"limit {limit:.2f}", "position": "insideEndTop", "color": "#202124"},
                    "data": [{"yAxis": limit}],
                },
                "markArea": {"silent": True, "animation": False, "data": areas},
            }
        ],
    }


def _area(start_ns: int, end_ns: int, colour: str, timezone: ZoneInfo) -> list[dict[str, Any]]:
    start, end = wall_ms(np.array([start_ns, end_ns], dtype=np.int64), timezone).tolist()
    return [{"xAxis": start, "itemStyle": {"color": colour}}, {"xAxis": end}]
