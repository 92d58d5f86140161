"""Our own small pages, without NiceGUI: templates of HTML, values filled in as text, and the files that they use."""

import json
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template
from typing import Any, Final, NamedTuple

FOR_GOOD: Final = "public, max-age=31536000, immutable"
_TYPES: Final = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}


class StaticFile(NamedTuple):
    """A file that pages use."""

    content: bytes
    media_type: str


def filled(name: str, values: Mapping[str, str], data: Mapping[str, Any] | None = None) -> str:
    """A template with its values as text; `data` goes in as JSON that a script reads."""
    safe = {key: escape(value, quote=True) for key, value in values.items()}
    told = json.dumps(data or {}, ensure_ascii=True).replace("<", "\\u003c").replace(">", "\\u003e")
    return _template(name).substitute(safe, version=version(), data=told.replace("&", "\\u0026"))


def static_file(name: str) -> StaticFile | None:
    """One of ours; None for any other name."""
    return _files().get(name)


@cache
def version() -> str:
    """Changes when any file does, so that browsers may keep files for good."""
    digest = sha256()
    for name, file in sorted(_files().items()):
        digest.update(name.encode() + file.content)
    return digest.hexdigest()[:12]


@cache
def _files() -> dict[str, StaticFile]:
    folder = files("tagsight.web") / "static"
    found = {}
    for one in folder.iterdir():
        kind = one.name.rpartition(".")[2]
        if kind in _TYPES:
            found[one.name] = StaticFile(one.read_bytes(), _TYPES[kind])
    return found


@cache
def _template(name: str) -> Template:
    return Template((files("tagsight.web") / "static" / name).read_text(encoding="utf-8"))
