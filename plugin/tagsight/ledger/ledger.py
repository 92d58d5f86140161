"""The ledger: owns the connection; each call is one short transaction on the disk (WAL, `synchronous=FULL`)."""

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tagsight.clocks import Clock
from tagsight.errors import StorageError
from tagsight.ledger import (
    activations,
    audit,
    backlogs,
    bindings,
    comments,
    counters,
    deliveries,
    operators,
    retention,
    retraction,
    rows,
    runs,
    schema,
    targets,
)
from tagsight.ledger.bindings import BoundModel
from tagsight.ledger.database import Database, open_database, open_for_reading
from tagsight.ledger.records import (
    AcceptedTargets,
    Activation,
    AlarmComment,
    AuditEntry,
    Counters,
    DeliveryState,
    Label,
    OperatorAct,
    OperatorState,
    PendingRow,
    Quarantined,
    RetentionStep,
    Settlement,
    StoredRow,
    TickRecord,
)
from tagsight.plan import Retention
from tagsight.planner import Backlog
from tagsight.results import OutputRow, OutputValue, Run
from tagsight_models.frame import Floats, Times

MOST_RUNS: Final = 50_000
"""Runs that one call of `runs` returns at most: what is wanted of a longer span is asked for in parts."""


class Ledger:
    """What TagSight has done, is doing and owes.

    Laws: what a call has returned from is on the disk; a call that raises `StorageError` has changed nothing, and the
    ledger stays usable (a full disk gets room again). May be called from several threads; one at a time gets its turn.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        """Use `open` or `open_reader`."""
        self._database = database
        self._clock = clock

    @classmethod
    def open(cls, path: Path, clock: Clock) -> Self:
        """Open for writing, made if there is none; only the holder of the instance lock does this.

        Raises:
            StorageError: cannot be opened, is damaged, or was written by a newer TagSight.
        """
        return cls(open_database(path, schema.metadata, schema.SCHEMA_VERSION, schema.TRIGGERS, schema.UPGRADES), clock)

    @classmethod
    def open_reader(cls, path: Path, clock: Clock) -> Self:
        """Open for reading beside the service; the folder must be writable all the same (SQLite's `-shm`)."""
        return cls(open_for_reading(path, schema.SCHEMA_VERSION), clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the files; harmless when closed."""
        self._database.close()

    # --- a tick ---

    def record(self, tick: TickRecord) -> int:
        """Store everything of one tick, or nothing of it; the sequence number of the last output row there is."""
        now_ns = self._clock.now_ns()
        with self._database.write() as connection:
            runs.store_runs(connection, tick.runs)
            numbers = rows.store_rows(connection, tick.rows)
            deliveries.store_deliveries(connection, tick.rows, numbers, tick.destinations, now_ns)
            backlogs.note_doubted(connection, tick.doubted)
            runs.store_watermarks(connection, tick.watermarks)
            backlogs.store_backlogs(connection, tick.backlogs)
            activations.store_activations(connection, tick.activations)
            operators.end_shelving_with_alarm(connection, tick.activations)
            operators.note_acted(connection, tick.acted, now_ns)
            if tick.missed:
                counters.count(connection, counters.MISSED, tick.missed)
            return rows.last_sequence(connection)

    # --- runs ---

    def watermark(self, model: str) -> int | None:
        """Newest due time that is done; None before the first."""
        return self.watermarks().get(model)

    def watermarks(self) -> dict[str, int]:
        """Of every model that has one."""
        with self._database.read() as connection:
            return runs.all_watermarks(connection)

    def backlogs(self) -> tuple[Backlog, ...]:
        """Due times before the watermarks that are left for later, oldest first."""
        with self._database.read() as connection:
            return backlogs.all_backlogs(connection)

    def doubted_since(self) -> Mapping[str, int]:
        """Model -> watermark before its historian's clock became doubtful."""
        with self._database.read() as connection:
            return backlogs.all_doubted(connection)

    def believe(self, models: Collection[str]) -> None:
        """The clock of their historian is believed again, and what was recorded meanwhile stays."""
        with self._database.write() as connection:
            backlogs.forget_doubted(connection, models)

    def retract(self, open_again: Backlog) -> int:
        """Take back what one model has after `open_again`, and leave that to be done once more; how many runs went."""
        now_ns = self._clock.now_ns()
        with self._database.write() as connection:
            return retraction.retract(connection, open_again, now_ns)

    def retractions(self) -> int:
        """How often `retract` was called: the newest rows may be older than before."""
        with self._database.read() as connection:
            return counters.counter(connection, counters.RETRACTIONS)

    def digests(self, model: str, start_ns: int, end_ns: int) -> Mapping[int, str]:
        """Due time -> input digest of the runs with `start_ns <= due < end_ns`."""
        with self._database.read() as connection:
            return runs.digests_of(connection, model, start_ns, end_ns)

    def newest_run(self, model: str) -> Run | None:
        """The run with the latest due time."""
        with self._database.read() as connection:
            return runs.newest_run_of(connection, model)

    def runs(self, model: str, start_ns: int, end_ns: int, limit: int = MOST_RUNS) -> tuple[Run, ...]:
        """Runs with `start_ns <= due < end_ns`, ascending."""
        with self._database.read() as connection:
            return runs.runs_of(connection, model, start_ns, end_ns, limit)

    def good_runs(self, model: str, version: int, start_ns: int, end_ns: int, most: int) -> tuple[Run, ...]:
        """At most `most` Good runs of one version with `start_ns <= due < end_ns`, evenly spread, ascending."""
        with self._database.read() as connection:
            return runs.good_runs_of(connection, model, version, start_ns, end_ns, most=most)

    def unexplained(self, model: str, start_ns: int) -> tuple[Run, ...]:
        """Scored runs from `start_ns` on that have neither an explanation nor a reason why not, ascending."""
        with self._database.read() as connection:
            return runs.unexplained_of(connection, model, start_ns)

    def scores(self, model: str, start_ns: int, end_ns: int) -> tuple[Times, Floats]:
        """Due times (ascending) and scores (NaN where not scored) with `start_ns <= due < end_ns`."""
        with self._database.read() as connection:
            return runs.scores_of(connection, model, start_ns, end_ns)

    # --- outputs ---

    def run_tallies(self, start_ns: int, end_ns: int) -> Sequence[tuple[str, int, str, bool, bool, int, int]]:
        """(model, version, reason, scored, stopped, how many, first due time) of runs that are alike, of all models."""
        with self._database.read() as connection:
            return runs.tallies_of(connection, start_ns, end_ns)

    def shadows(self, model: str, version: int, challenger: int) -> tuple[Times, Floats, Floats]:
        """Due times at which both versions scored, scores of `version`, scores of `challenger`; shape (n,) each."""
        with self._database.read() as connection:
            return runs.shadows_of(connection, model, version, challenger)

    def last_sequence(self) -> int:
        """Sequence number of the output row stored last; 0 before the first."""
        with self._database.read() as connection:
            return rows.last_sequence(connection)

    def rows_after(self, sequence: int, limit: int = 1_000) -> tuple[StoredRow, ...]:
        """Output rows stored after `sequence`, in the order of storing."""
        with self._database.read() as connection:
            return rows.rows_stored_after(connection, sequence, limit)

    def newest_rows(self, after: int = 0) -> tuple[StoredRow, ...]:
        """The newest row (by due time) of each (model, part) that was stored after `after`, in that order."""
        with self._database.read() as connection:
            return rows.newest_of_each(connection, after)

    def newest_row(self, model: str, part: str) -> StoredRow | None:
        """The newest row of one part of one model."""
        with self._database.read() as connection:
            return rows.newest_of(connection, model, part)

    def rows_of_part(self, part: str, start_ns: int, end_ns: int) -> tuple[OutputRow, ...]:
        """Rows of one part with `start_ns <= due < end_ns`, of all models, ascending by due time."""
        with self._database.read() as connection:
            return rows.rows_of_part(connection, part, start_ns, end_ns)

    def output_history(
        self, model: str, output: str, start_ns: int, end_ns: int, *, limit: int, offset: int = 0
    ) -> Sequence[tuple[int, OutputValue]]:
        """(due time, value) of one output with `start_ns <= due < end_ns`, ascending, skipping the first `offset`."""
        with self._database.read() as connection:
            return rows.history_of(connection, model, output, start_ns, end_ns, limit=limit, offset=offset)

    # --- outbox ---

    def pending(self, destination: str, limit: int) -> tuple[PendingRow, ...]:
        """The newest row of each model and part first (the live lane), then the backlog, oldest first."""
        with self._database.read() as connection:
            return deliveries.pending_rows(connection, destination, limit)

    def settle(self, settlements: Sequence[Settlement]) -> None:
        """Store what a destination answered. An answer to a row that was revised meanwhile settles nothing."""
        now_ns = self._clock.now_ns()
        with self._database.write() as connection:
            deliveries.settle_deliveries(connection, settlements, now_ns)
            if given_up := deliveries.give_up(connection, settlements, now_ns):
                counters.count(connection, counters.NOT_RECOVERED, given_up)

    def quarantined(self, limit: int = 1_000) -> tuple[Quarantined, ...]:
        """Rows with refused tags, newest first."""
        with self._database.read() as connection:
            return deliveries.quarantined_rows(connection, limit)

    def resend(self, destination: str, who: str) -> int:
        """Put the quarantined rows of a destination back into the outbox; how many."""
        now_ns = self._clock.now_ns()
        with self._database.write() as connection:
            sent = deliveries.send_again(connection, destination)
            audit.append_audit(connection, now_ns, who, "resend", f"{destination}: {sent} deliveries")
            return sent

    def counters(self) -> Counters:
        """What the plugin's tags show."""
        with self._database.read() as connection:
            return Counters(
                buffered=deliveries.count_in_state(connection, DeliveryState.PENDING),
                quarantined=deliveries.count_in_state(connection, DeliveryState.QUARANTINED),
                missed=counters.counter(connection, counters.MISSED),
                not_recovered=counters.counter(connection, counters.NOT_RECOVERED),
            )

    def deliveries_in(self, state: DeliveryState, destination: str | None = None) -> int:
        """How many deliveries are in one state."""
        with self._database.read() as connection:
            return deliveries.count_in_state(connection, state, destination)

    def retain(self, limits: Retention) -> RetentionStep:
        """One small step of retention; call again, with pauses, while `more`. Freed pages go back to the disk."""
        now_ns = self._clock.now_ns()
        with self._database.write() as connection:
            step = retention.retain_step(connection, limits, now_ns)
        if step.deleted:
            self._database.give_back(retention.STEP_ROWS)
        return step

    # --- alarms and operators ---

    def newest_activations(self) -> Mapping[str, Activation]:
        """Model -> its newest alarm, active or not."""
        with self._database.read() as connection:
            return activations.newest_activations(connection)

    def activations(self, start_ns: int, end_ns: int, model: str | None = None) -> tuple[Activation, ...]:
        """Alarms announced in `start_ns <= t < end_ns`, ascending."""
        with self._database.read() as connection:
            return activations.activations_of(connection, model, start_ns, end_ns)

    def comments(self, model: str, announced_ns: int) -> tuple[AlarmComment, ...]:
        """What operators said of one alarm, in the order of storing."""
        with self._database.read() as connection:
            return comments.comments_of(connection, model, announced_ns)

    def newest_comments(self) -> Mapping[str, AlarmComment]:
        """Model -> its newest comment."""
        with self._database.read() as connection:
            return comments.newest_comments(connection)

    def count_activations(self, start_ns: int, end_ns: int) -> int:
        """How many alarms were announced in `start_ns <= t < end_ns`, over all models."""
        with self._database.read() as connection:
            return activations.count_announced(connection, start_ns, end_ns)

    def act(
        self,
        acts: Sequence[OperatorAct],
        row: Callable[[OperatorAct, OperatorState], OutputRow | None] = lambda _act, _state: None,
        destinations: Mapping[str, str] | None = None,
    ) -> tuple[OperatorAct, ...]:
        """Apply what operators did, each exactly once by its `entry`; those that were applied now.

        `row` makes the output row that shows the new state; it is stored and owed in the same transaction.
        """
        now_ns = self._clock.now_ns()
        applied: list[OperatorAct] = []
        with self._database.write() as connection:
            for act in acts:
                if not operators.first_time(connection, act.entry, now_ns):
                    continue
                applied.append(act)
                shown = row(act, operators.apply_act(connection, act))
                if shown is not None:
                    numbers = rows.store_rows(connection, [shown])
                    deliveries.store_deliveries(connection, [shown], numbers, destinations or {}, now_ns)
        return tuple(applied)

    def acted(self, entries: Collection[str]) -> frozenset[str]:
        """Those of the entries whose effect is here already."""
        with self._database.read() as connection:
            return operators.acted_of(connection, entries)

    def operator_state(self, model: str) -> OperatorState:
        """What operators have set for a model; the plugin's own under `TagSight`."""
        with self._database.read() as connection:
            return operators.state_of(connection, model)

    def operator_states(self) -> Mapping[str, OperatorState]:
        """Of every model that somebody has touched."""
        with self._database.read() as connection:
            return operators.all_states(connection)

    def labels(self, model: str) -> tuple[Label, ...]:
        """What operators said about the alarms of a model."""
        with self._database.read() as connection:
            return operators.labels_of(connection, model)

    # --- bindings, accepted targets, audit ---

    def bind(self, bound: BoundModel) -> None:
        """Keep what a model reads; without a binding: only that the model is in the plan."""
        with self._database.write() as connection:
            bindings.store_binding(connection, bound)

    def keep_bindings(self, models: Collection[str]) -> None:
        """Forget the bindings of models that the plan no longer has."""
        with self._database.write() as connection:
            bindings.keep_only(connection, models)

    def binding(self, model: str) -> BoundModel | None:
        """What a model reads; None for a model that is not known."""
        with self._database.read() as connection:
            return bindings.binding_of(connection, model)

    def bindings(self) -> tuple[BoundModel, ...]:
        """Of every model, by key."""
        with self._database.read() as connection:
            return bindings.all_bindings(connection)

    def bindings_digest(self) -> str:
        """Changes when any binding changes."""
        with self._database.read() as connection:
            return bindings.bindings_digest(connection)

    def accept_targets(self, historian: str, digest: str, addresses: Sequence[str], who: str) -> None:
        """Keep the list of tags that may be written to, with an entry in the audit trail."""
        now_ns = self._clock.now_ns()
        with self._database.write() as connection:
            targets.store_accepted(connection, historian, digest, addresses, who=who, now_ns=now_ns)

    def accepted_targets(self, historian: str) -> AcceptedTargets | None:
        """None before the first acceptance."""
        with self._database.read() as connection:
            return targets.accepted_of(connection, historian)

    def audit(self, who: str, what: str, detail: str = "") -> AuditEntry:
        """Add an entry to the audit trail."""
        now_ns = self._clock.now_ns()
        with self._database.write() as connection:
            return audit.append_audit(connection, now_ns, who, what, detail)

    def audit_entries(self, after: int = 0, limit: int = 1_000) -> tuple[AuditEntry, ...]:
        """In the order of writing."""
        with self._database.read() as connection:
            return audit.audit_entries(connection, after, limit)

    def note(self, notes: Sequence[tuple[str, int, str, str, str]]) -> None:
        """Add (inbox entry, UTC ns, who, what, detail) to the audit trail, each exactly once by its entry."""
        now_ns = self._clock.now_ns()
        if not notes:
            return
        with self._database.write() as connection:
            for entry, time_ns, who, what, detail in notes:
                if operators.first_time(connection, entry, now_ns):
                    audit.append_audit(connection, time_ns, who, what, detail)

    def newest_audit(self, before: int, limit: int) -> tuple[AuditEntry, ...]:
        """The newest entries with a number below `before`, the newest first; `before` 0: from the end."""
        with self._database.read() as connection:
            return audit.newest_entries(connection, before, limit)

    def last_audit(self) -> int:
        """Number of the newest entry; 0 before the first. What operators do always adds one."""
        with self._database.read() as connection:
            return audit.last_number(connection)

    def verify_audit(self) -> int:
        """Check the chain of the audit trail; the number of its entries. Raises StorageError where it is broken."""
        with self._database.read() as connection:
            return audit.verify_audit(connection)

    def check(self) -> None:
        """Read the whole database and look for damage; minutes for a large one. Raises StorageError."""
        with self._database.alone() as connection:
            found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
        if found != "ok":
            raise StorageError(
                what=f"{self._database.path} is damaged: {found}",
                mend="Stop TagSight, put a copy from a backup in its place, and start it again.",
            )
