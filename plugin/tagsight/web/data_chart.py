"""Trends of a model's inputs with a strip for each that shows what counts: options of a chart. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np

from tagsight.data_health import Stretch, TagHealth
from tagsight.data_look import DataLook
from tagsight.framing import series_of
from tagsight.trends import thinned
from tagsight.web.wall_time import wall_ms
from tagsight_models.reasons import Reason

BUCKETS: Final = 500
TREND_HEIGHT: Final = 64
STRIP_HEIGHT: Final = 9
ROW_HEIGHT: Final = TREND_HEIGHT + STRIP_HEIGHT + 17
TOP: Final = 26
BOTTOM: Final = 62
LEFT: Final = 150
BAD: Final = 2

COLOURS: Final[dict[Reason, str]] = {
    Reason.SPIKE: "#8c564b",
    Reason.FLAT_LINE: "#c49c94",
    Reason.GAP: "#ffffff",
    Reason.STALE: "#ffffff",
    Reason.BAD_QUALITY: "#b5651d",
    Reason.NOT_A_NUMBER: "#e0a96d",
    Reason.CONDITION_UNKNOWN: "#9aa7b5",
    Reason.NOT_RUNNING: "#7a8894",
    Reason.STARTING: "#b7c2cc",
    Reason.EXCLUDED: "#2f6fd0",
    Reason.UNLIKE: "#6a51a3",
}
"""Of the strips; the legend has the words."""

USED: Final = "#c9ced3"
LINE: Final = "#37474f"


def height(tags: int) -> int:
    """Of the chart, in pixels."""
    return TOP + tags * ROW_HEIGHT + BOTTOM


def chart(look: DataLook, tags: Sequence[TagHealth], timezone: ZoneInfo) -> dict[str, Any]:
    """Options: for each input its trend, and below it the strip; dragging over any of them chooses a period."""
    grids, x_axes, y_axes, series = [], [], [], []
    start, end = (float(one) for one in wall_ms(np.array([look.health.start_ns, look.health.end_ns]), timezone))
    for number, one in enumerate(tags):
        top = TOP + number * ROW_HEIGHT
        for kind, offset, tall in ((0, 0, TREND_HEIGHT), (1, TREND_HEIGHT + 3, STRIP_HEIGHT)):
            grids.append({"left": LEFT, "right": 16, "top": top + offset, "height": tall, "containLabel": False})
            x_axes.append(_x_axis(len(grids) - 1, start, end, labels=kind == 1 and number == len(tags) - 1))
        y_axes += [_y_axis(2 * number, one), _no_axis(2 * number + 1)]
        series += [_trend(2 * number, look, one, timezone), _strip(2 * number + 1, one.strip, timezone)]
    every = list(range(len(grids)))
    return {
        "animation": False,
        "useUTC": True,
        "grid": grids,
        "xAxis": x_axes,
        "yAxis": y_axes,
        "series": series,
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "line"}, "confine": True},
        "axisPointer": {"link": [{"xAxisIndex": "all"}]},
        "dataZoom": [
            {"type": "slider", "xAxisIndex": every, "bottom": 8, "height": 20, "showDataShadow": False},
            {"type": "inside", "xAxisIndex": every, "zoomOnMouseWheel": "ctrl", "moveOnMouseMove": False},
        ],
        "toolbox": {"show": False},
        "brush": {
            "toolbox": ["lineX", "clear"],
            "xAxisIndex": every,
            "brushLink": "none",
            "throttleType": "debounce",
            "brushStyle": {"borderWidth": 1, "color": "rgba(47,111,208,0.15)", "borderColor": "#2f6fd0"},
        },
    }


def reasons_shown(tags: Sequence[TagHealth]) -> list[Reason]:
    """For the legend: those that occur, in their order."""
    return sorted({one.reason for tag in tags for one in tag.strip if one.reason is not Reason.USED})


def _x_axis(grid: int, start: float, end: float, *, labels: bool) -> dict[str, Any]:
    return {
        "type": "time",
        "gridIndex": grid,
        "min": start,
        "max": end,
        "axisLabel": {"show": labels, "color": "#4a5055", "hideOverlap": True},
        "axisTick": {"show": labels},
        "axisLine": {"show": labels, "lineStyle": {"color": "#8b9096"}},
        "splitLine": {"show": False},
        "axisPointer": {"label": {"show": False}},
    }


def _y_axis(grid: int, one: TagHealth) -> dict[str, Any]:
    unit = f" [{one.role.unit}]" if one.role.unit else ""
    return {
        "type": "value",
        "gridIndex": grid,
        "scale": True,
        "splitNumber": 2,
        "name": f"{one.role.name}{unit}",
        "nameLocation": "middle",
        "nameRotate": 0,
        "nameGap": 60,
        "nameTextStyle": {"width": 86, "overflow": "truncate", "align": "center", "color": "#202124", "fontSize": 11},
        "axisLabel": {"fontSize": 10, "color": "#4a5055", "showMinLabel": False},
        "splitLine": {"lineStyle": {"color": "#d9dcdf"}},
    }


def _no_axis(grid: int) -> dict[str, Any]:
    return {"type": "value", "gridIndex": grid, "min": 0, "max": 1, "show": False}


def _trend(grid: int, look: DataLook, one: TagHealth, timezone: ZoneInfo) -> dict[str, Any]:
    data: list[list[float | None]] = []
    if one.role.name in look.history:
        series = series_of(look.history[one.role.name])
        numbers = np.where(series.quality == BAD, np.nan, series.values)
        order = np.argsort(series.times, kind="stable")
        span = look.health.start_ns, look.health.end_ns
        times, values = thinned(series.times[order], numbers[order], span, BUCKETS)
        shown = [None if value != value else float(f"{value:.6g}") for value in values.tolist()]  # noqa: PLR0124 - NaN
        data = [list(pair) for pair in zip(np.round(wall_ms(times, timezone)).tolist(), shown, strict=True)]
    return {
        "type": "line",
        "name": one.role.name,
        "xAxisIndex": grid,
        "yAxisIndex": grid,
        "data": data,
        "showSymbol": False,
        "step": "end" if one.role.step else False,
        "lineStyle": {"width": 1, "color": LINE},
        "itemStyle": {"color": LINE},
        "emphasis": {"disabled": True},
    }


def _strip(grid: int, strip: Sequence[Stretch], timezone: ZoneInfo) -> dict[str, Any]:
    return {
        "type": "line",
        "xAxisIndex": grid,
        "yAxisIndex": grid,
        "data": [],
        "silent": True,
        "tooltip": {"show": False},
        "markArea": {"silent": True, "animation": False, "data": list(_areas(strip, timezone))},
    }


def _areas(strip: Sequence[Stretch], timezone: ZoneInfo) -> Iterator[list[dict[str, Any]]]:
    edges = wall_ms(np.array([(one.start_ns, one.end_ns) for one in strip], dtype=np.int64).reshape(-1), timezone)
    for one, (start, end) in zip(strip, edges.reshape(-1, 2).tolist(), strict=True):
        colour = COLOURS.get(one.reason, USED)
        yield [{"xAxis": start, "itemStyle": {"color": colour}}, {"xAxis": end}]
