"""Contributions over a period: the score with its limit, and below it which role counted when."""

from typing import Final

import numpy as np
from matplotlib.figure import Figure

from tagsight_explain.pictures.canvas import ABNORMAL, INK, Look, Words, picture
from tagsight_explain.pictures.marks import cells, edges_of, moments, time_axis, with_holes
from tagsight_models.frame import Floats, Times

MOST: Final = 8
LIMIT: Final = 1.0


def contribution_history(
    times: Times, scores: Floats, contributions: Floats, roles: tuple[str, ...], look: Look, *, most: int = MOST
) -> bytes:
    """Of a period.

    Args:
        times: shape (n,), UTC ns, ascending.
        scores: shape (n,), NaN where not scored.
        contributions: shape (n, roles), NaN where not explained.
        roles: names.
        look: language, form, time zone.
        most: roles with a row of their own.
    """
    sums = np.nansum(np.abs(contributions), axis=0)
    chosen = np.argsort(-sums, kind="stable")[:most]
    explained = np.isfinite(contributions).all(axis=1)
    stops, shown = with_holes(times[explained], contributions[explained][:, chosen])
    largest = float(np.nanmax(np.abs(shown), initial=0.0)) or 1.0

    def draw(figure: Figure, words: Words) -> None:
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1 + 0.5 * len(chosen)])
        stamps = moments(times)
        above.plot(stamps, scores, color=INK)
        high = np.where(scores > LIMIT, scores, np.nan)
        if np.isfinite(high).any():
            above.plot(stamps, high, color=ABNORMAL, linewidth=2.6, marker="o", markersize=2.5)
        above.axhline(LIMIT, color=INK, linewidth=1.0, linestyle=(0, (4, 3)))
        place = (1.0, LIMIT)
        above.annotate(words("limit"), place, xycoords=("axes fraction", "data"), fontsize=8, va="bottom", ha="right")
        above.set_ylim(bottom=0.0)
        above.set_ylabel(words("score"))
        above.set_title(words("history"))
        if len(stops):
            cells(below, edges_of(stops), shown.T, largest)
        below.set_yticks(np.arange(len(chosen)) + 0.5, [words.name(roles[role]) for role in chosen])
        below.tick_params(axis="y", length=0)
        below.set_xlabel(words("scale_history", largest=words.number(largest, 2)), fontsize=8)
        above.set_xlim(stamps[0], stamps[-1])
        time_axis(below, look)

    return picture(draw, look, 7.6, 2.6 + 0.3 * len(chosen))
