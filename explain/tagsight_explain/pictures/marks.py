"""What several pictures have: axes of time, and cells of contributions."""

from datetime import UTC, datetime
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from numpy.typing import NDArray

from tagsight_explain.pictures.canvas import ABNORMAL, DARK, PANEL, Look
from tagsight_models.frame import Floats, Times

TOWARDS_ABNORMAL: Final = LinearSegmentedColormap.from_list("towards", [PANEL, "#e8a878", ABNORMAL])
AWAY: Final = LinearSegmentedColormap.from_list("away", [PANEL, DARK])
HATCH: Final = "/////"
LEAST: Final = 0.02  # of the largest: what is smaller is not drawn


def moments(times: Times) -> NDArray[np.object_]:
    """UTC ns as matplotlib takes times."""
    return np.array([datetime.fromtimestamp(one / 1e9, tz=UTC) for one in times.tolist()], dtype=object)


def time_axis(axes: Axes, look: Look) -> None:
    """Ticks in the time zone; digits only, the same in every language."""
    locator = AutoDateLocator(tz=look.timezone, minticks=3, maxticks=8)  # type: ignore[no-untyped-call]
    formats = ["%Y", "%Y-%m", "%m-%d", "%H:%M", "%H:%M", "%H:%M:%S"]
    formatter = ConciseDateFormatter(  # type: ignore[no-untyped-call]
        locator,
        tz=look.timezone,
        formats=formats,
        zero_formats=["", "%Y", "%Y-%m", "%m-%d", "%H:%M", "%H:%M"],
        offset_formats=["", "%Y", "%Y-%m", "%Y-%m-%d", "%Y-%m-%d", "%Y-%m-%d %H:%M"],
    )
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(formatter)


def cells(axes: Axes, edges: NDArray[np.object_], values: Floats, largest: float) -> None:
    """Rows of cells, (rows, columns), the first row on top: towards abnormal in the colour, away hatched grey.

    Cells that are next to nothing are not drawn.
    """
    rows = np.arange(len(values) + 1)
    sizes = np.ma.masked_less(np.nan_to_num(np.abs(values), nan=0.0), LEAST * largest)
    for sign, colours, hatch in ((1.0, TOWARDS_ABNORMAL, None), (-1.0, AWAY, HATCH)):
        one = np.ma.masked_where(np.nan_to_num(sign * values, nan=-1.0) <= 0.0, sizes)
        if one.count():
            axes.pcolor(edges, rows, one, cmap=colours, vmin=0.0, vmax=largest, shading="flat", hatch=hatch,
                        linewidth=0.0, edgecolor="none" if hatch is None else DARK)  # fmt: skip
    axes.set_ylim(len(values), 0)


def edges_of(times: Times) -> NDArray[np.object_]:
    """One more than times: each time is the end of its cell."""
    step = int(np.median(np.diff(times))) if len(times) > 1 else 1_000_000_000
    return moments(np.concatenate([times[:1] - step, times]))


def with_holes(times: Times, values: Floats) -> tuple[Times, Floats]:
    """Times and rows of values, with a row of NaN wherever a time is missing: a cell never covers more than its own."""
    gaps = np.diff(times)
    usual = int(np.median(gaps)) if len(gaps) else 0
    late = np.flatnonzero(gaps > 1.5 * usual)
    return np.insert(times, late + 1, times[late + 1] - usual), np.insert(values, late + 1, np.nan, axis=0)
