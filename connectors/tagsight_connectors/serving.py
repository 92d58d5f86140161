"""The seam below an OPC UA server of ours: what it serves, and where writes of its clients go.

Two users: the tag server (results from the ledger, writes to the inbox) and the embedded historian of the demo and
the tests (values from memory). The server itself knows neither.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from tagsight_connectors.history import Sample, Span, TagHistory
from tagsight_connectors.tag import DataType, Range


class UserRole(IntEnum):
    """What a user of the tag server or of the pages may do; each includes the ones below."""

    OPERATOR = 1
    ENGINEER = 2
    ADMIN = 3


@dataclass(frozen=True, slots=True)
class ServedVariable:
    """One variable of the address space.

    Attributes:
        identifier: string identifier below the served namespace; stable for ever: `P101/Health/Score`.
        path: folders and browse name joined by `/`; the folders are made as needed.
        data_type: NUMBER, BOOLEAN or TEXT.
        integer: a NUMBER served as Int32 instead of Double.
        unit: engineering unit, "" for none.
        eu_range: None for none.
        description: one line for people.
        writable_by: the lowest role that may write it; None: read-only.
        definition: how the value is made (OPC 10000-8: `Definition`), "" for none.
        part_of: name of the type (`ServedType`) whose instance the folder of this variable is; "": a plain folder.
    """

    identifier: str
    path: str
    data_type: DataType = DataType.NUMBER
    integer: bool = False
    unit: str = ""
    eu_range: Range | None = None
    description: str = ""
    writable_by: UserRole | None = None
    definition: str = ""
    part_of: str = ""


@dataclass(frozen=True, slots=True)
class ServedType:
    """A type of objects: what every folder that is `part_of` it has.

    Attributes:
        name: of the type: `HealthModelType`.
        description: one line for people.
        variables: with their bare names as paths.
        optional: names of variables that not every instance has.
        folders: names of folders that an instance may have.
    """

    name: str
    description: str
    variables: tuple[ServedVariable, ...]
    optional: frozenset[str] = frozenset()
    folders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ServedTypes:
    """The types of a namespace.

    Attributes:
        uri: of the namespace.
        version: of what it defines.
        published: date of that version, `2026-01-31`.
        types: by which folders are typed.
    """

    uri: str
    version: str
    published: str
    types: tuple[ServedType, ...]


@dataclass(frozen=True, slots=True)
class ClientWrite:
    """A value that a client wrote to a writable variable.

    Attributes:
        identifier: the variable.
        value: of the variable's own type; NaN or "" stands for "no value", which only a Bad status allows.
        user: who is signed in.
        time_ns: when it arrived; for a historian the source time that the client gave. UTC ns.
        status: StatusCode that came with it; 0 (Good) unless the server is a historian.
    """

    identifier: str
    value: float | int | bool | str
    user: str
    time_ns: int
    status: int = 0


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed since a position. `Sample.address` is the identifier of the variable."""

    samples: Sequence[Sample]
    position: int


class ServedSource(Protocol):
    """What an OPC UA server of ours reads from and writes to.

    Calls are short (below 1 s) and may touch a disk; the server makes them in a thread.
    """

    def variables(self) -> Sequence[ServedVariable]:
        """All variables; asked at start and whenever `structure_version` changed."""

    def structure_version(self) -> str:
        """Changes when `variables` would answer differently."""

    def changes(self, position: int) -> Changes:
        """Newest samples after `position` (0: the current value of everything), and the new position."""

    def history(self, identifier: str, span: Span, at_most: int, after: int) -> tuple[TagHistory, bool]:
        """Stored values of one variable in a span (half-open), and whether there are more.

        At most `at_most` values, skipping the first `after`.
        """

    def accept(self, write: ClientWrite) -> bool:
        """Store a client's write durably.

        Returning True lets the server answer Good; False: the value does not fit (BadOutOfRange).
        """
