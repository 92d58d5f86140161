"""Role x time: for each leading role its trend, actual and expected, and below it when in the window it counted."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tagsight_explain.pictures.canvas import DARK, INK, LIGHT, Look, Words, picture
from tagsight_explain.pictures.marks import cells, edges_of, moments, time_axis
from tagsight_explain.role_time import RoleTime
from tagsight_models.frame import Floats, Times

MOST: Final = 5


@dataclass(frozen=True, slots=True, eq=False)
class Trends:
    """What roles did over the window, and what was expected; engineering units, NaN where nothing is known.

    Attributes:
        times: shape (window_steps,), UTC ns.
        actual: shape (window_steps, roles).
        expected: likewise.
        lower: lower end of the normal band.
        upper: upper end of it.
        units: of each role.
    """

    times: Times
    actual: Floats
    expected: Floats
    lower: Floats
    upper: Floats
    units: tuple[str, ...]


def heat_map(found: RoleTime, trends: Trends, look: Look, *, title: str = "", most: int = MOST) -> bytes:
    """Of a window: the roles with the largest contributions, the largest on top."""
    sums = found.values.sum(axis=0)
    chosen = np.argsort(-np.abs(sums), kind="stable")[:most].tolist()
    largest = float(np.abs(found.values[:, chosen]).max(initial=0.0)) or 1.0

    def draw(figure: Figure, words: Words) -> None:
        grid = figure.add_gridspec(2 * len(chosen), 1, height_ratios=[4, 1] * len(chosen), hspace=0.0)
        first: Axes | None = None
        for number, role in enumerate(chosen):
            trend = figure.add_subplot(grid[2 * number], sharex=first)
            first = trend if first is None else first
            strip = figure.add_subplot(grid[2 * number + 1], sharex=first)
            _trend(trend, trends, role, words)
            name = words.name(found.roles[role])
            trend.set_title(f"{name}: {words.signed(float(sums[role]))}", pad=3)
            _strip(strip, found.values[:, role], trends.times, largest, words)
            if number == 0:
                trend.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3, borderpad=0, fontsize=8)
            for axes in (trend, strip):
                axes.tick_params(axis="x", labelbottom=axes is strip and number == len(chosen) - 1)
        time_axis(strip, look)
        strip.set_xlabel(words("scale", largest=words.number(largest, 2)), fontsize=8)
        figure.suptitle(words.name(title, 100) or words("heat_map"), fontsize=10, x=0.01, ha="left")

    return picture(draw, look, 7.6, 0.9 + 1.35 * len(chosen))


def _trend(axes: Axes, trends: Trends, role: int, words: Words) -> None:
    times = moments(trends.times)
    lower, upper = trends.lower[:, role], trends.upper[:, role]
    if np.isfinite(lower).any() and np.isfinite(upper).any():
        axes.fill_between(times, lower, upper, color=LIGHT, linewidth=0, label=words("band"))
    if np.isfinite(trends.expected[:, role]).any():
        axes.plot(times, trends.expected[:, role], color=DARK, linestyle=(0, (4, 2)), label=words("expected"))
    axes.plot(times, trends.actual[:, role], color=INK, linewidth=1.5, label=words("actual"))
    axes.set_ylabel(words.name(trends.units[role], 12), fontsize=8)
    axes.locator_params(axis="y", nbins=4)
    axes.margins(x=0.0)


def _strip(axes: Axes, values: Floats, times: Times, largest: float, words: Words) -> None:
    cells(axes, edges_of(times), values[None], largest)
    axes.set_yticks([0.5], [words("counted")], fontsize=7)
    axes.tick_params(axis="y", length=0)
