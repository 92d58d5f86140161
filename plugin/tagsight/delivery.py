"""Delivery to a historian's tags: from the outbox to `Historian.write`, and its answers back into the ledger.

A row leaves the outbox only after a Good answer for each of its values. What is refused for good is quarantined with
the refused tags, while the good ones stay written; what cannot be taken now, or whose answer was lost, is sent again:
harmless, because a historian keeps one value for a tag and a source time.

Order: the newest rows of the models go first, in a batch of their own, so operators see the present at once; a batch
of the backlog follows, oldest first, and before the next one it is looked whether there is something newer. Inside a
batch every tag ascends by source time, and a batch that carries older values of a tag ends with its newest one again: a
server that shows the value written last never shows the past as the present.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tagsight.errors import TagSightError
from tagsight.fence import address_of
from tagsight.heartbeat import PluginStatus, plugin_values
from tagsight.ledger.ledger import Ledger
from tagsight.ledger.records import DeliveryState, PendingRow, RefusedTag, Settlement, StoredRow, historian_destination
from tagsight.output_tags import OPERATORS_OUTPUTS, PLUGIN
from tagsight.outputs import OPERATOR_PART
from tagsight.results import OutputRow, OutputValue
from tagsight_connectors.errors import NotConnected
from tagsight_connectors.historian import Historian
from tagsight_connectors.history import Sample, WriteOutcome
from tagsight_connectors.quality import (
    BAD,
    BAD_NO_COMMUNICATION,
    BAD_WAITING_FOR_INITIAL_DATA,
    GOOD,
    Quality,
    quality_of,
)

BATCH_ROWS: Final = 200
"""Rows of one batch: about 4,000 values, below the limits of every server known."""

MOST_ATTEMPTS: Final = 20
"""Answers of the kind "not now" after which a row is quarantined, so that it does not hold up the backlog for ever."""

STOPPED: Final = "TagSight stopped"
"""Reason of every result after an orderly stop."""

NOT_ACCEPTED: Final = 0x801F0000
"""BadUserAccessDenied: how a value is recorded that the accepted list does not have."""

_NOT_NOW: Final = frozenset(
    {
        0x80030000,  # BadOutOfMemory
        0x80040000,  # BadResourceUnavailable
        0x80050000,  # BadCommunicationError
        0x800A0000,  # BadTimeout
        0x800C0000,  # BadShutdown
        0x800D0000,  # BadServerNotConnected
        0x800E0000,  # BadServerHalted
        0x80100000,  # BadTooManyOperations
        0x808A0000,  # BadNotConnected
        BAD_NO_COMMUNICATION,
        BAD_WAITING_FOR_INITIAL_DATA,
    }
)


@dataclass
class AnswersMissing(TagSightError):
    """A historian answered another number of values than were written: a fault of its connector."""

    sent: int
    answered: int
    exit_code = 7

    def __str__(self) -> str:
        return f"{self.sent} values written, {self.answered} answers"


@dataclass(frozen=True, slots=True)
class Way:
    """How results get to one historian.

    Attributes:
        historian: its name in the plan.
        pattern: `results: address`.
        accepted: `fence.allowed_addresses`; empty: nothing is written, everything waits.
        source_times: it takes them. Without, it would show a past value as the present: only the newest rows go.
    """

    historian: str
    pattern: str
    accepted: frozenset[str]
    source_times: bool = True


@dataclass(frozen=True, slots=True)
class Planned:
    """One value of a batch; `settles` is None for a newest value that is only written again."""

    sample: Sample
    settles: int | None


@dataclass(frozen=True, slots=True)
class Batch:
    """What goes out in one call.

    Attributes:
        values: in the order of writing.
        rows: sequence number -> attempts so far, of every row that this batch settles.
        refused: sequence number -> values that the accepted list does not have; they are not sent.
        given_up: sequence numbers of rows of the past that a historian without source times cannot store.
    """

    values: tuple[Planned, ...]
    rows: Mapping[int, int]
    refused: Mapping[int, tuple[RefusedTag, ...]]
    given_up: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What one call of `deliver_once` did.

    Attributes:
        written: rows confirmed.
        quarantined: rows with refused tags.
        waiting: rows that the historian cannot take now, or that wait for the accepted list.
        times_lost: values that the historian stored under its own time, because it refuses source times.
        not_recovered: rows of the past given up for the same reason.
        more: there is more in the outbox; call again.
    """

    written: int = 0
    quarantined: int = 0
    waiting: int = 0
    times_lost: int = 0
    not_recovered: int = 0
    more: bool = False


