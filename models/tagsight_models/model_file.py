"""Model files: safetensors for numbers, JSON for the rest, signed (`signed_folder`). No pickle."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from safetensors import SafetensorError
from safetensors.numpy import load, save

from tagsight_models.card import ModelCard
from tagsight_models.errors import ModelFileDamaged
from tagsight_models.frame import Floats, Role
from tagsight_models.health import HealthModel, HealthParameters
from tagsight_models.networks.leave_role_out import LeaveRoleOut
from tagsight_models.residual_statistic import ResidualStatistic
from tagsight_models.signed_folder import CARD, FORMAT, MODEL, WEIGHTS, encoded, verified, write_signed

ARRAYS: Final = ("centre", "scale", "spread", "band")
STATISTIC: Final = ("centre", "space", "recent_centre", "recent_space", "level_centre", "level_space")


def write(
    folder: Path, model: HealthModel, card: ModelCard, key: Ed25519PrivateKey, *, name: str, version: int
) -> None:
    """Write a version into an existing, empty folder; every file is on the disk when this returns."""
    contents = {
        WEIGHTS: save(_tensors(model)),
        MODEL: encoded(_description(model)),
        CARD: card.to_json().encode(),
    }
    write_signed(folder, contents, key, name, version)


def read(folder: Path, key: Ed25519PrivateKey, *, name: str, version: int) -> tuple[HealthModel, ModelCard]:
    """Verify, then load.

    Raises:
        ModelFileDamaged: anything is not exactly as it was written under this name and version.
    """
    contents = verified(folder, key, name=name, version=version)
    try:
        card = ModelCard.from_json(contents[CARD].decode())
        return _model(load(contents[WEIGHTS]), json.loads(contents[MODEL])), card
    except (ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise ModelFileDamaged(str(folder), f"its contents do not fit its schema: {error}") from error


def _tensors(model: HealthModel) -> dict[str, Floats]:
    weights = {f"network.{name}": value.numpy() for name, value in model.network.state_dict().items()}
    arrays = {name: getattr(model.parameters, name) for name in ARRAYS}
    statistic = {f"statistic.{name}": getattr(model.parameters.statistic, name) for name in STATISTIC}
    tensors = {**weights, **arrays, **statistic}
    return {name: np.ascontiguousarray(value, dtype=np.float64) for name, value in tensors.items()}


def _description(model: HealthModel) -> dict[str, object]:
    return {
        "format": FORMAT,
        "kind": "health",
        "grid_ns": model.grid_ns,
        "window_steps": model.window_steps,
        "lags": list(model.lags),
        "hidden": int(model.network.bias.shape[1]),
        "normal": model.parameters.normal,
        "limit": model.parameters.limit,
        "roles": [{field.name: getattr(role, field.name) for field in fields(Role)} for role in model.roles],
    }


def _model(tensors: dict[str, Floats], said: dict[str, Any]) -> HealthModel:
    if (said["format"], said["kind"]) != (FORMAT, "health"):
        msg = f"a model of kind {said['kind']!r}, format {said['format']!r}"
        raise ValueError(msg)
    roles = tuple(Role(**role) for role in said["roles"])
    network = LeaveRoleOut(len(roles), len(said["lags"]), said["hidden"])
    state = network.state_dict()
    for name in state:
        array = tensors.pop(f"network.{name}")
        if array.shape != tuple(state[name].shape):
            msg = f"shape of {name}"
            raise ValueError(msg)
        state[name] = torch.from_numpy(array.copy())
    network.double().load_state_dict(state)
    statistic = ResidualStatistic(**{name: tensors.pop(f"statistic.{name}") for name in STATISTIC})
    parameters = HealthParameters(
        **{name: tensors.pop(name) for name in ARRAYS}, statistic=statistic, normal=said["normal"], limit=said["limit"]
    )
    if tensors:
        msg = f"unknown tensors {sorted(tensors)}"
        raise ValueError(msg)
    return HealthModel(
        roles,
        network,
        parameters,
        grid_ns=said["grid_ns"],
        window_steps=said["window_steps"],
        lags=tuple(said["lags"]),
    )
