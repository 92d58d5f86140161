"""The first view in FUXA: a row for each model of each asset."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tagsight.hmi.drawing import BLUE, DIM, NO_VALUE, ORANGE, RED, YELLOW, Drawing, cover, opens, symbol
from tagsight.output_tags import PLUGIN, identifier_of

OVERVIEW: Final = "v_tagsight-overview"
WIDTH: Final = 1180
TOP: Final = 108
ROW: Final = 58
STATES: Final = (
    ("", "#bdbdbd", "Normal"),
    ("F", RED, "Failure"),
    ("C", ORANGE, "Function check"),
    ("S", YELLOW, "Out of spec."),
    ("M", BLUE, "Maintenance"),
)
"""Of NAMUR NE 107, by the number that `State` has: letter, colour, word."""


@dataclass(frozen=True, slots=True)
class Linked:
    """Ids of the tags in the project, by identifier."""

    ids: Mapping[str, str]

    def of(self, model: str, output: str) -> str:
        """Of one output."""
        return self.ids[identifier_of(model, output)]

    @property
    def heartbeat(self) -> str:
        """Says whether anything comes from TagSight."""
        return self.of(PLUGIN, "Heartbeat")


def state(drawing: Drawing, x: float, y: float, tag: str) -> None:
    """The state of a model: one of the five symbols."""
    for number, (letter, colour, words) in enumerate(STATES):
        drawing.shown_at(tag, number, symbol(x, y, letter, colour, words), len(STATES) - 1)


def overview(models: Sequence[str], tags: Linked, faceplates: Mapping[str, str]) -> dict[str, Any]:
    """The view: state, score against its limit, message and reason of every model; a press opens its faceplate."""
    drawing = Drawing(OVERVIEW, WIDTH, max(640, TOP + ROW * len(models) + 24))
    drawing.text(24, 42, "TagSight", 24, bold=True)
    drawing.text(140, 42, "overview", 24)
    _plugin(drawing, tags)
    for x, words in ((24, "ASSET"), (236, "STATE"), (392, "SCORE, LIMIT 1.0"), (640, "MESSAGE"), (1010, "REASON")):
        drawing.text(x, TOP - 12, words, 12, bold=True, ink=DIM)
    for number, model in enumerate(models):
        _row(drawing, TOP + ROW * number, model, tags, faceplates[model])
    return drawing.view("TagSight overview")


def _plugin(drawing: Drawing, tags: Linked) -> None:
    for x, words, output in ((560, "alarms in 24 h", "AlarmsPerDay"), (760, "missed", "Missed"),
                             (900, "not delivered", "Buffered"), (1070, "heartbeat", "Heartbeat")):  # fmt: skip
        drawing.text(x, 30, words, 12, ink=DIM)
        drawing.value(x, 50, tags.of(PLUGIN, output), size=15)
    words = cover(550, 16, 606, 34, ("NO CONNECTION TO TAGSIGHT: nothing is known at present.",), YELLOW)
    drawing.covered_at_nothing(tags.heartbeat, words)


def _row(drawing: Drawing, y: float, model: str, tags: Linked, faceplate: str) -> None:
    asset, _, name = model.partition("/")
    middle = y + ROW / 2 - 3
    drawing.rect(12, y, WIDTH - 24, ROW - 6)
    drawing.text(24, middle - 1, _short(asset, 22), 17, bold=True)
    drawing.text(24, middle + 17, _short(name, 28), 12, ink=DIM)
    state(drawing, 246, middle, tags.of(model, "State"))
    drawing.value(440, middle + 6, tags.of(model, "Score"), 2, 18, bold=True, at="end")
    drawing.covered_at_nothing(tags.of(model, "Score"), cover(386, middle - 14, 58, 30, (NO_VALUE,)))
    drawing.bar(452, middle - 8, 164, 16, tags.of(model, "Score"), 2.0, 1.0)
    drawing.paragraph(640, y + 5, 356, ROW - 14, tags.of(model, "Message"), 13)
    drawing.paragraph(1010, y + 5, 148, ROW - 14, tags.of(model, "Reason"), 12)
    drawing.covered_at_nothing(tags.heartbeat, cover(230, y + 4, 926, ROW - 14, ("?",)))
    drawing.link(12, y, WIDTH - 24, ROW - 6, opens(faceplate))


def _short(words: str, most: int) -> str:
    return words if len(words) <= most else f"{words[: most - 1]}…"
