"""The recorded plant: its tags, two weeks of history, and live values with a fault at a moment of one's choice.

One plant minute is stamped as one second, in history and live alike. Minute 0 is the first live one.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tagsight_connectors.history import Sample, TagHistory
from tagsight_connectors.quality import GOOD
from tagsight_connectors.serving import ServedVariable
from tagsight_connectors.tag import Range

SECOND: Final = 1_000_000_000

HISTORY_MINUTES: Final = 14 * 1440
LIVE_MINUTES: Final = 4 * 1440
ONSET_MINUTES: Final = 20
"""A fault can begin this often."""
FAULT_MINUTES: Final = 300
"""How long it lasts."""
EPISODE_MINUTES: Final = FAULT_MINUTES + 180
"""Until the loop has settled after it."""

ONSETS: Final = range(ONSET_MINUTES, LIVE_MINUTES - EPISODE_MINUTES, ONSET_MINUTES)

UNIT_FOLDER: Final = "Plant/Reactor"
FAULTED_LOOP: Final = "TIC-201"
FAULT_NAME: Final = "the heating surface of loop TIC-201 fouls: the valve has 35 % less effect"


@dataclass(frozen=True, slots=True)
class PlantTag:
    """One instrument of the plant.

    Attributes:
        name: ISA tag name.
        source: its signal in the simulation.
        loop: the control loop that it belongs to.
        unit: engineering unit.
        eu_range: normal range.
        description: what it is.
    """

    name: str
    source: str
    loop: str
    unit: str
    eu_range: Range
    description: str


def _loop(loop: str, letter: str, unit: str, high: float, what: str) -> tuple[PlantTag, PlantTag]:
    number = loop.split("-")[1]
    measured = f"{letter}T-{number}"
    valve = f"{letter}V-{number}"
    return (
        PlantTag(measured, measured, loop, unit, Range(0.0, high), what),
        PlantTag(
            valve, f"{loop}.out", loop, "%", Range(0.0, 100.0), f"Measured valve position, {what[0].lower()}{what[1:]}"
        ),
    )


TAGS: Final[tuple[PlantTag, ...]] = (
    *_loop("FIC-101", "F", "m³/h", 25.0, "Feed flow"),
    *_loop("LIC-102", "L", "%", 100.0, "Level of the feed vessel"),
    *_loop("FIC-103", "F", "m³/h", 16.0, "Additive flow"),
    *_loop("TIC-201", "T", "°C", 200.0, "Reactor temperature"),
    *_loop("TIC-202", "T", "°C", 200.0, "Product temperature"),
)

LOOP_OF: Final = {tag.name: tag.loop for tag in TAGS}


def identifier_of(tag: PlantTag) -> str:
    """NodeId identifier and path of a tag in the historian."""
    return f"{UNIT_FOLDER}/{tag.name}"


def next_onset(minute: int) -> int:
    """The first minute from `minute` on at which a fault can begin."""
    onset = -(-minute // ONSET_MINUTES) * ONSET_MINUTES
    while onset % LIVE_MINUTES not in ONSETS:
        onset += ONSET_MINUTES
    return onset


@dataclass(frozen=True)
class Plant:
    """The recording below a folder."""

    folder: Path = Path(__file__).parent

    @cached_property
    def normal(self) -> dict[str, NDArray[np.float64]]:
        """Every tag over history and live time, without a fault."""
        return _columns(self.folder / "plant.parquet")

    @cached_property
    def faulted(self) -> dict[str, NDArray[np.float64]]:
        """The tags of the faulted loop over all episodes, and `onset`."""
        return _columns(self.folder / "faults.parquet")

    def variables(self) -> list[ServedVariable]:
        """What the historian serves."""
        return [
            ServedVariable(
                identifier=identifier_of(tag), path=identifier_of(tag), unit=tag.unit, eu_range=tag.eu_range,
                description=tag.description,
            )
            for tag in TAGS
        ]  # fmt: skip

    def history(self, live_from_ns: int) -> dict[str, TagHistory]:
        """Everything before the live time, by identifier."""
        times = live_from_ns + np.arange(-HISTORY_MINUTES, 0, dtype=np.int64) * SECOND
        status = np.full(HISTORY_MINUTES, GOOD, dtype=np.uint32)
        return {identifier_of(tag): TagHistory(times, self.normal[tag.name][:HISTORY_MINUTES], status) for tag in TAGS}

    def live(self, minute: int, time_ns: int, onset: int | None = None) -> list[Sample]:
        """The values of one live minute; with a fault since `onset`. After the recording's end it starts again."""
        values = {tag.name: float(self.normal[tag.name][HISTORY_MINUTES + minute % LIVE_MINUTES]) for tag in TAGS}
        if onset is not None and 0 <= minute - onset < EPISODE_MINUTES:
            values |= self._episode(onset % LIVE_MINUTES, minute - onset)
        return [Sample(identifier_of(tag), time_ns, values[tag.name], GOOD) for tag in TAGS]

    def _episode(self, onset: int, since: int) -> dict[str, float]:
        row = int(np.searchsorted(self.faulted["onset"], onset)) + since
        assert self.faulted["onset"][row] == onset
        return {name: float(column[row]) for name, column in self.faulted.items() if name != "onset"}


def _columns(file: Path) -> dict[str, NDArray[np.float64]]:
    table = pq.read_table(file, use_threads=False)
    return {name: table.column(name).to_numpy().astype(np.float64) for name in table.column_names}
