"""The digest of a plan: what cards and the ledger name it by."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

from tagsight.conditions import Condition
from tagsight.plan import Plan


def digest_of(plan: Plan) -> str:
    """SHA-256 of the plan's canonical JSON: the same for the same meaning, however the file is written."""
    return hashlib.sha256(json.dumps(canonical(plan), sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def canonical(value: Any) -> Any:
    """The plan, or a part of it, as JSON values."""
    plain = value
    match value:
        case Condition():
            plain = value.text
        case ZoneInfo():
            plain = value.key
        case Enum():
            plain = value.value
        case Mapping():
            plain = {str(key): canonical(part) for key, part in value.items()}
        case tuple() | list():
            plain = [canonical(part) for part in value]
        case _ if dataclasses.is_dataclass(value):
            names = [one.name for one in dataclasses.fields(value) if one.name != "digest"]
            plain = {name: canonical(getattr(value, name)) for name in names}
    return plain
