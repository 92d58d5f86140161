"""Expected against actual, one panel for each role: how well the model knows its machine, and where it does not."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tagsight_explain.pictures.canvas import ABNORMAL, DARK, INK, MIDDLE, Look, Words, panels, picture
from tagsight_models.frame import Floats

MOST: Final = 12
COLUMNS: Final = 4


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Actual and expected values, all of shape (n, roles), engineering units; `inside`: within the normal band.

    Attributes:
        roles: names.
        units: of each role.
    """

    roles: tuple[str, ...]
    units: tuple[str, ...]
    actual: Floats
    expected: Floats
    inside: Floats


def scatter(pairs: Pairs, look: Look, *, most: int = MOST) -> bytes:
    """Of all roles, or of the `most` whose expectation is worst."""
    worst = np.argsort(-_misfit(pairs), kind="stable")[:most]
    chosen = sorted(worst.tolist())
    columns = min(COLUMNS, len(chosen))
    rows = -(-len(chosen) // columns)

    def draw(figure: Figure, words: Words) -> None:
        drawn = panels(figure, rows, columns, foot=0.6)
        for panel, role in zip(drawn, chosen, strict=False):
            _panel(panel, pairs, role, words)
        for panel in drawn[len(chosen) :]:
            panel.set_visible(False)
        said = words("scatter", shown=str(len(chosen)), of=str(len(pairs.roles)))
        figure.suptitle(said, fontsize=10, x=0.01, ha="left")
        figure.supxlabel(words("expected"), fontsize=9)
        figure.supylabel(words("actual"), fontsize=9)

    return picture(draw, look, 0.4 + 1.9 * max(columns, 2), 1.2 + 1.75 * rows, layout=None)


def _misfit(pairs: Pairs) -> Floats:
    """Spread of the error in spreads of the role."""
    spread = np.nanstd(pairs.actual, axis=0)
    return np.asarray(np.nanstd(pairs.actual - pairs.expected, axis=0) / np.where(spread > 0.0, spread, 1.0))


def _panel(axes: Axes, pairs: Pairs, role: int, words: Words) -> None:
    actual, expected, inside = pairs.actual[:, role], pairs.expected[:, role], pairs.inside[:, role] > 0.0
    axes.plot(expected[inside], actual[inside], ".", color=MIDDLE, markersize=2.5)
    axes.plot(expected[~inside], actual[~inside], "x", color=ABNORMAL, markersize=4.0)
    both = np.concatenate([actual, expected])
    ends = [np.nanmin(both), np.nanmax(both)]
    axes.plot(ends, ends, color=INK, linewidth=0.8)
    unit = f" [{words.name(pairs.units[role], 10)}]" if pairs.units[role] else ""
    axes.set_title(f"{words.name(pairs.roles[role], 28 - len(unit))}{unit}", fontsize=8)
    axes.tick_params(labelsize=7, color=DARK)
    axes.locator_params(nbins=4)
