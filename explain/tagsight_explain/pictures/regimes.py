"""Which roles matter in which operating regime: a panel of bars for each."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from matplotlib.figure import Figure

from tagsight_explain.pictures.canvas import DARK, INK, Look, Words, picture
from tagsight_models.frame import Floats

MOST: Final = 10
PANELS: Final = 4


def importance_by_regime(sizes: Mapping[str, Floats], roles: tuple[str, ...], look: Look, *, most: int = MOST) -> bytes:
    """`sizes`: name of a regime ("" where there is only one) -> mean size of the contributions, shape (roles,)."""
    order = np.argsort(-np.mean(list(sizes.values()), axis=0), kind="stable")[:most][::-1]
    shown = list(sizes)[:PANELS]

    def draw(figure: Figure, words: Words) -> None:
        panels = np.ravel(figure.subplots(1, len(shown), sharey=True, sharex=True, squeeze=False))
        for panel, name in zip(panels, shown, strict=True):
            panel.barh(range(len(order)), sizes[name][order], color=DARK, edgecolor=INK, linewidth=0.6, height=0.65)
            panel.set_title(words("regime", name=name) if name else words("importance"), fontsize=9)
            panel.set_yticks(range(len(order)), [words.name(roles[role]) for role in order])
            panel.tick_params(axis="y", length=0)
            panel.locator_params(axis="x", nbins=4)
        figure.supxlabel(words("mean_of_highest"), fontsize=8.5)

    return picture(draw, look, 7.6, 1.1 + 0.27 * len(order))
