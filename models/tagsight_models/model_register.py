"""The models of an installation: `<root>/<asset>/<name>/<version>/`, and beside them which version is approved.

`approved.json` holds the approvals in order (the last one counts) and the highest version ever given out, and is
signed too, so a version number never comes back and an approval cannot be copied in. One process at a time writes.
"""

import json
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidSignature

from tagsight_models.card import ModelCard
from tagsight_models.errors import ModelFileDamaged, NoSuchModel
from tagsight_models.signed_folder import read_card, signing_key, verified

LEVEL: Final = re.compile(r"[^/\\+#$.:*?\"<>|\x00-\x1f\x7f]{1,64}")
APPROVALS: Final = "approved.json"


@dataclass(frozen=True, slots=True)
class Approval:
    """Who let a version run; `rollback` marks that it came back."""

    version: int
    who: str
    rollback: bool = False


@dataclass(frozen=True, slots=True)
class Approvals:
    """What `approved.json` says."""

    history: tuple[Approval, ...] = ()
    highest: int = 0

    @property
    def current(self) -> int | None:
        """The approved version, None if there is none."""
        return self.history[-1].version if self.history else None


class ModelRegister:
    """Versions of models on disk, their cards and approvals. Loads no model: the service needs no torch for it.

    Args:
        root: the folder `models` of the data folder.
        key: file of the signing key; made on first use.
    """

    def __init__(self, root: Path, key: Path) -> None:
        self.root = root
        self.key = signing_key(key)

    def names(self) -> list[str]:
        """`<asset>/<name>` of all models that have a version."""
        folders = sorted(self.root.glob("*/*"))
        return [name for folder in folders if self.versions(name := f"{folder.parent.name}/{folder.name}")]

    def versions(self, name: str) -> list[int]:
        """Versions on disk, ascending; whether they are sound shows when they are loaded."""
        folder = self.folder(name)
        if not folder.is_dir():
            return []
        return sorted(int(entry.name) for entry in folder.iterdir() if entry.name.isdecimal() and entry.is_dir())

    def approvals(self, name: str) -> Approvals:
        """Approvals so far.

        Raises:
            ModelFileDamaged: `approved.json` was changed by somebody else.
        """
        path = self.folder(name) / APPROVALS
        if not path.exists():
            return Approvals()
        try:
            said = json.loads(path.read_bytes())
            body, signature = said["approvals"], bytes.fromhex(said["signature"])
            self.key.public_key().verify(signature, _signed_bytes(name, body))
            return Approvals(tuple(Approval(**one) for one in body["history"]), int(body["highest"]))
        except (InvalidSignature, ValueError, KeyError, TypeError) as error:
            raise ModelFileDamaged(str(path), "its signature or schema is wrong") from error

    def approved(self, name: str) -> int | None:
        """The version that runs, None if none was approved."""
        return self.approvals(name).current

    def approve(self, name: str, version: int, who: str) -> None:
        """Let a version run from the next scoring on; it is verified first."""
        self.verify(name, version)
        approvals = self.approvals(name)
        self.write_approvals(name, replace(approvals, history=(*approvals.history, Approval(version, who))))

    def rollback(self, name: str, who: str) -> int:
        """Back to the version that was approved before the current one; returns it."""
        approvals = self.approvals(name)
        current = approvals.current
        for earlier in self.fallbacks(approvals):
            if earlier != current:
                self.verify(name, earlier)
                done = Approval(earlier, who, rollback=True)
                self.write_approvals(name, replace(approvals, history=(*approvals.history, done)))
                return earlier
        msg = f"{name}: no version was approved before {current}"
        raise NoSuchModel(msg)

    def verify(self, name: str, version: int) -> None:
        """Signature, names, sizes and hashes of a version.

        Raises:
            NoSuchModel: not there.
            ModelFileDamaged: not as it was written.
        """
        verified(self.existing(name, version), self.key, name=name, version=version)

    def card(self, name: str, version: int) -> ModelCard:
        """The card of one version, verified."""
        return read_card(self.existing(name, version), self.key, name=name, version=version)

    @staticmethod
    def fallbacks(approvals: Approvals) -> list[int]:
        """Versions to try, best first. A rollback takes away what it rolled back from."""
        stack: list[int] = []
        for approval in approvals.history:
            if approval.rollback:
                while stack and stack[-1] != approval.version:
                    stack.pop()
            if approval.version in stack:
                stack.remove(approval.version)
            stack.append(approval.version)
        return stack[::-1]

    def folder(self, name: str) -> Path:
        """The folder of all versions of a model; a name that is not two plain levels does not exist."""
        levels = name.split("/")
        if len(levels) != 2 or not all(LEVEL.fullmatch(level) and level.strip() == level for level in levels):
            msg = f"{name!r}: a name is `<asset>/<name>`"
            raise NoSuchModel(msg)
        return self.root.joinpath(*levels)

    def page(self, name: str, version: int) -> Path:
        """Where the page of a version is, beside its folder: it is neither signed nor needed, and may not be there."""
        return self.folder(name) / f"{int(version)}.html"

    def existing(self, name: str, version: int) -> Path:
        """The folder of one version."""
        folder = self.folder(name) / str(int(version))
        if not folder.is_dir():
            msg = f"{name} version {version}"
            raise NoSuchModel(msg)
        return folder

    def write_approvals(self, name: str, approvals: Approvals) -> None:
        """Replace `approved.json`, signed, durable."""
        history = [{"version": one.version, "who": one.who, "rollback": one.rollback} for one in approvals.history]
        body = {"history": history, "highest": approvals.highest}
        signature = self.key.sign(_signed_bytes(name, body)).hex()
        path = self.folder(name) / APPROVALS
        temporary = path.with_suffix(".new")
        with temporary.open("w", encoding="utf-8") as file:
            json.dump({"approvals": body, "signature": signature}, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync(path.parent)


def _signed_bytes(name: str, body: dict[str, Any]) -> bytes:
    return json.dumps({"name": name, **body}, sort_keys=True).encode()


def sync(folder: Path) -> None:
    """Make a rename durable where the system can open folders (not Windows)."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
