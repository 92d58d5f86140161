"""The way of a window through a model, as boxes: what each part is, what leaves it, how many numbers it has learned."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, TypeAlias

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from tagsight_explain.pictures.canvas import DARK, INK, LIGHT, PANEL, Look, Words, picture
from tagsight_models.anatomy import Block, Stage

WIDTH: Final = 7.6
HIGH: Final = 0.56  # inches of a box
STEP: Final = 0.86  # from one stage to the next
BROADEST: Final = 2.6
SIDE_BY_SIDE: Final = 5
TIMES: Final = "\N{MULTIPLICATION SIGN}"

Point: TypeAlias = tuple[float, float]


def structure(stages: Sequence[Stage], look: Look) -> bytes:
    """Of the stages of a model; blocks of the same name beyond what fits are drawn as one."""
    rows = [_gathered(stage) for stage in stages]

    def draw(figure: Figure, words: Words) -> None:
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_xlim(0.0, WIDTH)
        axes.set_ylim(-STEP * (len(rows) - 1) - 0.5, 0.5)
        axes.set_axis_off()
        feet: dict[str, Point] = {}  # of the boxes drawn so far; of alike ones, the last
        before: list[Point] = []
        for number, row in enumerate(rows):
            width, y = min(BROADEST, WIDTH / len(row) - 0.2), -STEP * number
            places = [(WIDTH * (place + 0.5) / len(row), y) for place in range(len(row))]
            for (x, _), (block, count) in zip(places, row, strict=True):
                _box(axes, (x, y, width), block, count, words)
                origins = before if block.after is None else [feet[name] for name in block.after]
                for origin in origins:
                    _arrow(axes, origin, (x, y + HIGH / 2))
            before = [(x, y - HIGH / 2) for (x, y), (block, _) in zip(places, row, strict=True) if block.after != ()]
            feet |= {block.name: (x, y - HIGH / 2) for (x, y), (block, _) in zip(places, row, strict=True)}

    return picture(draw, look, WIDTH, STEP * (len(rows) - 1) + 1.0, layout=None)


def _gathered(stage: Stage) -> list[tuple[Block, int]]:
    """Blocks of a stage, each with how many of them it stands for."""
    if len(stage) <= SIDE_BY_SIDE:
        return [(block, 1) for block in stage]
    found: dict[str, list[Block]] = {}
    for block in stage:
        found.setdefault(block.name, []).append(block)
    merged = [
        (replace(blocks[0], arrays={key: array for one in blocks for key, array in one.arrays.items()}), len(blocks))
        for blocks in found.values()
    ]
    return merged[:SIDE_BY_SIDE]


def _box(axes: Axes, place: tuple[float, float, float], block: Block, count: int, words: Words) -> None:
    x, y, width = place
    learned = block.parameters > 0
    axes.add_patch(
        FancyBboxPatch(
            (x - width / 2, y - HIGH / 2), width, HIGH, boxstyle="round,pad=0,rounding_size=0.06",
            facecolor=LIGHT if learned else PANEL, edgecolor=INK, linewidth=0.9,
        )
    )  # fmt: skip
    name = words(f"block_{block.name}") + (f" {TIMES} {count}" if count > 1 else "")
    axes.text(x, y + 0.1, name, ha="center", va="center", fontweight="bold", fontsize=8.5)
    axes.text(x, y - 0.13, _said(block, words), ha="center", va="center", fontsize=7.5, color=DARK)


def _said(block: Block, words: Words) -> str:
    shape = "" if block.gives is None else f" {TIMES} ".join(map(str, block.gives)) or "1"
    count = words("parameters", count=words.count(block.parameters)) if block.parameters else ""
    return "; ".join(filter(None, (shape, count)))


def _arrow(axes: Axes, start: Point, end: Point) -> None:
    """Straight down, aside just above the target, and down into it."""
    corner = end[1] + (STEP - HIGH) / 2
    axes.plot([start[0], start[0], end[0]], [start[1], corner, corner], color=DARK, linewidth=0.8)
    style = {"arrowstyle": "-|>", "color": DARK, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", xy=end, xytext=(end[0], corner), arrowprops=style)
