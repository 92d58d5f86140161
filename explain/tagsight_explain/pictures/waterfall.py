"""The waterfall of one score: from the normal score, role by role, to the score that was written."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tagsight_explain.explanation import Explanation
from tagsight_explain.message import Cause, numbers
from tagsight_explain.pictures.canvas import ABNORMAL, DARK, INK, LIGHT, MIDDLE, Look, Words, picture
from tagsight_explain.pictures.marks import HATCH

MOST: Final = 9
LIMIT: Final = 1.0


def waterfall(
    explanation: Explanation, look: Look, *, causes: Sequence[Cause] = (), title: str = "", most: int = MOST
) -> bytes:
    """Of an explanation with numbers.

    Args:
        explanation: of one score.
        look: language, form.
        causes: actual and expected values of roles, where they are known.
        title: above it.
        most: roles of their own; the smallest are added up.
    """
    rows = _rows(explanation, most)
    said = {cause.role: cause for cause in causes}

    def draw(figure: Figure, words: Words) -> None:
        axes = figure.add_subplot()
        names = [words("others", count=str(-count)) if count < 0 else words.name(name) for name, count, _ in rows]
        labels = [_label(name, said.get(row[0]), words) for name, row in zip(names, rows, strict=True)]
        _bars(axes, explanation.base, [value for _, _, value in rows], words)
        axes.set_yticks(range(len(rows) + 2), [words("normal_score"), *labels, words("score")])
        axes.get_yticklabels()[-1].set_fontweight("bold")
        axes.set_title(words.name(title, 100) or words("waterfall"))
        axes.set_xlabel(words("score_axis"))

    return picture(draw, look, 7.6, 1.3 + 0.34 * (len(rows) + 2))


def _rows(explanation: Explanation, most: int) -> list[tuple[str, int, float]]:
    """Name, minus the number of roles added up (0 for one alone), contribution: the smallest first."""
    order = np.argsort(-np.abs(explanation.contributions), kind="stable")
    own, rest = (order, order[:0]) if len(order) <= most else (order[: most - 1], order[most - 1 :])
    rows = [(explanation.roles[role], 0, float(explanation.contributions[role])) for role in own[::-1]]
    if len(rest):
        rows.insert(0, ("", -len(rest), float(explanation.contributions[rest].sum())))
    return rows


def _label(name: str, cause: Cause | None, words: Words) -> str:
    if cause is None or not cause.direction:
        return name
    actual, expected = (words.language.number(text) for text in numbers(cause))
    return f"{name}\n" + words("of_expected", actual=actual, expected=f"{expected} {cause.unit}".rstrip())


def _bars(axes: Axes, base: float, values: Sequence[float], words: Words) -> None:
    ends = base + np.cumsum([0.0, *values])
    lowest, highest = min(0.0, float(ends.min())), max(LIMIT, float(ends.max()))
    room = 0.02 * (highest - lowest)
    axes.barh(0, base, height=0.55, color=MIDDLE, edgecolor=INK, linewidth=0.6)
    axes.text(max(base, 0.0) + room, 0, words.number(base, 3), va="center")
    for place, value in enumerate(values, start=1):
        before, after = ends[place - 1], ends[place]
        colour, hatch = (ABNORMAL, None) if value > 0.0 else (LIGHT, HATCH)
        axes.barh(place, value, left=before, height=0.55, color=colour, hatch=hatch, edgecolor=INK, linewidth=0.6)
        axes.plot([before, before], [place - 1, place], color=DARK, linewidth=0.6)
        axes.text(max(before, after) + room, place, words.signed(value), va="center")
    total = len(values) + 1
    axes.barh(total, ends[-1], height=0.55, color=DARK, edgecolor=INK, linewidth=0.6)
    axes.text(max(ends[-1], 0.0) + room, total, words.number(float(ends[-1]), 3), va="center", fontweight="bold")
    axes.axvline(LIMIT, color=INK, linewidth=1.0, linestyle=(0, (4, 3)))
    axes.text(LIMIT, total + 0.5, words("limit"), ha="center", va="bottom", fontsize=8)
    axes.set_xlim(lowest - room, highest + 7.0 * room)
    axes.set_ylim(-0.6, total + 0.9)
    axes.tick_params(axis="y", length=0)
