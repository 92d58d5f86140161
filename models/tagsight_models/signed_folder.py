"""A folder of files with a manifest (SHA-256 of each) and its Ed25519 signature: verified before anything is read.

A version's folder holds exactly `weights.safetensors`, `model.json`, `card.json`, `manifest.json` and
`manifest.signature`. The manifest names the model and its version, so a folder that is copied over another name or an
old version put in the place of a newer one is refused. It guards against damage and copied-in files, not against
somebody who can read the key. Nothing here imports torch: the service reads cards and approvals by it.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tagsight_models.card import ModelCard
from tagsight_models.errors import ModelFileDamaged

FORMAT: Final = 1
WEIGHTS: Final = "weights.safetensors"
MODEL: Final = "model.json"
CARD: Final = "card.json"
SIGNED: Final = (WEIGHTS, MODEL, CARD)
LARGEST: Final = {WEIGHTS: 200_000_000, MODEL: 5_000_000, CARD: 5_000_000}


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


def write_signed(folder: Path, contents: Mapping[str, bytes], key: Ed25519PrivateKey, name: str, version: int) -> None:
    """Write the files, the manifest and its signature; all are on the disk when this returns."""
    manifest = encoded(
        {
            "format": FORMAT,
            "name": name,
            "version": version,
            "files": {file: {"sha256": _digest(data), "bytes": len(data)} for file, data in contents.items()},
        }
    )
    for file, data in {**contents, "manifest.json": manifest, "manifest.signature": key.sign(manifest)}.items():
        with (folder / file).open("xb") as target:
            target.write(data)
            target.flush()
            os.fsync(target.fileno())


def read_card(folder: Path, key: Ed25519PrivateKey, *, name: str, version: int) -> ModelCard:
    """Verify the folder, then the card alone."""
    contents = verified(folder, key, name=name, version=version)
    try:
        return ModelCard.from_json(contents[CARD].decode())
    except ValueError as error:
        raise ModelFileDamaged(str(folder / CARD), str(error)) from error


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


def encoded(value: object) -> bytes:
    """JSON, sorted: the same value has the same bytes."""
    return json.dumps(value, sort_keys=True, indent=1, allow_nan=False).encode()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
