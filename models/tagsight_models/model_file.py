"""Model files: safetensors for numbers, JSON for the rest, signed (`signed_folder`). No pickle."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from safetensors import SafetensorError
from safetensors.numpy import load, save

from tagsight_models.card import ModelCard
from tagsight_models.errors import ModelFileDamaged
from tagsight_models.frame import Floats
from tagsight_models.job_model import JobModel
from tagsight_models.kinds import KINDS
from tagsight_models.signed_folder import CARD, FORMAT, MODEL, WEIGHTS, encoded, verified, write_signed

NORMAL = "explain.normal"
"""Among the arrays: normal windows of the training, which are no part of the model."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in a version. `normal`: shape (m, window_steps, roles), None where it was written without."""

    model: JobModel
    card: ModelCard
    normal: Floats | None = None


def write(
    folder: Path,
    model: JobModel,
    card: ModelCard,
    key: Ed25519PrivateKey,
    *,
    name: str,
    version: int,
    normal: Floats | None = None,
) -> None:
    """Write a version into an existing, empty folder; every file is on the disk when this returns."""
    beside = {} if normal is None else {NORMAL: np.ascontiguousarray(normal, dtype=np.float64)}
    contents = {
        WEIGHTS: save({**_tensors(model), **beside}),
        MODEL: encoded({"format": FORMAT, "kind": model.kind, **model.description()}),
        CARD: card.to_json().encode(),
    }
    write_signed(folder, contents, key, name, version)


def read(folder: Path, key: Ed25519PrivateKey, *, name: str, version: int) -> Contents:
    """Verify, then load.

    Raises:
        ModelFileDamaged: anything is not exactly as it was written under this name and version.
    """
    contents = verified(folder, key, name=name, version=version)
    try:
        card = ModelCard.from_json(contents[CARD].decode())
        tensors = load(contents[WEIGHTS])
        normal = tensors.pop(NORMAL, None)
        return Contents(_model(tensors, json.loads(contents[MODEL])), card, normal)
    except (ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise ModelFileDamaged(str(folder), f"its contents do not fit its schema: {error}") from error


def _tensors(model: JobModel) -> dict[str, Floats]:
    return {name: np.ascontiguousarray(value, dtype=np.float64) for name, value in model.tensors().items()}


def _model(tensors: Mapping[str, Floats], said: dict[str, Any]) -> JobModel:
    kind = said.pop("kind")
    if said.pop("format") != FORMAT or kind not in KINDS:
        msg = f"a model of kind {kind!r}, or of another format"
        raise ValueError(msg)
    return KINDS[kind].from_parts(said, tensors)
