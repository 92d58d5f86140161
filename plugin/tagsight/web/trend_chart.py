"""Trends one below the other on one axis of time: options of a chart. Pure."""

from collections.abc import Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np

from tagsight.web.picking import Trend
from tagsight.web.wall_time import wall_ms
from tagsight_connectors.tag import DataType

ROW: Final = 78
TOP: Final = 10
BOTTOM: Final = 62
LEFT: Final = 210
LINE: Final = "#37474f"
NAME: Final = 22
"""Letters of a name that fit."""


def height(trends: int) -> int:
    """Of the chart, in pixels."""
    return TOP + trends * ROW + BOTTOM


def chart(trends: Sequence[Trend], span: tuple[int, int], timezone: ZoneInfo) -> dict[str, Any]:
    """Options."""
    start, end = (float(one) for one in wall_ms(np.array(span), timezone))
    every = list(range(len(trends)))
    return {
        "animation": False,
        "useUTC": True,
        "grid": [{"left": LEFT, "right": 16, "top": TOP + at * ROW, "height": ROW - 18} for at in every],
        "xAxis": [_x_axis(at, start, end, last=at == len(trends) - 1) for at in every],
        "yAxis": [_y_axis(at, one) for at, one in enumerate(trends)],
        "series": [_line(at, one, timezone) for at, one in enumerate(trends)],
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "line"}, "confine": True, "renderMode": "richText"},
        "axisPointer": {"link": [{"xAxisIndex": "all"}]},
        "dataZoom": [
            {"type": "slider", "xAxisIndex": every, "bottom": 8, "height": 20, "showDataShadow": False},
            {"type": "inside", "xAxisIndex": every, "zoomOnMouseWheel": "ctrl", "moveOnMouseMove": False},
        ],
    }


def _x_axis(grid: int, start: float, end: float, *, last: bool) -> dict[str, Any]:
    return {
        "type": "time",
        "gridIndex": grid,
        "min": start,
        "max": end,
        "axisLabel": {"show": last, "color": "#4a5055", "hideOverlap": True},
        "axisTick": {"show": last},
        "axisLine": {"lineStyle": {"color": "#8b9096"}},
        "axisPointer": {"label": {"show": False}},
    }


def _y_axis(grid: int, one: Trend) -> dict[str, Any]:
    unit = f"\n[{one.tag.unit}]" if one.tag.unit else ""
    name = one.tag.name if len(one.tag.name) <= NAME else f"{one.tag.name[: NAME - 1]}\N{HORIZONTAL ELLIPSIS}"
    return {
        "type": "value",
        "gridIndex": grid,
        "scale": True,
        "splitNumber": 2,
        "name": name + unit,
        "nameLocation": "middle",
        "nameRotate": 0,
        "nameGap": 125,
        "nameTextStyle": {"align": "center", "color": "#202124", "fontSize": 11},
        "axisLabel": {"fontSize": 10, "color": "#4a5055"},
        "splitLine": {"lineStyle": {"color": "#d9dcdf"}},
    }


def _line(grid: int, one: Trend, timezone: ZoneInfo) -> dict[str, Any]:
    shown = [float(f"{value:.6g}") if np.isfinite(value) else None for value in one.values.tolist()]
    times = np.round(wall_ms(one.times, timezone)).tolist()
    return {
        "type": "line",
        "name": one.tag.name,
        "xAxisIndex": grid,
        "yAxisIndex": grid,
        "data": [list(pair) for pair in zip(times, shown, strict=True)],
        "showSymbol": False,
        "step": "end" if one.tag.data_type is DataType.BOOLEAN else False,
        "lineStyle": {"width": 1, "color": LINE},
        "itemStyle": {"color": LINE},
        "emphasis": {"disabled": True},
    }
