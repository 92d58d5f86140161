"""Model files: safetensors for numbers, JSON for the rest, a manifest with SHA-256, signed with Ed25519. No pickle.

A version's folder holds exactly `weights.safetensors`, `model.json`, `card.json`, `manifest.json` and
`manifest.signature`. The manifest names the model and its version, so a folder that is copied over another name or an
old version put in the place of a newer one is refused. It guards against damage and copied-in files, not against
somebody who can read the key.
"""

import hashlib
import json
import os
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from safetensors import SafetensorError
from safetensors.numpy import load, save

from tagsight_models.card import ModelCard
from tagsight_models.errors import ModelFileDamaged
from tagsight_models.frame import Floats, Role
from tagsight_models.health import HealthModel, HealthParameters
from tagsight_models.networks.leave_role_out import LeaveRoleOut

FORMAT: Final = 1
WEIGHTS: Final = "weights.safetensors"
SIGNED: Final = (WEIGHTS, "model.json", "card.json")
LARGEST: Final = {WEIGHTS: 200_000_000, "model.json": 5_000_000, "card.json": 5_000_000}
ARRAYS: Final = ("centre", "scale", "spread", "residual_centre", "residual_space", "band")


def signing_key(path: Path) -> Ed25519PrivateKey:
    """The key at `path`; made on first use, readable by its owner only.

    Raises:
        ModelFileDamaged: the file is not an Ed25519 key.
    """
    if not path.exists():
        raw = Ed25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return signing_key(path)
        with os.fdopen(handle, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
    raw = path.read_bytes()
    if len(raw) != 32:
        raise ModelFileDamaged(str(path), "it is not an Ed25519 key of 32 bytes")
    return Ed25519PrivateKey.from_private_bytes(raw)


def write(
    folder: Path, model: HealthModel, card: ModelCard, key: Ed25519PrivateKey, *, name: str, version: int
) -> None:
    """Write a version into an existing, empty folder; every file is on the disk when this returns."""
    contents = {
        WEIGHTS: save(_tensors(model)),
        "model.json": _encoded(_description(model)),
        "card.json": card.to_json().encode(),
    }
    manifest = _encoded(
        {
            "format": FORMAT,
            "name": name,
            "version": version,
            "files": {file: {"sha256": _digest(data), "bytes": len(data)} for file, data in contents.items()},
        }
    )
    contents |= {"manifest.json": manifest, "manifest.signature": key.sign(manifest)}
    for file, data in contents.items():
        with (folder / file).open("xb") as target:
            target.write(data)
            target.flush()
            os.fsync(target.fileno())


def read(folder: Path, key: Ed25519PrivateKey, *, name: str, version: int) -> tuple[HealthModel, ModelCard]:
    """Verify, then load.

    Raises:
        ModelFileDamaged: anything is not exactly as it was written under this name and version.
    """
    contents = verified(folder, key, name=name, version=version)
    try:
        card = ModelCard.from_json(contents["card.json"].decode())
        return _model(load(contents[WEIGHTS]), json.loads(contents["model.json"])), card
    except (ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise ModelFileDamaged(str(folder), f"its contents do not fit its schema: {error}") from error


def read_card(folder: Path, key: Ed25519PrivateKey, *, name: str, version: int) -> ModelCard:
    """Verify, then the card alone."""
    contents = verified(folder, key, name=name, version=version)
    try:
        return ModelCard.from_json(contents["card.json"].decode())
    except ValueError as error:
        raise ModelFileDamaged(str(folder / "card.json"), str(error)) from error


def verified(folder: Path, key: Ed25519PrivateKey, *, name: str, version: int) -> dict[str, bytes]:
    """The signed files' bytes, each read once, after signature, names, sizes and hashes were found right."""
    _only_ours(folder)
    manifest = _bytes(folder / "manifest.json", 1_000_000)
    try:
        key.public_key().verify(_bytes(folder / "manifest.signature", 64), manifest)
    except InvalidSignature as error:
        raise ModelFileDamaged(str(folder / "manifest.json"), "its signature is wrong") from error
    said = _json(folder / "manifest.json", manifest)
    if said.get("format") != FORMAT:
        raise ModelFileDamaged(str(folder), f"its format is {said.get('format')!r}, not {FORMAT}")
    if (said.get("name"), said.get("version")) != (name, version):
        raise ModelFileDamaged(
            str(folder), f"it was signed as {said.get('name')} version {said.get('version')}: a copy or a replay"
        )
    if set(said["files"]) != set(SIGNED):
        raise ModelFileDamaged(str(folder), "the manifest does not name the files of a model")
    contents = {}
    for file in SIGNED:
        contents[file] = _bytes(folder / file, LARGEST[file])
        if _digest(contents[file]) != said["files"][file]["sha256"]:
            raise ModelFileDamaged(str(folder / file), "its hash differs from the manifest")
    return contents


def _only_ours(folder: Path) -> None:
    if folder.is_symlink() or not folder.is_dir():
        raise ModelFileDamaged(str(folder), "it is not a folder")
    wanted = {*SIGNED, "manifest.json", "manifest.signature"}
    found = {entry.name for entry in folder.iterdir()}
    if found != wanted:
        raise ModelFileDamaged(str(folder), f"missing or unexpected files: {', '.join(sorted(found ^ wanted))}")


def _bytes(path: Path, largest: int) -> bytes:
    if path.is_symlink() or not path.is_file():
        raise ModelFileDamaged(str(path), "it is not a regular file")
    with path.open("rb") as file:
        data = file.read(largest + 1)
    if len(data) > largest:
        raise ModelFileDamaged(str(path), f"it is larger than {largest} bytes")
    return data


def _json(path: Path, data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except ValueError as error:
        raise ModelFileDamaged(str(path), "it is not JSON") from error
    if not isinstance(found, dict):
        raise ModelFileDamaged(str(path), "it is not a JSON object")
    return found


def _encoded(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, indent=1, allow_nan=False).encode()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _tensors(model: HealthModel) -> dict[str, Floats]:
    weights = {f"network.{name}": value.numpy() for name, value in model.network.state_dict().items()}
    arrays = {name: getattr(model.parameters, name) for name in ARRAYS}
    return {name: np.ascontiguousarray(value, dtype=np.float64) for name, value in {**weights, **arrays}.items()}


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
    parameters = HealthParameters(
        **{name: tensors.pop(name) for name in ARRAYS}, normal=said["normal"], limit=said["limit"]
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
