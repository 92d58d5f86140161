"""What TagSight raises, and the exit code of each branch.

TagSightError                1
├── ConfigurationError       2   every fault of the file at once, with line, setting, value, mend
├── NotAllowed               3   a right, a lock, an approval is missing
│   └── AlreadyRunning
├── NotReady                 4   something that must be there first: a model, a trusted certificate, a user
├── StorageError             5   disk full, damaged ledger, a data folder on a network share
└── CheckFailed              6   a self-check found what it must not find (`demo --once`, `rehearse`)

Errors of the parts (HistorianError 7, ModelError 8) keep their own trees; `exit_code_of` knows them all.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tagsight_connectors.errors import HistorianError
from tagsight_models.errors import ModelError


class TagSightError(Exception):
    """Base of what the application itself raises. `mend` says what the engineer can do."""

    exit_code: int = 1
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a configuration file."""

    line: int
    setting: str
    value: str
    cause: str
    mend: str

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line else ""
        value = f"{self.value}: " if self.value else ""
        return f"{where}{self.setting}: {value}{self.cause}. {self.mend}"


@dataclass
class ConfigurationError(TagSightError):
    """A configuration that cannot be used; all its faults at once."""

    path: str
    faults: Sequence[Fault]
    exit_code = 2

    def __str__(self) -> str:
        count = len(self.faults)
        head = f"{self.path}: {count} fault{'s' if count != 1 else ''}"
        return "\n".join([head, *(f"  {fault}" for fault in self.faults)])


@dataclass
class NotAllowed(TagSightError):
    """Something that needs a right, a lock or an approval."""

    what: str
    mend: str = ""
    exit_code = 3

    def __str__(self) -> str:
        return self.what


@dataclass
class AlreadyRunning(NotAllowed):
    """A second service on the same data folder."""

    what: str = "another TagSight service already uses this data folder"
    mend: str = "Stop it first, or give this one a folder of its own: `--data DIR`."


@dataclass
class NotReady(TagSightError):
    """Something that must exist first."""

    what: str
    mend: str = ""
    exit_code = 4

    def __str__(self) -> str:
        return self.what


@dataclass
class StorageError(TagSightError):
    """The data folder cannot hold what must be held."""

    what: str
    mend: str = ""
    exit_code = 5

    def __str__(self) -> str:
        return self.what


@dataclass
class CheckFailed(TagSightError):
    """A self-check found something that must not be."""

    what: str
    mend: str = ""
    exit_code = 6

    def __str__(self) -> str:
        return self.what


def exit_code_of(error: BaseException) -> int:
    """The exit code of the process that ends with this error."""
    match error:
        case TagSightError():
            return error.exit_code
        case HistorianError():
            return 7
        case ModelError():
            return 8
        case _:
            return 1


def mend_of(error: BaseException) -> str:
    """What the engineer can do about it; "" where the error does not say."""
    return error.mend if isinstance(error, TagSightError | HistorianError | ModelError) else ""
