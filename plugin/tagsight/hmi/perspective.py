"""A faceplate as a view of Ignition Perspective: one view for all models, with the path of its tags as parameter."""

# ruff: noqa: PLR0917 - a place in a drawing is four numbers

from typing import Any, Final

from tagsight.hmi.drawing import BLUE, DIM, GROUND, INK, ORANGE, PANEL, RED, YELLOW
from tagsight.hmi.overview import STATES
from tagsight.output_tags import FEEDBACK, OFF, TOP_RANKS

VIEW: Final = "TagSight/Faceplate"
"""Where the view stands in a project: two folders below `com.inductiveautomation.perspective/views`."""

RESOURCE: Final = {
    "scope": "G",
    "version": 1,
    "restricted": False,
    "overridable": True,
    "files": ["view.json"],
    "attributes": {},
}
"""What goes beside it as `resource.json`."""

_ANSWERS: Final = (("True alarm", 1), ("False alarm", 2), ("Maintenance", 3))


def view(web: str = "") -> dict[str, Any]:
    """The view; its parameter `path` is a folder of tags: `[default]TagSight/P101/Health`.

    With `web`, TagSight's own faceplate is framed below; its parameter `page` is the address behind `web`.
    """
    parts = [_label("Title", 12, 8, 456, "{view.params.path}", size=18, bold=True),
             _state(), _number("Score", 300, 44, "Score", "numberFormat({value}, '0.00')", size=26),
             _bar(), _text("Message", 92, 42, "Message"), _text("Reason", 136, 30, "Reason")]  # fmt: skip
    for rank in range(1, TOP_RANKS + 1):
        parts += _leading(rank, 146 + 28 * rank)
    parts += [_write(words, 12 + 120 * number, 326, FEEDBACK, value) for number, (words, value) in enumerate(_ANSWERS)]
    parts += [_write("Announce", 12, 366, OFF, 0), _write("Announce nothing", 132, 366, OFF, 1, 150)]
    height = 410
    if web:
        parts.append(_frame(web))
        height += 320
    root = {"type": "ia.container.coord", "meta": {"name": "root"}, "children": parts,
            "props": {"style": {"backgroundColor": GROUND, "color": INK}}}  # fmt: skip
    parameters = {"path": "[default]TagSight/ASSET/MODEL"} | (
        {"page": "faceplate/ASSET?model=ASSET/MODEL"} if web else {}
    )
    directions = {f"params.{name}": {"paramDirection": "input", "persistent": True} for name in parameters}
    return {"custom": {}, "params": parameters, "propConfig": directions, "root": root,
            "props": {"defaultSize": {"width": 480, "height": height}}}  # fmt: skip


def _state() -> dict[str, Any]:
    """Word and colour of NAMUR NE 107; without a good value it says so."""
    words = [{"input": number, "output": name} for number, (_letter, _colour, name) in enumerate(STATES)]
    colours = [{"input": number, "output": ink} for number, ink in enumerate((PANEL, RED, ORANGE, YELLOW, BLUE))]
    inks = [{"input": number, "output": ink} for number, ink in enumerate((INK, "#ffffff", INK, INK, "#ffffff"))]
    part = _label("State", 12, 44, 180, "", size=16)
    part["propConfig"] = {
        "props.text": _tag_binding("State", _map(words, "no value")),
        "props.style.backgroundColor": _tag_binding("State", _map(colours, PANEL)),
        "props.style.color": _tag_binding("State", _map(inks, INK)),
    }
    return part


def _bar() -> dict[str, Any]:
    """The score from 0 to twice its limit."""
    props = {"max": 2, "value": 0, "color": BLUE, "displayValue": False}
    part = _part("ia.display.progress", "ScoreBar", 320, 50, 148, 18, props)
    part["propConfig"] = {"props.value": _tag_binding("Score")}
    return part


def _text(name: str, y: int, height: int, output: str) -> dict[str, Any]:
    part = _label(name, 12, y, 456, "", height=height)
    part["propConfig"] = {"props.text": _tag_binding(output)}
    return part


def _number(name: str, x: int, y: int, output: str, expression: str, size: int = 13) -> dict[str, Any]:
    part = _label(name, x - 96, y, 100, "", size=size, bold=size > 20)
    part["propConfig"] = {"props.text": _tag_binding(output, {"type": "expression", "expression": expression})}
    return part


def _leading(rank: int, y: int) -> list[dict[str, Any]]:
    name = _label(f"Top{rank}", 12, y, 190, "")
    name["propConfig"] = {"props.text": _tag_binding(f"Top{rank}_Tag")}
    rounded = "numberFormat({value}, '0.00')"
    return [
        name,
        _number(f"Top{rank}Actual", 300, y, f"Top{rank}_Actual", rounded),
        _number(f"Top{rank}Expected", 390, y, f"Top{rank}_Expected", rounded),
        _number(f"Top{rank}Share", 470, y, f"Top{rank}_Share", "numberFormat({value}, '0') + ' %'"),
    ]


def _write(words: str, x: int, y: int, output: str, value: int, width: int = 112) -> dict[str, Any]:
    """A button; its script is the same text for every plant: the path comes as the parameter."""
    script = f"\tsystem.tag.writeBlocking([self.view.params.path + '/{output}'], [{value}])"
    part = _part("ia.input.button", words.replace(" ", ""), x, y, width, 32, {"text": words})
    part["props"]["style"] = {"backgroundColor": "#ececec", "color": INK, "borderColor": "#6b7178"}
    part["events"] = {
        "component": {"onActionPerformed": {"type": "script", "scope": "G", "config": {"script": script}}}
    }
    return part


def _frame(web: str) -> dict[str, Any]:
    part = _part("ia.display.iframe", "Page", 12, 410, 456, 308, {"source": ""})
    address = f"'{web.rstrip('/')}/' + {{view.params.page}}"
    part["propConfig"] = {"props.source": {"binding": {"type": "expr", "config": {"expression": address}}}}
    return part


def _label(
    name: str, x: int, y: int, width: int, expression: str, *, size: int = 13, bold: bool = False, height: int = 26
) -> dict[str, Any]:
    style = {"fontSize": f"{size}px", "fontWeight": "bold" if bold else "normal", "color": INK if size > 12 else DIM}
    part = _part("ia.display.label", name, x, y, width, height, {"text": "", "style": style})
    if expression:
        part["propConfig"] = {"props.text": {"binding": {"type": "expr", "config": {"expression": expression}}}}
    return part


def _part(kind: str, name: str, x: int, y: int, width: int, height: int, props: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "meta": {"name": name}, "props": props,
            "position": {"x": x, "y": y, "width": width, "height": height}}  # fmt: skip


def _tag_binding(output: str, *transforms: dict[str, Any]) -> dict[str, Any]:
    config = {"mode": "indirect", "fallbackDelay": 2.5, "references": {"path": "{view.params.path}"},
              "tagPath": f"{{path}}/{output}"}  # fmt: skip
    return {"binding": {"type": "tag", "config": config, **({"transforms": list(transforms)} if transforms else {})}}


def _map(mappings: list[dict[str, Any]], fallback: str) -> dict[str, Any]:
    return {"type": "map", "inputType": "scalar", "outputType": "scalar", "mappings": mappings, "fallback": fallback}
