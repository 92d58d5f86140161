"""Which roles matter over a period, through the plots of shap: bars of the mean size, and every score as a point."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from tagsight_explain.explanation import Explanation
from tagsight_explain.pictures.canvas import DARK, INK, Look, Words, picture
from tagsight_explain.shap_explainers import plots, to_shap
from tagsight_models.frame import Floats

MOST: Final = 12
_LOW_TO_HIGH: Final = LinearSegmentedColormap.from_list("low_to_high", ["#bdbdbd", "#111111"])


def global_importance(explanations: Sequence[Explanation], actual: Floats, look: Look, *, most: int = MOST) -> bytes:
    """Mean size of each role's contributions; `actual`: values at the last steps, (explanations, roles)."""
    shown, values, rest = _leading(explanations, actual, most)

    def draw(figure: Figure, words: Words) -> None:
        axes = figure.add_subplot()
        plots().bar(_named(shown, values, rest, words), max_display=len(shown[0].roles), ax=axes, show=False)
        _plain_bars(axes, words)
        axes.set_title(words("importance"))
        axes.set_xlabel(words("mean_size", count=words.count(len(shown))), fontsize=9)

    return picture(draw, look, 7.6, 1.1 + 0.32 * len(shown[0].roles))


def beeswarm(explanations: Sequence[Explanation], actual: Floats, look: Look, *, most: int = MOST) -> bytes:
    """Every explanation as one point in each role's row; dark where the role's value is high."""
    shown, values, rest = _leading(explanations, actual, most)

    def draw(figure: Figure, words: Words) -> None:
        axes = figure.add_subplot()
        count = len(shown[0].roles)
        with _seeded():
            plots().beeswarm(
                _named(shown, values, rest, words), max_display=count, color=_LOW_TO_HIGH, color_bar=False, ax=axes,
                show=False, plot_size=None, s=14,
            )  # fmt: skip
        axes.tick_params(labelsize=9)
        axes.set_title(words("beeswarm"))
        axes.set_xlabel(words("contribution_axis"), fontsize=9)
        bar = figure.colorbar(ScalarMappable(cmap=_LOW_TO_HIGH), ax=axes, ticks=[0, 1], aspect=30)
        bar.ax.set_yticklabels([words("low"), words("high")])
        bar.set_label(words("value_of_role"), labelpad=-8)
        bar.outline.set_visible(False)

    return picture(draw, look, 7.6, 1.2 + 0.36 * len(shown[0].roles))


def _leading(explanations: Sequence[Explanation], actual: Floats, most: int) -> tuple[list[Explanation], Floats, int]:
    """Explanations of the leading roles, the others added up in a last one; and how many these are."""
    sizes = np.abs([one.contributions for one in explanations]).mean(axis=0)
    order = np.argsort(-sizes, kind="stable")
    own, rest = (order, order[:0]) if len(order) <= most else (order[: most - 1], order[most - 1 :])
    found = []
    for one in explanations:
        numbers, names = one.contributions[own], tuple(one.roles[role] for role in own)
        if len(rest):
            numbers, names = np.append(numbers, one.contributions[rest].sum()), (*names, "")
        found.append(Explanation(names, one.base, numbers, np.zeros(len(numbers)), one.evaluations))
    values = actual[:, own] if not len(rest) else np.column_stack([actual[:, own], np.zeros(len(actual))])
    return found, values, len(rest)


def _named(shown: Sequence[Explanation], values: Floats, rest: int, words: Words) -> object:
    found = to_shap(shown, values)
    names = [words.name(name) for name in found.feature_names]
    found.feature_names = [*names[:-1], words("others", count=str(rest))] if rest else names
    return found


def _plain_bars(axes: Axes, words: Words) -> None:
    """The library's bars in our colours, with our numbers."""
    for patch in axes.patches:
        patch.set_facecolor(DARK)
        patch.set_edgecolor(INK)
    for text in axes.texts:
        text.set_color(INK)
        text.set_fontsize(9)
        text.set_text(words.language.number(text.get_text().lstrip("+")))
    places, names = axes.get_yticks(), [label.get_text() for label in axes.get_yticklabels()]
    half = len(names) // 2  # each is there twice
    axes.set_yticks(places[:half], names[:half], fontsize=9, color=INK)
    axes.tick_params(axis="x", labelsize=9)


@contextmanager
def _seeded() -> Iterator[None]:
    """The library scatters points by NumPy's global generator: seeded for it, and put back."""
    before = np.random.get_state()  # noqa: NPY002  # the generator that shap uses
    np.random.seed(0)  # noqa: NPY002  # as above
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002  # as above
