"""Which aggregates there are, how they treat doubtful data, and what a processed read returns."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from tagsight_connectors.history import TagHistory

UNCERTAIN_DATA_SUB_NORMAL: Final = 0x40A40000
BAD_NO_DATA: Final = 0x809B0000

# Aggregate bits of a StatusCode (OPC 10000-4, 7.39): info type "data value" and where the value comes from.
CALCULATED: Final = 0x0401
INTERPOLATED: Final = 0x0402
PARTIAL: Final = 0x0404
MULTIPLE_VALUES: Final = 0x0410

NO_LIMIT: Final = 2**62
"""A search for bounding values that ends with the data."""


class Aggregate(Enum):
    """Aggregates by their names in OPC 10000-13, 5.4.3."""

    AVERAGE = "Average"
    TIME_AVERAGE = "TimeAverage"
    INTERPOLATIVE = "Interpolative"
    MINIMUM = "Minimum"
    MAXIMUM = "Maximum"
    COUNT = "Count"
    DURATION_GOOD = "DurationGood"  # milliseconds
    PERCENT_GOOD = "PercentGood"

    @property
    def bounded(self) -> bool:
        """It needs the values before and after an interval."""
        return self is not Aggregate.AVERAGE

    @property
    def of_values(self) -> bool:
        """It computes with the values, which must be numbers; the others ask for their qualities alone."""
        return self not in {Aggregate.COUNT, Aggregate.DURATION_GOOD, Aggregate.PERCENT_GOOD}


class Computer(Enum):
    """Who computed an aggregate."""

    SERVER = "server"
    TAGSIGHT = "TagSight"


@dataclass(frozen=True, slots=True)
class AggregateConfiguration:
    """How doubtful data count (OPC 10000-13, 4.2.1.2), with the defaults of the standard.

    Attributes:
        treat_uncertain_as_bad: Uncertain values count as Bad; else as Good, and the result is Uncertain.
        percent_data_bad: from this share of Bad data on, a result is Bad.
        percent_data_good: from this share of Good data on, a result is Good; between the two it is Uncertain.
        sloped_extrapolation: behind the last value its slope goes on; else the value is held.
        stepped: values hold until the next one; else they are points of a line. A property of the tag: it is no part
            of a request, and a server applies its own.
    """

    treat_uncertain_as_bad: bool = True
    percent_data_bad: int = 100
    percent_data_good: int = 100
    sloped_extrapolation: bool = False
    stepped: bool = False


STANDARD: Final = AggregateConfiguration()


@dataclass(frozen=True, slots=True)
class ProcessedHistory:
    """What a processed read returned.

    Attributes:
        tags: address -> one value for each interval, at its start (or for each time asked for), with its status;
            NaN and Bad_NoData where there is none.
        computed_by: address -> who computed.
    """

    tags: Mapping[str, TagHistory]
    computed_by: Mapping[str, Computer]
