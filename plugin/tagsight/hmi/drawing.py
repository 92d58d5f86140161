"""A view of FUXA: an SVG and, beside it, the items that make shapes of it live.

Greys for what is normal, colour for what is not (ISA-101; colours of NAMUR NE 107). What FUXA writes into the page as
HTML (texts of buttons) is fixed here; names of the plant stand in the SVG only, escaped; what tags say is set as text.
"""

# ruff: noqa: PLR0917 - a place in a drawing is four numbers

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any, Final

GROUND: Final = "#d8d8d8"
PANEL: Final = "#e4e4e4"
RULE: Final = "#a9adb1"
TRACK: Final = "#c2c4c6"
BAR: Final = "#7c8187"
INK: Final = "#1c1f22"
DIM: Final = "#4b5055"
RED: Final = "#d32f2f"
ORANGE: Final = "#f2992e"
YELLOW: Final = "#ffe14d"
BLUE: Final = "#2f6fd0"

FONT: Final = "Roboto, 'Segoe UI', sans-serif"
NO_VALUE: Final = "\N{EN DASH}"
GREATEST: Final = 1e15
_HIDDEN: Final = ' style="display:none"'


@dataclass(frozen=True, slots=True)
class Press:
    """A button: it opens another view, opens an address, or writes a value to a tag."""

    action: str
    parameter: str
    options: Mapping[str, Any] = field(default_factory=dict)


def opens(view: str) -> Press:
    """Another view of the project."""
    return Press("onpage", view)


def opens_page(address: str) -> Press:
    """A page in a tab of its own."""
    return Press("onOpenTab", address, {"newTab": True})


def writes(tag: str, value: int) -> Press:
    """A value to a tag."""
    return Press("onSetValue", str(value), {"variable": {"variableId": tag}})


@dataclass
class Drawing:
    """One view while it is drawn. Ids are numbered, so that the same drawing has the same ids."""

    key: str
    width: int
    height: int
    _parts: list[str] = field(default_factory=list)
    _items: dict[str, Any] = field(default_factory=dict)

    def view(self, name: str) -> dict[str, Any]:
        """The view as it stands in a project."""
        size = f'width="{self.width}" height="{self.height}"'
        svg = (
            f'<svg {size} xmlns="http://www.w3.org/2000/svg"><g><title>TagSight</title>{"".join(self._parts)}</g></svg>'
        )
        profile = {"width": self.width, "height": self.height, "bkcolor": GROUND, "margin": 0, "align": "topCenter"}
        return {"id": self.key, "name": name, "type": "svg", "profile": profile, "items": self._items, "variables": {},
                "svgcontent": svg, "property": {"events": [], "actions": []}}  # fmt: skip

    def rect(self, x: float, y: float, width: float, height: float, fill: str = PANEL, stroke: str = RULE) -> None:
        """A panel or a bar that does not change."""
        self._parts.append(_rect(x, y, width, height, fill, stroke))

    def text(
        self, x: float, y: float, words: str, size: int = 14, *, bold: bool = False, at: str = "start", ink: str = INK
    ) -> None:
        """Words that do not change; `y` is their base line."""
        self._parts.append(_text(x, y, words, size, bold=bold, at=at, ink=ink))

    def value(
        self, x: float, y: float, tag: str, digits: int = 0, size: int = 14, *, bold: bool = False, at: str = "start"
    ) -> None:
        """What a tag says, in one line; `digits` after the point, 0: a text, or as many as there are."""
        inner = _text(x, y, "", size, bold=bold, at=at)
        ranges = [{"type": 1, "min": 0, "max": 0, "text": "", "fractionDigits": digits}] if digits else []
        self._live("VAL", "svg-ext-value", inner, {"variableId": tag, "ranges": ranges, "actions": [], "events": []})

    def paragraph(self, x: float, y: float, width: float, height: float, tag: str, size: int = 14) -> None:
        """What a text tag says, in as many lines as there is room for."""
        style = f"font:{size}px/1.3 {FONT};color:{INK};overflow:hidden;text-align:left"
        place = f'x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"'
        inner = f'<foreignObject {place} style="{escape(style)}"></foreignObject>'
        self._live("VAL", "svg-ext-value", inner, {"variableId": tag, "ranges": [], "actions": [], "events": []})

    def bar(self, x: float, y: float, length: float, thickness: float, tag: str, high: float, limit: float) -> None:
        """A tag from 0 to `high`, from left to right; blue above `limit`, which has a mark below `high`."""
        key = self._next("GXP")
        turned = f'<g transform="translate({x + length:g} {y:g}) rotate(90)">'  # FUXA's own bars stand upright
        hidden = [False, False]
        ranges = [
            {"type": 2, "min": 0, "max": limit, "color": BAR, "style": hidden},
            {"type": 2, "min": limit, "max": high, "color": BLUE, "style": hidden},
        ]
        track = _rect(0, 0, thickness, length, TRACK, "none", f"A-{key}")
        filled = _rect(0, length, thickness, 0, BAR, "none", f"B-{key}")
        empty = f'<foreignObject id="H-{key}" x="0" y="0" width="1" height="1"></foreignObject>'
        self._parts.append(f'{turned}<g id="{key}" type="svg-ext-gauge_progress">{track}{filled}{empty}</g></g>')
        self._add(key, "svg-ext-gauge_progress", {"variableId": tag, "ranges": ranges, "events": []})
        if limit < high:
            at = x + length * limit / high
            self._parts.append(_rect(at - 1, y - 4, 2, thickness + 8, INK, "none"))

    def shown_at(self, tag: str, value: int, inner: str, most: int) -> None:
        """Shapes that are seen while a tag of 0 to `most` has one value; as it was, while the tag says nothing."""
        actions = [_action(tag, "hide", 0, most), _action(tag, "show", value, value)]
        properties = {"variableId": "", "ranges": [], "actions": actions, "events": []}
        self._live("VAL", "svg-ext-value", f"<g>{inner}</g>", properties, hidden=True)

    def covered_at_nothing(self, tag: str, inner: str) -> None:
        """Shapes that are seen until a tag is above 0, and again when it says nothing (FUXA takes nothing for 0)."""
        actions = [_action(tag, "hide", 1e-9, GREATEST), _action(tag, "show", -GREATEST, 0)]
        self._live("SHE", "svg-ext-shapes", inner, {"variableId": "", "ranges": [], "actions": actions, "events": []})

    def link(self, x: float, y: float, width: float, height: float, press: Press) -> None:
        """An invisible area that can be pressed."""
        inner = f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" fill="#ffffff" fill-opacity="0"/>'
        self._live("SHE", "svg-ext-shapes", inner, {"ranges": [], "actions": [], "events": [_event(press)]})

    def button(
        self, x: float, y: float, width: float, words: str, press: Press, lit: tuple[str, int, str] | None = None
    ) -> None:
        """A button of 34 pixels' height; `lit`: tag, value and colour that it has while the tag has that value.

        FUXA takes `words` for HTML: only ours may stand here, never a name of the plant.
        """
        key = self._next("HXB")
        place = f'x="{x:g}" y="{y:g}" width="{width:g}" height="34"'
        style = (
            f"box-sizing:border-box;margin:0;width:100%;height:100%;background-color:#ececec;color:{INK};"
            f"border:1px solid #6b7178;border-radius:2px;font:14px {FONT};cursor:pointer"
        )
        inner = (
            f'<rect {place} fill="#ececec" stroke="none" id="svg_{key}"/><foreignObject {place} id="H-{key}">'
            f'<button style="{escape(style)}" class="md-btn" id="B-{key}">{escape(words)}</button></foreignObject>'
        )
        self._parts.append(f'<g id="{key}" type="svg-ext-html_button">{inner}</g>')
        ranges = [
            {"type": 2, "min": value, "max": value, "color": colour, "stroke": INK}
            for value, colour in ([(lit[1], lit[2]), (1 - lit[1], "#ececec")] if lit else [])
        ]
        property_ = {"variableId": lit[0] if lit else "", "text": escape(words), "ranges": ranges, "actions": [],
                     "events": [_event(press)]}  # fmt: skip
        self._add(key, "svg-ext-html_button", property_, escape(words))

    def _live(self, prefix: str, kind: str, inner: str, properties: dict[str, Any], *, hidden: bool = False) -> None:
        key = self._next(prefix)
        self._parts.append(f'<g id="{key}" type="{kind}"{_HIDDEN if hidden else ""}>{inner}</g>')
        self._add(key, kind, properties)

    def _add(self, key: str, kind: str, properties: dict[str, Any], name: str = "") -> None:
        self._items[key] = {"id": key, "type": kind, "name": name or key, "property": properties, "label": kind}

    def _next(self, prefix: str) -> str:
        return f"{prefix}_{self.key}-{len(self._items) + 1}"


