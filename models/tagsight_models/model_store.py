"""The models of an installation: `<root>/<asset>/<name>/<version>/`, and beside them which version is approved.

`approved.json` holds the approvals in order (the last one counts) and the highest version ever given out, and is
signed too, so a version number never comes back and an approval cannot be copied in. One process at a time writes.
"""

import json
import os
import re
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidSignature

from tagsight_models import model_file
from tagsight_models.card import ModelCard
from tagsight_models.errors import ModelFileDamaged, NoSuchModel
from tagsight_models.health import HealthModel

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


@dataclass(frozen=True, slots=True)
class Loaded:
    """A verified model. `refused` are newer approved versions that were damaged, in words: record and show them."""

    model: HealthModel
    card: ModelCard
    version: int
    refused: tuple[str, ...] = ()


class ModelStore:
    """Versions of models on disk.

    Args:
        root: the folder `models` of the data folder.
        key: file of the signing key; made on first use.
    """

    def __init__(self, root: Path, key: Path) -> None:
        self._root = root
        self._key = model_file.signing_key(key)

    def names(self) -> list[str]:
        """`<asset>/<name>` of all models that have a version."""
        folders = sorted(self._root.glob("*/*"))
        return [name for folder in folders if self.versions(name := f"{folder.parent.name}/{folder.name}")]

    def versions(self, name: str) -> list[int]:
        """Versions on disk, ascending; whether they are sound shows when they are loaded."""
        folder = self._folder(name)
        if not folder.is_dir():
            return []
        return sorted(int(entry.name) for entry in folder.iterdir() if entry.name.isdecimal() and entry.is_dir())

    def add(self, name: str, model: HealthModel, card: ModelCard) -> int:
        """Store a new version and return its number. It runs only once approved."""
        folder = self._folder(name)
        folder.mkdir(parents=True, exist_ok=True)
        approvals = self.approvals(name)
        version = max([approvals.highest, *self.versions(name)]) + 1
        with tempfile.TemporaryDirectory(prefix=".new-", dir=folder, ignore_cleanup_errors=True) as temporary:
            made = Path(temporary) / str(version)
            made.mkdir()
            model_file.write(made, model, card, self._key, name=name, version=version)
            made.rename(folder / str(version))
        _sync(folder)
        self._write_approvals(name, replace(approvals, highest=version))
        return version

    def approvals(self, name: str) -> Approvals:
        """Approvals so far.

        Raises:
            ModelFileDamaged: `approved.json` was changed by somebody else.
        """
        path = self._folder(name) / APPROVALS
        if not path.exists():
            return Approvals()
        try:
            said = json.loads(path.read_bytes())
            body, signature = said["approvals"], bytes.fromhex(said["signature"])
            self._key.public_key().verify(signature, _signed_bytes(name, body))
            return Approvals(tuple(Approval(**one) for one in body["history"]), int(body["highest"]))
        except (InvalidSignature, ValueError, KeyError, TypeError) as error:
            raise ModelFileDamaged(str(path), "its signature or schema is wrong") from error

    def approved(self, name: str) -> int | None:
        """The version that runs, None if none was approved."""
        return self.approvals(name).current

    def approve(self, name: str, version: int, who: str) -> None:
        """Let a version run from the next scoring on; it is verified first."""
        self.load(name, version)
        approvals = self.approvals(name)
        self._write_approvals(name, replace(approvals, history=(*approvals.history, Approval(version, who))))

    def rollback(self, name: str, who: str) -> int:
        """Back to the version that was approved before the current one; returns it."""
        approvals = self.approvals(name)
        current = approvals.current
        for earlier in self._fallbacks(approvals):
            if earlier != current:
                self.load(name, earlier)
                done = Approval(earlier, who, rollback=True)
                self._write_approvals(name, replace(approvals, history=(*approvals.history, done)))
                return earlier
        msg = f"{name}: no version was approved before {current}"
        raise NoSuchModel(msg)

    def load(self, name: str, version: int) -> Loaded:
        """Load one version, verified.

        Raises:
            NoSuchModel: not there.
            ModelFileDamaged: not as it was written.
        """
        model, card = model_file.read(self._existing(name, version), self._key, name=name, version=version)
        return Loaded(model, card, version)

    def card(self, name: str, version: int) -> ModelCard:
        """The card of one version, verified."""
        return model_file.read_card(self._existing(name, version), self._key, name=name, version=version)

    def load_approved(self, name: str) -> Loaded:
        """The approved version; where it is damaged, the one that was approved before it, with what was refused.

        Raises:
            NoSuchModel: none was approved.
            ModelFileDamaged: `approved.json` or every approved version is damaged.
        """
        approvals = self.approvals(name)
        if approvals.current is None:
            msg = f"{name} with an approved version"
            raise NoSuchModel(msg)
        refused: list[str] = []
        for version in self._fallbacks(approvals):
            try:
                return replace(self.load(name, version), refused=tuple(refused))
            except (ModelFileDamaged, NoSuchModel) as error:
                refused.append(str(error))
        raise ModelFileDamaged(str(self._folder(name)), "; ".join(refused))

    @staticmethod
    def _fallbacks(approvals: Approvals) -> list[int]:
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

    def _folder(self, name: str) -> Path:
        levels = name.split("/")
        if len(levels) != 2 or not all(LEVEL.fullmatch(level) and level.strip() == level for level in levels):
            msg = f"{name!r}: a name is `<asset>/<name>`"
            raise NoSuchModel(msg)
        return self._root.joinpath(*levels)

    def _existing(self, name: str, version: int) -> Path:
        folder = self._folder(name) / str(int(version))
        if not folder.is_dir():
            msg = f"{name} version {version}"
            raise NoSuchModel(msg)
        return folder

    def _write_approvals(self, name: str, approvals: Approvals) -> None:
        history = [{"version": one.version, "who": one.who, "rollback": one.rollback} for one in approvals.history]
        body = {"history": history, "highest": approvals.highest}
        signature = self._key.sign(_signed_bytes(name, body)).hex()
        path = self._folder(name) / APPROVALS
        temporary = path.with_suffix(".new")
        with temporary.open("w", encoding="utf-8") as file:
            json.dump({"approvals": body, "signature": signature}, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync(path.parent)


def _signed_bytes(name: str, body: dict[str, Any]) -> bytes:
    return json.dumps({"name": name, **body}, sort_keys=True).encode()


def _sync(folder: Path) -> None:
    """Make a rename durable where the system can open folders (not Windows)."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
