"""A project for FUXA (https://frangoteam.org): devices, tags, an overview and a faceplate for each model."""

import hashlib
from collections.abc import Sequence
from typing import Any, Final

from tagsight.hmi.addresses import endpoint, faceplate_page, indexed, models_of
from tagsight.hmi.drawing import GROUND, INK
from tagsight.hmi.faceplate import faceplate
from tagsight.hmi.overview import OVERVIEW, Linked, overview
from tagsight.output_tags import PLUGIN
from tagsight.plan import Plan
from tagsight.tag_list import ListedTag

VERSION: Final = "1.01"
"""Of the form of a project, as FUXA 1.3 writes it."""

POLLING_MS: Final = 1_000
_NO_HISTORY: Final = {"enabled": False, "interval": 60, "changed": False, "restored": False}


def project(plan: Plan, tags: Sequence[ListedTag], *, host: str = "", web: str = "") -> dict[str, Any]:
    """The project, ready for FUXA's "Open project".

    User, password and security of a device are no part of FUXA's projects: they are set once in its device dialog.

    Args:
        plan: the plan.
        tags: its output tags.
        host: name or address by which FUXA reaches TagSight; "": where the configuration says that it listens.
        web: `https://host:8443`, where faceplates get a button to TagSight's own; "" for none.
    """
    devices = _devices(plan, tags, host)
    views = []
    linked = _linked(tags)
    models = models_of(tags)
    faceplates = {model: f"v_{_digest(model)}" for model in models}
    if models:
        views.append(overview(models, linked[""], faceplates))
    views += [
        faceplate(faceplates[model], model, linked[_historian(tags, model)], faceplate_page(web, model))
        for model in models
    ]
    return {
        "version": VERSION,
        "name": "TagSight",
        "devices": {one["id"]: one for one in devices},
        "server": {"id": "0", "name": "FUXA Server", "type": "FuxaServer", "property": {}, "enabled": True, "tags": {}},
        "hmi": {"layout": _layout(), "views": views},
        "charts": [],
        "graphs": [],
        "alarms": [],
        "notifications": [],
        "scripts": [],
        "texts": [],
        "reports": [],
    }


def device_of(tags: Sequence[ListedTag], historian: str) -> str:
    """Id of the device that has the results of a historian: its security is set under this name."""
    assert any(one.historian == historian for one in tags)
    return f"d_{_digest(historian)}"


def _devices(plan: Plan, tags: Sequence[ListedTag], host: str) -> list[dict[str, Any]]:
    devices = []
    for historian in dict.fromkeys(one.historian for one in tags):
        address = endpoint(plan, historian, host)
        own = [_tag(one) for one in tags if one.historian == historian]
        devices.append({"id": device_of(tags, historian), "name": f"TagSight {historian}", "type": "OPCUA",
                        "enabled": True, "polling": POLLING_MS, "property": {"address": address},
                        "tags": {one["id"]: one for one in own}})  # fmt: skip
    return devices


def _tag(one: ListedTag) -> dict[str, Any]:
    return {"id": _tag_id(one), "name": one.name, "label": one.name, "type": one.kind, "address": indexed(one.node_id),
            "description": one.tag.description, "memaddress": "", "divisor": 1, "daq": dict(_NO_HISTORY)}  # fmt: skip


def _tag_id(one: ListedTag) -> str:
    return f"t_{_digest(one.historian, one.name)}"


def _linked(tags: Sequence[ListedTag]) -> dict[str, Linked]:
    """By historian; under "" those of all, the plugin's own from the first historian."""
    found = {name: {one.name: _tag_id(one) for one in tags if one.historian == name} for name in
             dict.fromkeys(one.historian for one in tags)}  # fmt: skip
    everything: dict[str, str] = {}
    for one in tags:
        everything.setdefault(one.name, _tag_id(one))
    return {"": Linked(everything)} | {name: Linked(ids) for name, ids in found.items()}


def _historian(tags: Sequence[ListedTag], model: str) -> str:
    return next(one.historian for one in tags if one.model == model != PLUGIN)


def _layout() -> dict[str, Any]:
    navigation = {"mode": "void", "type": "inline", "bkcolor": GROUND, "fgcolor": INK, "items": []}
    header = {"title": "TagSight", "alarms": "hide", "infos": "hide", "bkcolor": GROUND, "fgcolor": INK, "items": []}
    return {"start": OVERVIEW, "autoresize": False, "navigation": navigation, "header": header,
            "showdev": True, "inputdialog": "false", "zoom": "disabled", "theme": "default",
            "loginonstart": False, "customStyles": ""}  # fmt: skip


def _digest(*words: str) -> str:
    return hashlib.sha256("\0".join(words).encode()).hexdigest()[:16]
