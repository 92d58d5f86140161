"""A tag: one signal of a historian, and what the historian says about it."""

from dataclasses import dataclass
from enum import Enum, Flag, auto


class DataType(Enum):
    """What the values of a tag are, as far as TagSight tells them apart."""

    NUMBER = "number"  # every integer and floating type; read as float64
    BOOLEAN = "boolean"  # read as 0.0 and 1.0
    TEXT = "text"
    OTHER = "other"  # arrays and structures: listed, not read


class Access(Flag):
    """What the current user may do with a tag (OPC UA UserAccessLevel, 10000-3, 8.57)."""

    NONE = 0
    READ = auto()
    WRITE = auto()
    READ_HISTORY = auto()
    WRITE_HISTORY = auto()
    WRITE_STATUS = auto()
    WRITE_TIME = auto()


@dataclass(frozen=True, slots=True)
class Range:
    """The EU range: the values that the signal takes in normal operation (OPC 10000-8, 5.3.2.3)."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Tag:
    """One signal.

    Attributes:
        address: what identifies it for ever: for OPC UA `nsu=<namespace URI>;<identifier>` (never the index),
            for a file its column or tag name, for memory its path.
        path: levels of names joined by `/`, without the server's own root: `Plant/P101/Speed`. Patterns match it.
        data_type: see `DataType`.
        unit: engineering unit as shown to people, "" when the historian has none.
        eu_range: None when the historian has none.
        description: "" when there is none.
        historizing: the historian keeps its history.
        access: what we may do with it.
    """

    address: str
    path: str
    data_type: DataType = DataType.NUMBER
    unit: str = ""
    eu_range: Range | None = None
    description: str = ""
    historizing: bool = True
    access: Access = Access.READ | Access.READ_HISTORY

    @property
    def name(self) -> str:
        """The last level of the path: the default role."""
        return self.path.rsplit("/", 1)[-1]
