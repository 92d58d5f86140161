"""How the learned weights of a model are distributed, one histogram for each array."""

from collections.abc import Mapping
from typing import Final

from matplotlib.figure import Figure

from tagsight_explain.pictures.canvas import DARK, INK, MIDDLE, Look, Words, panels, picture
from tagsight_models.frame import Floats

MOST: Final = 12
COLUMNS: Final = 4
BINS: Final = 31


def weights(arrays: Mapping[str, Floats], look: Look, *, most: int = MOST) -> bytes:
    """`arrays`: name -> weights, flat, not empty; the `most` largest arrays are shown."""
    chosen = sorted(arrays, key=lambda name: -len(arrays[name]))[:most]
    columns = max(1, min(COLUMNS, len(chosen)))
    rows = max(1, -(-len(chosen) // columns))

    def draw(figure: Figure, words: Words) -> None:
        drawn = panels(figure, rows, columns, foot=0.35, left=0.15)
        for panel in drawn[len(chosen) :]:
            panel.set_visible(False)
        for panel, name in zip(drawn, chosen, strict=False):
            found = arrays[name]
            panel.hist(found, bins=BINS, color=MIDDLE, edgecolor=DARK, linewidth=0.3)
            panel.axvline(0.0, color=INK, linewidth=0.8)
            zeros = float((found == 0.0).mean())
            said = words("weights_count", count=words.count(len(found)))
            said += words("weights_zero", share=f"{100.0 * zeros:.0f}") if zeros >= 0.005 else ""
            panel.set_title(f"{words.name(name, 24)}\n{said}", fontsize=7.5)
            panel.tick_params(labelsize=7)
            panel.set_yticks([])
            panel.spines["left"].set_visible(False)
            panel.locator_params(axis="x", nbins=4)
        figure.suptitle(words("weights"), fontsize=10, x=0.01, ha="left")

    return picture(draw, look, 0.4 + 1.85 * max(columns, 2), 1.0 + 1.45 * rows, layout=None)
