"""The separate OPC UA client: what an HMI sees of TagSight, and whether it equals the ledger."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tagsight.clocks import Clock
from tagsight.data_folder import DataFolder
from tagsight.demo.site import MODEL, Site
from tagsight.ledger.ledger import Ledger
from tagsight_connectors.history import Span
from tagsight_connectors.quality import Quality, quality_of
from tagsight_connectors.reading import read_history
from tagsight_connectors.registry import open_historian

if TYPE_CHECKING:
    from tagsight_connectors.historian import Historian

TOP: Final = tuple(f"Top{rank}_Tag" for rank in range(1, 6))
OUTPUTS: Final = ("Score", "Alarm", "State", "Reason", "Message", *TOP)
COMPARED: Final = ("Score", "Alarm", "State", "Message", "Top1_Tag", "Top1_Share")
MOST: Final = 10_000

Value = float | int | bool | str | None
Row = tuple[int, Value, int]
"""Source time, value, StatusCode."""


def address_of(output: str) -> str:
    """NodeId of one output of the demo's model."""
    return f"nsu=urn:tagsight:results;s={MODEL}/{output}"


@dataclass(frozen=True, slots=True)
class Seen:
    """The outputs at one moment, as a client reads them."""

    time_ns: int
    good: bool
    score: float | None
    alarm: bool
    reason: str
    message: str
    top: tuple[str, ...]


def seen_of(values: Mapping[str, tuple[int, Value, int]]) -> Seen:
    """What the values of `OUTPUTS` say."""
    time_ns, score, status = values["Score"]
    number = float(score) if isinstance(score, int | float) and score == score else None  # noqa: PLR0124 - NaN
    return Seen(
        time_ns=time_ns,
        good=quality_of(status) is Quality.GOOD and number is not None,
        score=number,
        alarm=values["Alarm"][1] == 1,
        reason=_text(values["Reason"][1]),
        message=_text(values["Message"][1]),
        top=tuple(text for name in TOP if (text := _text(values[name][1]))),
    )


def _text(value: Value) -> str:
    return value if isinstance(value, str) else ""


class Viewer:
    """One session with the tag server, as its user `viewer`."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._historian: Historian = open_historian(site.viewer_connection())

    async def connect(self) -> None:
        """Raises a HistorianError while the tag server is not up."""
        await self._historian.connect()

    async def close(self) -> None:
        """End the session."""
        await self._historian.close()

    async def look(self) -> Seen:
        """Read the current outputs."""
        samples = await self._historian.read_current([address_of(output) for output in OUTPUTS])
        rows = {output: (one.time_ns, one.value, one.status) for output, one in zip(OUTPUTS, samples, strict=True)}
        return seen_of(rows)

    async def history(self, span: Span) -> dict[str, list[Row]]:
        """HistoryRead of the compared outputs."""
        addresses = {address_of(output): output for output in COMPARED}
        found = await read_history(self._historian, list(addresses), span)
        return {
            addresses[address]: [
                (int(time), _plain(value), int(status))
                for time, value, status in zip(one.times, one.values, one.status, strict=True)
            ]
            for address, one in found.tags.items()
        }


def ledger_rows(data: DataFolder, clock: Clock, span: Span) -> dict[str, list[Row]]:
    """The same outputs from the ledger."""
    with Ledger.open_reader(data.ledger, clock) as ledger:
        return {
            output: [
                (time, _plain(one.value), one.status)
                for time, one in ledger.output_history(MODEL, output, span.start_ns, span.end_ns, limit=MOST)
            ]
            for output in COMPARED
        }


def _plain(value: object) -> Value:
    """Numbers as float, "no value" and the empty text as None: OPC UA has no difference there."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value
    number = float(value)  # type: ignore[arg-type]
    return None if number != number else number  # noqa: PLR0124 - NaN


def differences(served: Mapping[str, Sequence[Row]], stored: Mapping[str, Sequence[Row]]) -> list[str]:
    """Where two readings of the same outputs differ, in words; empty when they are equal."""
    found = []
    for output in COMPARED:
        here, there = list(served.get(output, ())), list(stored.get(output, ()))
        if here == there:
            continue
        other = sorted(set(map(str, here)) ^ set(map(str, there)))
        found.append(
            f"{output}: {len(here)} values over OPC UA, {len(there)} in the ledger, first difference {other[:2]}"
        )
    return found
