"""What the tag server serves: the ledger's outputs, the heartbeat file's tags; and where operators' writes go.

Reads a ledger that another process writes. No read transaction is longer than one page of rows.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final

import numpy as np

from tagsight import __version__
from tagsight.clocks import Clock
from tagsight.heartbeat import HeartbeatFile, HeartbeatWatch, PluginStatus, plugin_values
from tagsight.inbox import Inbox, fits
from tagsight.ledger.bindings import BoundModel
from tagsight.ledger.ledger import Ledger
from tagsight.ledger.records import OperatorState, StoredRow
from tagsight.output_tags import (
    FEEDBACK,
    OFF,
    PLUGIN,
    OutputTag,
    identifier_of,
    output_tags,
    plugin_tags,
    served_variable,
    split_identifier,
)
from tagsight.results import OutputValue
from tagsight.served_types import HEALTH, PLUGIN_TYPE
from tagsight_connectors.history import Sample, Span, TagHistory, Values, empty_history
from tagsight_connectors.quality import (
    BAD_OUT_OF_SERVICE,
    BAD_WAITING_FOR_INITIAL_DATA,
    GOOD,
    UNCERTAIN_LAST_USABLE,
    Quality,
    quality_of,
)
from tagsight_connectors.serving import Changes, ClientWrite, ServedVariable
from tagsight_connectors.tag import DataType

PAGE_ROWS: Final = 1_000
"""Rows of one look at the ledger: some 10 ms."""

FRESH: Final = 255
LAST_USABLE: Final = 100
NO_DATA: Final = 1
"""Service levels (OPC 10000-4, 6.6.2.4.2): healthy; degraded (the service does not work, its last outputs are shown);
no data (it was stopped, or never began)."""

STOPPED: Final = "TagSight stopped"
_REASON: Final = "Reason"


class _Condition(Enum):
    """Of the service, as its heartbeat shows it."""

    ALIVE = "alive"
    STALE = "stale"
    STOPPED = "stopped"


@dataclass
class LedgerSource:
    """A `ServedSource` over ledger, heartbeat and inbox, for one server.

    While the heartbeat stands still every output is UncertainLastUsableValue and its reason is "TagSight stopped";
    after an orderly stop it is Bad. Bad stays Bad.
    """

    ledger: Ledger
    heartbeat: HeartbeatFile
    inbox: Inbox
    clock: Clock
    _watch: HeartbeatWatch = field(init=False)
    _condition: _Condition = field(default=_Condition.ALIVE, init=False)
    _shown: PluginStatus | None = field(default=None, init=False)
    _tags: dict[str, OutputTag] = field(default_factory=dict, init=False)
    _highest: dict[tuple[str, str], int] = field(default_factory=dict, init=False)
    _retractions: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._watch = HeartbeatWatch(self.heartbeat, self.clock)

    def structure_version(self) -> str:
        """Changes with the models, their roles and TagSight itself."""
        return f"{__version__} {self.ledger.bindings_digest()}"

    def variables(self) -> Sequence[ServedVariable]:
        """Of every model of the plan, and of the plugin."""
        found = [(PLUGIN, tag) for tag in plugin_tags()]
        for bound in self.ledger.bindings():
            found += [(bound.model, tag) for tag in _tags_of(bound)]
        self._tags = {identifier_of(model, tag.output): tag for model, tag in found}
        return [_typed_variable(model, tag) for model, tag in found]

    def changes(self, position: int) -> Changes:
        """Rows stored since, in their order; sometimes everything.

        That is at the start, when the service stops or comes back, and when results of a wrong clock were taken back.
        A position is a sequence number plus 1, so that it is not 0 (everything) while there is no row yet.
        """
        if not self._tags:
            self.variables()
        condition = self._condition_now()
        retractions = self.ledger.retractions()
        everything = position == 0 or condition is not self._condition or retractions != self._retractions
        self._condition, self._retractions = condition, retractions
        if everything:
            rows: Sequence[StoredRow] = self.ledger.newest_rows()
            self._highest = {(one.row.model, one.row.part): one.row.due_ns for one in rows}
            position = max([position, 1, *(one.sequence + 1 for one in rows)])
            samples = self._samples(rows)
            samples += self._untouched({sample.address for sample in samples})
        else:
            rows = self.ledger.rows_after(position - 1, PAGE_ROWS)
            position = rows[-1].sequence + 1 if rows else position
            samples = self._samples(self._present(rows))
        return Changes([*samples, *self._plugin(everything=everything)], position)

    def history(self, identifier: str, span: Span, at_most: int, after: int) -> tuple[TagHistory, bool]:
        """From the ledger; the plugin's own tags have none."""
        place = split_identifier(identifier)
        text = identifier in self._tags and self._tags[identifier].data_type is DataType.TEXT
        if place is None or place[0] == PLUGIN:
            return empty_history(text=text), False
        model, output = place
        found = self.ledger.output_history(model, output, span.start_ns, span.end_ns, limit=at_most + 1, offset=after)
        return _history([(due_ns, value) for due_ns, value in found[:at_most]], text=text), len(found) > at_most

    def accept(self, write: ClientWrite) -> bool:
        """Store an operator's write in the inbox; False where the value does not fit."""
        if not fits(write.identifier, write.value):
            return False
        self.inbox.append(write)
        return True

    def service_level(self) -> int:
        """As of the last `changes`, for the server's ServiceLevel: clients with a second server choose by it."""
        if self._condition is _Condition.ALIVE:
            return FRESH
        return LAST_USABLE if self._condition is _Condition.STALE and self._watch.status is not None else NO_DATA

    def _condition_now(self) -> _Condition:
        if self._watch.is_alive():
            return _Condition.ALIVE
        return _Condition.STOPPED if self._watch.stopped_orderly() else _Condition.STALE

    def _present(self, rows: Sequence[StoredRow]) -> list[StoredRow]:
        """Without rows of the past (revised, caught up late): they are seen in the history, not as the present."""
        present = []
        for one in rows:
            part = (one.row.model, one.row.part)
            if one.row.due_ns >= self._highest.get(part, 0):
                self._highest[part] = one.row.due_ns
                present.append(one)
        return present

    def _samples(self, rows: Iterable[StoredRow]) -> list[Sample]:
        return [
            self._sample(identifier, one.row.due_ns, value)
            for one in rows
            for value in one.row.values
            if (identifier := identifier_of(one.row.model, value.output)) in self._tags
        ]

    def _sample(self, identifier: str, time_ns: int, value: OutputValue) -> Sample:
        sample = Sample(identifier, time_ns, value.value, value.status)
        if self._condition is _Condition.ALIVE:
            return sample
        if value.output == _REASON:
            sample = replace(sample, value=STOPPED)
        return replace(sample, status=self._stopped_status(sample.status), time_ns=self.clock.now_ns())

    def _stopped_status(self, status: int) -> int:
        if quality_of(status) is Quality.BAD:
            return status
        return BAD_OUT_OF_SERVICE if self._condition is _Condition.STOPPED else UNCERTAIN_LAST_USABLE

    def _untouched(self, known: Collection[str]) -> list[Sample]:
        """What no row has said yet: nothing, or what operators have set."""
        now_ns = self.clock.now_ns()
        states = self.ledger.operator_states()
        found = []
        for identifier in self._tags:
            model, output = split_identifier(identifier) or ("", "")
            if model != PLUGIN and identifier not in known:
                value = _initial_value(output, states.get(model, OperatorState()))
                found.append(self._sample(identifier, now_ns, value))
        return found

    def _plugin(self, *, everything: bool) -> list[Sample]:
        status = self._watch.status
        if status is None:
            status = PluginStatus(heartbeat=0, time_ns=self.clock.now_ns())
        if not everything and status == self._shown:
            return []
        self._shown = status
        values = plugin_values(status)
        return [self._sample(identifier_of(PLUGIN, one.output), status.time_ns, one) for one in values]


