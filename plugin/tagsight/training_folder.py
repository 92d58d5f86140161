"""The folder that a training keeps its state in, and the period that a killed one had read.

A killed training goes on with the same data. The folder is beside the versions of the model, is begun when a training
has its data, and goes when it has ended.
"""

import json
from pathlib import Path
from typing import Final

from tagsight_connectors.history import Span

NAME: Final = ".training"
BEGUN: Final = "begun.json"
AT_MOST_NS: Final = 86_400_000_000_000
"""A training that was killed longer ago begins anew, with newer data."""


def training_folder(root: Path, key: str) -> Path:
    """Of a model; `root`: the folder of all models."""
    return root.joinpath(*key.split("/"), NAME)


def begin(folder: Path, plan_hash: str, span: Span) -> None:
    """A training of this time begins, or goes on."""
    folder.mkdir(parents=True, exist_ok=True)
    said = {"plan": plan_hash, "start_ns": span.start_ns, "end_ns": span.end_ns}
    temporary = folder / f"{BEGUN}.new"
    temporary.write_text(json.dumps(said), encoding="utf-8")
    temporary.replace(folder / BEGUN)


def begun(folder: Path, plan_hash: str, now_ns: int) -> Span | None:
    """What a killed training of the same configuration learned from; None where there is none to go on with."""
    try:
        said = json.loads((folder / BEGUN).read_bytes())
        span = Span(said["start_ns"], said["end_ns"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    is_recent = 0 <= now_ns - span.end_ns < AT_MOST_NS
    return span if said["plan"] == plan_hash and is_recent else None
