"""Tags for Ignition (8.1 and newer): a JSON file that its tag browser imports."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from tagsight.tag_list import ListedTag

SERVER: Final = "TagSight"
"""How the OPC connection is named in Ignition's gateway, unless told otherwise."""

FOLDER: Final = "TagSight"
TYPES: Final = {"Double": "Float8", "Int32": "Int4", "String": "String"}
_FORBIDDEN: Final = re.compile(r"[^\w '\-:()]")


def tags_file(tags: Sequence[ListedTag], server: str = SERVER) -> dict[str, Any]:
    """A folder with one folder for each asset, and in it for each model; read-only but for what operators write.

    Where results are written to several historians, the plugin's own tags are those of the first.
    """
    tree: dict[str, Any] = {}
    seen: set[str] = set()
    for one in tags:
        if one.name not in seen:
            seen.add(one.name)
            *folders, leaf = one.name.split("/")
            place = tree
            for folder in folders:
                place = place.setdefault(folder, {})
            place[leaf] = _tag(one, server)
    return _folder(FOLDER, tree)


def tag_names(names: Iterable[str]) -> dict[str, str]:
    """A name that Ignition accepts for each, all of them different; the first comers keep theirs.

    Ignition takes letters, digits, blanks and _ ' - : ( ), beginning with a letter, a digit or _; it knows no case.
    """
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        plain = _FORBIDDEN.sub("_", name).strip() or "_"
        plain = plain if plain[0].isalnum() or plain[0] == "_" else f"_{plain}"
        number, wanted = 1, plain
        while wanted.casefold() in taken:
            number += 1
            wanted = f"{plain} ({number})"
        taken.add(wanted.casefold())
        found[name] = wanted
    return found


def _folder(name: str, content: dict[str, Any]) -> dict[str, Any]:
    names = tag_names(content)
    inner = [
        {**one, "name": names[key]} if "tagType" in one else _folder(names[key], one) for key, one in content.items()
    ]
    return {"name": name, "tagType": "Folder", "tags": inner}


def _tag(one: ListedTag, server: str) -> dict[str, Any]:
    tag = one.tag
    found: dict[str, Any] = {"name": "", "tagType": "AtomicTag", "valueSource": "opc", "opcServer": server,
                             "opcItemPath": one.node_id, "dataType": TYPES[one.kind],
                             "documentation": tag.description, "readOnly": tag.writable_by is None}  # fmt: skip
    if tag.unit:
        found["engUnit"] = tag.unit
    if tag.eu_range:
        found |= {"engLow": tag.eu_range.low, "engHigh": tag.eu_range.high}
    return found