def _initial_value(output: str, state: OperatorState) -> OutputValue:
    set_by_operators = {FEEDBACK: 0, "FeedbackCount": state.feedback_count, OFF: int(state.off)}
    if output in set_by_operators:
        return OutputValue(output, set_by_operators[output], GOOD)
    return OutputValue(output, None, BAD_WAITING_FOR_INITIAL_DATA)


def _typed_variable(model: str, tag: OutputTag) -> ServedVariable:
    own = PLUGIN_TYPE if model == PLUGIN else HEALTH
    return served_variable(model, tag, part_of="" if "/" in tag.output else own)


def _tags_of(bound: BoundModel) -> tuple[OutputTag, ...]:
    roles = bound.binding.roles if bound.binding else ()
    return output_tags(bound.model, roles, detail=bound.detail, outputs=bound.outputs, groups=bound.groups)


def _history(found: Sequence[tuple[int, OutputValue]], *, text: bool) -> TagHistory:
    times = np.array([due_ns for due_ns, _ in found], dtype=np.int64)
    status = np.array([value.status for _, value in found], dtype=np.uint32)
    values: Values
    if text:
        values = np.array([value.value if isinstance(value.value, str) else None for _, value in found], dtype=object)
    else:
        values = np.array([_number(value) for _, value in found], dtype=np.float64)
    return TagHistory(times, values, status)


def _number(value: OutputValue) -> float:
    return np.nan if value.value is None or isinstance(value.value, str) else float(value.value)
