"""The view of one model in FUXA: what it says, what leads to it, and what an operator answers."""

from typing import Any, Final

from tagsight.hmi.drawing import DIM, NO_VALUE, ORANGE, PANEL, YELLOW, Drawing, cover, opens, opens_page, writes
from tagsight.hmi.overview import OVERVIEW, Linked, state
from tagsight.output_tags import FEEDBACK, OFF, TOP_RANKS

WIDTH: Final = 900
HEIGHT: Final = 640
_LEFT: Final = 24
_TABLE: Final = 262
_LINE: Final = 40
_COLUMNS: Final = (
    (36, "TAG", "start"),
    (440, "ACTUAL", "end"),
    (560, "EXPECTED", "end"),
    (610, "SHARE OF THE EXCESS", ""),
)
_ANSWERS: Final = (("True alarm", 1), ("False alarm", 2), ("Maintenance", 3))


def faceplate(key: str, model: str, tags: Linked, page: str = "") -> dict[str, Any]:
    """The view; `page`: address of TagSight's own faceplate, "" for none."""
    drawing = Drawing(key, WIDTH, HEIGHT)
    _head(drawing, model, tags, page)
    _leading(drawing, model, tags)
    _answers(drawing, model, tags)
    return drawing.view(f"{model}")


def _head(drawing: Drawing, model: str, tags: Linked, page: str) -> None:
    asset, _, name = model.partition("/")
    drawing.text(_LEFT, 42, asset if len(asset) <= 28 else f"{asset[:27]}…", 24, bold=True)
    drawing.text(_LEFT, 62, name if len(name) <= 60 else f"{name[:59]}…", 13, ink=DIM)
    if page:
        drawing.button(WIDTH - 284, 20, 124, "Page", opens_page(page))
    drawing.button(WIDTH - 148, 20, 124, "Overview", opens(OVERVIEW))
    drawing.rect(12, 78, WIDTH - 24, 148)
    state(drawing, 42, 108, tags.of(model, "State"))
    drawing.value(280, 116, tags.of(model, "Score"), 2, 30, bold=True, at="end")
    drawing.covered_at_nothing(tags.of(model, "Score"), cover(196, 86, 90, 40, (NO_VALUE,)))
    drawing.bar(310, 98, 360, 22, tags.of(model, "Score"), 2.0, 1.0)
    drawing.text(490, 92, "limit 1.0", 11, at="middle", ink=DIM)
    drawing.text(700, 104, "last run, UTC", 11, ink=DIM)
    drawing.value(700, 121, tags.of(model, "LastRun"), size=12)
    drawing.paragraph(36, 136, WIDTH - 72, 42, tags.of(model, "Message"), 15)
    drawing.paragraph(36, 184, WIDTH - 72, 34, tags.of(model, "Reason"), 13)
    words = ("NO CONNECTION TO TAGSIGHT", "Nothing is known at present.")
    drawing.covered_at_nothing(tags.heartbeat, cover(20, 82, WIDTH - 40, 140, words, YELLOW))


def _leading(drawing: Drawing, model: str, tags: Linked) -> None:
    drawing.rect(12, _TABLE - 28, WIDTH - 24, 34 + _LINE * TOP_RANKS)
    for x, words, at in _COLUMNS:
        drawing.text(x, _TABLE - 8, words, 12, bold=True, at=at or "start", ink=DIM)
    for rank in range(1, TOP_RANKS + 1):
        y = _TABLE + _LINE * (rank - 1)
        share = tags.of(model, f"Top{rank}_Share")
        drawing.paragraph(36, y + 7, 304, _LINE - 8, tags.of(model, f"Top{rank}_Tag"), 14)
        drawing.value(440, y + 21, tags.of(model, f"Top{rank}_Actual"), 2, at="end")
        drawing.value(560, y + 21, tags.of(model, f"Top{rank}_Expected"), 2, at="end")
        drawing.bar(610, y + 8, 180, 16, share, 100.0, 100.0)
        drawing.value(846, y + 21, share, 1, at="end")
        drawing.text(850, y + 21, "%", ink=DIM)
        drawing.covered_at_nothing(share, cover(20, y, WIDTH - 40, _LINE - 2, (), PANEL))


def _answers(drawing: Drawing, model: str, tags: Linked) -> None:
    top = _TABLE + _LINE * TOP_RANKS + 22
    drawing.rect(12, top, WIDTH - 24, 138)
    drawing.text(36, top + 26, "WAS THE ALARM RIGHT?", 12, bold=True, ink=DIM)
    feedback = tags.of(model, FEEDBACK)
    for number, (words, value) in enumerate(_ANSWERS):
        drawing.button(36 + 150 * number, top + 38, 138, words, writes(feedback, value))
    drawing.text(500, top + 61, "answers stored:", 13, ink=DIM)
    drawing.value(604, top + 61, tags.of(model, "FeedbackCount"), size=14)
    drawing.text(36, top + 98, "ANNOUNCE ALARMS", 12, bold=True, ink=DIM)
    off = tags.of(model, OFF)
    drawing.button(180, top + 84, 100, "On", writes(off, 0))
    drawing.button(290, top + 84, 100, "Off", writes(off, 1), lit=(off, 1, ORANGE))
