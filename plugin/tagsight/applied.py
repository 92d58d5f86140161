"""Configurations that were applied: dated copies with their authors; the newest is a request to the running service.

    applied/
        2026-11-23T193000.123456Z.yaml      the file as it was, with comments
        2026-11-23T193000.123456Z.json      who, digest, and the plan that it meant (tables of machines included)
        request.json                        names the newest, for the service
        answer.json                         what the service did with it

The service alone takes over, and only what it reads from the file itself: one that was edited again is refused.
"""

import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tagsight.clocks import SECOND
from tagsight.digest import canonical
from tagsight.errors import StorageError
from tagsight.plan import Plan
from tagsight.platform import make_private

MOST_COPIES: Final = 500
"""The oldest go first; the audit trail keeps that they were."""


@dataclass(frozen=True, slots=True)
class Applied:
    """One configuration that was applied.

    Attributes:
        name: of its copies, from the time.
        time_ns: when, UTC ns.
        who: asked for it.
        file: absolute path that it was read from.
        digest: of its plan.
    """

    name: str
    time_ns: int
    who: str
    file: str
    digest: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service did with a request.

    Attributes:
        name: of the request.
        taken: it runs now.
        words: what changed, or why not.
    """

    name: str
    taken: bool
    words: str


@dataclass(frozen=True, slots=True)
class AppliedFolder:
    """The folder; written by `tagsight apply` and the pages, answered by the service."""

    root: Path

    def store(self, text: str, plan: Plan, file: Path, who: str, now_ns: int) -> Applied:
        """Keep a copy of a configuration that was checked, and ask the service to take it over.

        Raises:
            StorageError: the folder cannot be written.
        """
        moment = datetime.fromtimestamp(now_ns // SECOND, tz=UTC)
        name = f"{moment:%Y-%m-%dT%H%M%S}.{now_ns % SECOND // 1_000:06d}Z"
        made = Applied(name, now_ns, who, str(file.absolute()), plan.digest)
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            make_private(self.root)
            _replace(self.root / f"{name}.yaml", text)
            _replace(self.root / f"{name}.json", json.dumps(asdict(made) | {"plan": canonical(plan)}, indent=1))
            _replace(self.root / "request.json", json.dumps(asdict(made)))
            self._forget_oldest()
        except OSError as error:
            raise StorageError(
                what=f"{self.root} cannot be written: {error.strerror}",
                mend="Is the disk full, or does another user own the data folder?",
            ) from error
        return made

    def request(self) -> Applied | None:
        """The newest; None where nothing was applied, or where the file is damaged."""
        said = _read(self.root / "request.json")
        try:
            return Applied(**said) if said else None
        except TypeError:  # written by another version
            return None

    def answer(self) -> Answer | None:
        """Of the service, to the newest that it looked at."""
        said = _read(self.root / "answer.json")
        try:
            return Answer(**said) if said else None
        except TypeError:
            return None

    def give(self, answer: Answer) -> None:
        """Called by the service alone. Raises StorageError."""
        try:
            _replace(self.root / "answer.json", json.dumps(asdict(answer)))
        except OSError as error:
            raise StorageError(
                what=f"{self.root} cannot be written: {error.strerror}", mend="Is the disk full?"
            ) from error

    def copies(self) -> tuple[Applied, ...]:
        """All that are kept, the newest first."""
        found = (_read(path) for path in sorted(self.root.glob("*Z.json"), reverse=True))
        return tuple(
            Applied(said["name"], said["time_ns"], said["who"], said["file"], said["digest"]) for said in found if said
        )

    def text(self, name: str) -> str:
        """The file as it was applied. Raises StorageError where there is no such copy."""
        if name not in {one.name for one in self.copies()}:
            raise StorageError(
                what=f"no configuration was applied as {name}", mend="`tagsight apply --list` lists them."
            )
        return (self.root / f"{name}.yaml").read_text(encoding="utf-8")

    def _forget_oldest(self) -> None:
        for path in sorted(self.root.glob("*Z.json"))[:-MOST_COPIES]:
            path.with_suffix(".yaml").unlink(missing_ok=True)
            path.unlink(missing_ok=True)


def _replace(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    make_private(temporary)
    temporary.replace(path)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return said if isinstance(said, dict) else None