@dataclass
class BatchSize:
    """How many rows go in one batch: fewer after a lost answer, which leaves the whole batch to be sent again.

    On a wire that loses answers all the time a batch of many requests would never come through.
    """

    rows: int = BATCH_ROWS

    async def deliver(self, ledger: Ledger, historian: Historian, way: Way) -> DeliveryReport:
        """`deliver_once` with as many rows as come through."""
        try:
            report = await deliver_once(ledger, historian, way, self.rows)
        except NotConnected:
            self.rows = max(self.rows // 2, 1)
            raise
        self.rows = min(self.rows * 2, BATCH_ROWS)
        return report


async def deliver_once(ledger: Ledger, historian: Historian, way: Way, limit: int = BATCH_ROWS) -> DeliveryReport:
    """Write what is new, then one batch of the backlog; store the answers of each.

    Raises what `Historian.write` raises; then what was not answered stays pending. After `NotConnected` the host
    reconnects and calls again.
    """
    pending = ledger.pending(historian_destination(way.historian), limit)
    if not pending or not way.accepted:
        return DeliveryReport(waiting=len(pending))
    reports = []
    for live in (True, False):
        lane = [one for one in pending if one.live is live]
        if lane:
            reports.append(await _deliver_batch(ledger, historian, way, lane))
    waiting = sum(one.waiting for one in reports)
    return DeliveryReport(
        written=sum(one.written for one in reports),
        quarantined=sum(one.quarantined for one in reports),
        waiting=waiting,
        times_lost=sum(one.times_lost for one in reports),
        not_recovered=sum(one.not_recovered for one in reports),
        more=len(pending) == limit and waiting < len(pending),
    )


async def _deliver_batch(
    ledger: Ledger, historian: Historian, way: Way, pending: Sequence[PendingRow]
) -> DeliveryReport:
    destination = historian_destination(way.historian)
    rows = [(StoredRow(one.sequence, one.row), one.attempts) for one in pending]
    past = frozenset(one.sequence for one in pending if not one.live)
    if way.source_times:
        batch = plan_batch(rows, _newest_of(ledger, pending), way)
    else:
        batch = plan_batch(rows, (), way, given_up=past)
    outcomes = await historian.write([one.sample for one in batch.values]) if batch.values else ()
    settlements = settlements_of(batch, outcomes, destination)
    ledger.settle(settlements)
    states = [one.state for one in settlements]
    return DeliveryReport(
        written=states.count(DeliveryState.WRITTEN),
        quarantined=states.count(DeliveryState.QUARANTINED),
        waiting=states.count(DeliveryState.PENDING),
        times_lost=sum(not outcome.time_kept for outcome in outcomes),
        not_recovered=states.count(DeliveryState.NOT_RECOVERED),
    )


def _newest_of(ledger: Ledger, pending: Sequence[PendingRow]) -> list[StoredRow]:
    """Of the parts whose newest row is not among the pending ones."""
    live = {(one.row.model, one.row.part) for one in pending if one.live}
    behind = dict.fromkeys((one.row.model, one.row.part) for one in pending if not one.live)
    found = (ledger.newest_row(model, part) for model, part in behind if (model, part) not in live)
    return [row for row in found if row is not None]


def plan_batch(
    rows: Sequence[tuple[StoredRow, int]],
    newest: Iterable[StoredRow],
    way: Way,
    given_up: frozenset[int] = frozenset(),
) -> Batch:
    """Order the rows, put the newest ones of their tags last, and leave out what is not in the accepted list. Pure.

    Rows of `given_up` are settled without being sent.
    """
    sending = {row.sequence for row, _ in rows}
    again = [row for row in newest if row.sequence not in sending]
    ordered = sorted([row for row, _ in rows] + again, key=lambda row: (row.row.due_ns, row.sequence))
    values: list[Planned] = []
    refused: dict[int, tuple[RefusedTag, ...]] = {}
    for row in ordered:
        if row.sequence in given_up:
            continue
        samples = samples_of(row.row, way.pattern)
        settles = row.sequence if row.sequence in sending else None
        values += [Planned(sample, settles) for sample in samples if sample.address in way.accepted]
        outside = tuple(RefusedTag(one.address, NOT_ACCEPTED) for one in samples if one.address not in way.accepted)
        if outside and settles is not None:
            refused[settles] = outside
    return Batch(tuple(values), {row.sequence: attempts for row, attempts in rows}, refused, given_up)


def samples_of(row: OutputRow, pattern: str) -> tuple[Sample, ...]:
    """The values of a row as samples of a historian.

    What operators write is left out: from the outbox an old 0 could come over a feedback given since
    (`tagsight.operator_watch` answers them).
    """
    return tuple(
        Sample(address_of(pattern, row.model, one.output), row.due_ns, one.value, one.status)
        for one in row.values
        if one.output not in OPERATORS_OUTPUTS
    )


def settlements_of(batch: Batch, outcomes: Sequence[WriteOutcome], destination: str) -> tuple[Settlement, ...]:
    """One settlement for each row of the batch. Pure."""
    if len(outcomes) != len(batch.values):
        raise AnswersMissing(len(batch.values), len(outcomes))
    bad: dict[int, list[RefusedTag]] = {sequence: list(tags) for sequence, tags in batch.refused.items()}
    for planned, outcome in zip(batch.values, outcomes, strict=True):
        if planned.settles is not None and quality_of(outcome.status) is not Quality.GOOD:
            bad.setdefault(planned.settles, []).append(RefusedTag(planned.sample.address, outcome.status))
    return tuple(
        Settlement(sequence, destination, DeliveryState.NOT_RECOVERED)
        if sequence in batch.given_up
        else Settlement(sequence, destination, _state(bad.get(sequence, ()), attempts), tuple(bad.get(sequence, ())))
        for sequence, attempts in batch.rows.items()
    )


def _state(bad: Sequence[RefusedTag], attempts: int) -> DeliveryState:
    if not bad:
        return DeliveryState.WRITTEN
    may_pass = any(tag.status & 0xFFFF0000 in _NOT_NOW for tag in bad)
    return DeliveryState.PENDING if may_pass and attempts + 1 < MOST_ATTEMPTS else DeliveryState.QUARANTINED


def stopped_samples(rows: Sequence[OutputRow], time_ns: int, pattern: str) -> tuple[Sample, ...]:
    """The newest values of the models once more, Bad, with the reason: TagSight is not looking any more."""
    values: dict[tuple[str, str], OutputValue] = {
        (row.model, value.output): value for row in rows for value in row.values if row.part != OPERATOR_PART
    }
    values |= {(model, "Reason"): OutputValue("Reason", STOPPED, BAD) for model in {row.model for row in rows}}
    return tuple(
        Sample(address_of(pattern, model, output), time_ns, value.value, BAD)
        for (model, output), value in values.items()
        if output not in OPERATORS_OUTPUTS
    )


def status_samples(status: PluginStatus, pattern: str, *, stopped: bool = False) -> tuple[Sample, ...]:
    """The plugin's own tags for a historian; `Off` is left to the engineers. `stopped`: heartbeat 0, all Bad."""
    code = BAD if stopped else GOOD
    return tuple(
        Sample(address_of(pattern, PLUGIN, one.output), status.time_ns, one.value, code)
        for one in plugin_values(status)
        if one.output not in OPERATORS_OUTPUTS
    )