def symbol(x: float, y: float, letter: str, colour: str, words: str) -> str:
    """A state of NAMUR NE 107: a disc with its letter, and the word for it; `x`, `y` are the disc's centre."""
    disc = f'<circle cx="{x:g}" cy="{y:g}" r="10" fill="{colour}" stroke="{INK}" stroke-width="1.2"/>'
    ink = "#ffffff" if colour in (RED, BLUE) else INK
    return disc + _text(x, y + 4.5, letter, 13, bold=True, at="middle", ink=ink) + _text(x + 17, y + 5, words, 14)


def cover(x: float, y: float, width: float, height: float, words: Sequence[str] = (), fill: str = PANEL) -> str:
    """What hides shapes behind it, with words or without."""
    found = _rect(x, y, width, height, fill, "none")
    return found + "".join(_text(x + 6, y + 20 + 18 * line, one, 14, bold=True) for line, one in enumerate(words))


def _event(press: Press) -> dict[str, Any]:
    return {"type": "click", "action": press.action, "actparam": press.parameter, "actoptions": dict(press.options)}


def _action(tag: str, kind: str, low: float, high: float) -> dict[str, Any]:
    return {"variableId": tag, "type": kind, "range": {"min": low, "max": high}, "options": {}, "bitmask": 0}


def _rect(x: float, y: float, width: float, height: float, fill: str, stroke: str, key: str = "") -> str:
    named = f' id="{key}"' if key else ""
    place = f'x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"'
    return f'<rect{named} {place} fill="{fill}" stroke="{stroke}"/>'


def _text(x: float, y: float, words: str, size: int, *, bold: bool = False, at: str = "start", ink: str = INK) -> str:
    heavy = ' font-weight="bold"' if bold else ""
    said = escape("".join(one for one in words if one.isprintable()))
    place = f'x="{x:g}" y="{y:g}" font-size="{size}" font-family="{escape(FONT)}" text-anchor="{at}"{heavy}'
    return f'<text {place} fill="{ink}" stroke="none">{said}</text>'
