"""One tick: what is due is read, scored by the worker, judged and recorded, in one transaction.

A tick needs no memory of the one before: the ledger's watermark says what is due, so a tick that was missed is made
good by the next one, and one that comes twice finds nothing to do (design law 7). What a long stop has left is made
good beside the ticks, slice by slice, each in one transaction too (`tagsight.planner`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from tagsight.arrival import LEAST_WAIT_NS
from tagsight.averages import Source, read_sources, sources_of
from tagsight.binding import Binding
from tagsight.connections import Link
from tagsight.framing import READ_BEYOND_NS, live_span, reading_starts
from tagsight.laboratory import Laboratory
from tagsight.ledger.ledger import Ledger
from tagsight.ledger.records import Activation, TickRecord
from tagsight.plan import ModelPlan
from tagsight.planner import Backlog, Due, Rhythm, due_of_all, slice_of_backlogs
from tagsight.recording import Explainable, Recorded, Recorder
from tagsight.results import OutputRow, Run
from tagsight.scoring_task import LabReading, ModelFacts, ScoredRun, ScoreTask, StorePlace
from tagsight.workers import Task, Worker, WorkerFailure
from tagsight_connectors.errors import HistorianError, IncompleteRead, NotConnected, UnknownTag
from tagsight_connectors.historian import Historian
from tagsight_connectors.history import History, Span, TagHistory
from tagsight_connectors.live_values import LiveValues
from tagsight_connectors.quality import BAD, BAD_NO_COMMUNICATION, BAD_NO_DATA, UNCERTAIN, Quality, quality_of
from tagsight_models.gates import GateLimits

MOST_NAMED: Final = 3

SECONDS_A_TASK: Final = 5.0
SECONDS_AT_LEAST: Final = 60.0

POSTPONED_S: Final = 60.0
"""Before a model is asked for again whose past could not be read."""

AHEAD_NS: Final = 30_000_000_000
"""So far, and one interval, a watermark may be ahead of the historian's time; a clock that is corrected does that."""

MINUTE_NS: Final = 60_000_000_000
BEHIND_WATERMARK: Final = "not scored: the historian's clock went back behind what is scored already"

Trouble = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Participant:
    """A model that can be scored: planned, bound, and with an approved version."""

    plan: ModelPlan
    binding: Binding
    facts: ModelFacts
    limits: GateLimits

    @classmethod
    def of(cls, plan: ModelPlan, binding: Binding, facts: ModelFacts) -> "Participant":
        """The gates are those of the model's card."""
        return cls(plan, binding, facts, GateLimits.from_json(facts.card.gates))

    @property
    def sources(self) -> dict[str, Source]:
        """Role -> what is read for it: its address, or averages of it as in training."""
        return sources_of(self.binding, self.facts.card.gates, self.facts.card.grid_ns)

    def starts(self, due_ns: int) -> dict[Source, int]:
        """Source -> from when it must be read to score `due_ns`."""
        card = self.facts.card
        start, _ = live_span(due_ns, card.window_steps, card.grid_ns, self.limits, self.plan.running_buffer_ns)
        by_name = reading_starts(start, card.grid_ns, self.limits)
        found: dict[Source, int] = {}
        for name, source in (*self.sources.items(), *self.binding.operands.items()):
            found[source] = min(found.get(source, start), by_name.get(name, start))
        return found

    @property
    def target(self) -> str | None:
        """Address of the laboratory value that corrects it, None where there is none."""
        asked = "target_back_ns" in self.facts.card.asks
        return next(iter(self.binding.beside.values()), None) if asked else None

    @property
    def wait_ns(self) -> int:
        """How long it waits for late values: as set, else as measured beside the training, else 5 s."""
        given = self.plan.score.wait_ns
        return given if given is not None else self.binding.wait_ns or LEAST_WAIT_NS

    @property
    def rhythm(self) -> Rhythm:
        """When it is due; the interval is a whole multiple of the model's grid."""
        grid, every = self.facts.card.grid_ns, self.plan.score.every_ns
        return Rhythm(
            model=self.plan.key,
            every_ns=-(-max(every, grid) // grid) * grid,
            wait_ns=self.wait_ns,
            late_ns=self.plan.score.late_ns,
            catch_up_ns=self.plan.score.catch_up_ns,
        )


@dataclass(frozen=True, slots=True)
class TickOutcome:
    """What a tick did.

    Attributes:
        scored: runs recorded.
        missed: due times counted as missed.
        explainable: runs that wait for an explanation.
        activations: alarms announced, cleared or revised.
        more: there is a backlog that can be worked off: `catch_up`.
    """

    scored: int = 0
    missed: int = 0
    explainable: tuple[Explainable, ...] = ()
    activations: tuple[Activation, ...] = ()
    more: bool = False


@dataclass
class Ticker:
    """Does the ticks of one historian's models.

    Attributes:
        link: connection and time of the historian.
        worker: that scores.
        place: of the model store.
        ledger: where everything goes.
        recorder: judges.
        destinations: model -> where its results are owed.
        on_trouble: (what, why) for the log.
    """

    link: Link
    worker: Worker
    place: StorePlace
    ledger: Ledger
    recorder: Recorder
    destinations: Mapping[str, str]
    on_trouble: Trouble
    _told: dict[frozenset[str], str] = field(init=False, default_factory=dict)
    _substituted: set[str] = field(init=False, default_factory=set)
    _postponed: dict[str, float] = field(init=False, default_factory=dict)
    _laboratories: dict[tuple[str, int], Laboratory] = field(init=False, default_factory=dict)

    async def tick(self, participants: Sequence[Participant]) -> TickOutcome:
        """Do what is due. Raises StorageError when the ledger cannot take it: then nothing of it was done."""
        by_key = {one.plan.key: one for one in participants}
        now_ns = self.link.now_ns() if self.link.connected else await self._time()
        self._watch_clock()
        self._watch_subscription()
        self._watch_watermarks(participants, now_ns)
        found = due_of_all([one.rhythm for one in participants], self.ledger.watermarks(), now_ns)
        if not found and self.link.connected:
            await self._time()  # nothing else may ask, as long as a clock that went back leaves nothing due
        done = _together([await self._group(group, by_key) for group in _alike(found)])
        return replace(done, more=bool(self._backlogs(participants)))

    async def catch_up(self, participants: Sequence[Participant]) -> TickOutcome:
        """Do one slice of what a stop has left, so short that a tick can wait for it. Raises StorageError."""
        by_key = {one.plan.key: one for one in participants}
        backlogs = self._backlogs(participants)
        if not backlogs or not self.link.connected:
            return TickOutcome()
        group = slice_of_backlogs([one.rhythm for one in participants], backlogs, self.link.now_ns())
        done = await self._past(group, by_key)
        return replace(done, more=bool(self._backlogs(participants)))

    async def scored_again(self, one: Participant, runs: Sequence[Run]) -> list[ScoredRun]:
        """What scoring these runs gives now, windows included; nothing is recorded. Raises HistorianError."""
        due = Due(one.plan.key, tuple(run.due_ns for run in runs), (), 0, runs[-1].due_ns)
        history = await self._read([due], [one])
        task = replace(self._task(one, due, history), known={})
        return (await self._score([task])).get(one.plan.key, [])

    def _backlogs(self, participants: Sequence[Participant]) -> list[Backlog]:
        """That can be worked off now."""
        now = self.link.clock.monotonic()
        self._postponed = {model: until for model, until in self._postponed.items() if until > now}
        mine = {one.plan.key for one in participants} - self._postponed.keys()
        return [one for one in self.ledger.backlogs() if one.model in mine]

    async def _past(self, group: Sequence[Due], by_key: Mapping[str, Participant]) -> TickOutcome:
        """One slice; a model whose past cannot be read now is asked for again later, and holds up no other one."""
        with_dues = [due for due in group if due.fresh]
        try:
            history = await self._read(with_dues, [by_key[due.model] for due in with_dues]) if with_dues else None
        except HistorianError as error:
            if len(group) > 1 and not isinstance(error, NotConnected):
                return _together([await self._past([due], by_key) for due in group])
            again_s = self.link.clock.monotonic() + POSTPONED_S
            self._postponed |= dict.fromkeys((due.model for due in group), again_s)
            self._tell((due.model for due in group), str(error))
            return TickOutcome()
        tasks = await self._tasks(with_dues, by_key, history) if history else []
        scored = await self._score(tasks)
        return self._recorded_past(group, by_key, scored)

    def _recorded_past(
        self,
        group: Sequence[Due],
        by_key: Mapping[str, Participant],
        scored: Mapping[str, Sequence[ScoredRun]],
    ) -> TickOutcome:
        believed = {model: self._believed(runs) for model, runs in scored.items()}
        made = [self.recorder.record_past(by_key[model].plan, runs) for model, runs in believed.items()]
        record = TickRecord(
            runs=tuple(run for each in made for run in each.runs),
            rows=tuple(row for each in made for row in each.rows),
            destinations=self.destinations,
            missed=sum(due.missed for due in group),
            backlogs=tuple(due.behind for due in group if due.behind is not None),
        )
        self.ledger.record(record)
        waiting = tuple(each for one in made for each in one.explainable)
        return TickOutcome(len(record.runs), record.missed, waiting)

    async def _time(self) -> int:
        """The historian's time needs a connection; without one the last known time goes on."""
        try:
            await self.link.use(_nothing)
        except HistorianError as error:
            self._tell([self.link.name], str(error))
        else:
            self._well([self.link.name])
        return self.link.now_ns()

    async def _group(self, group: Sequence[Due], by_key: Mapping[str, Participant]) -> TickOutcome:
        """Models that are due at the same times; one whose tag is missing does not keep the others waiting."""
        left = list(group)
        unavailable: dict[str, _Unavailable] = {}
        history: History | None = None
        while left and history is None:
            reading = [by_key[due.model] for due in left]
            try:
                history = await self._read(left, reading)
            except HistorianError as error:
                blamed = _blamed(error, reading)
                disconnected = isinstance(error, NotConnected)
                if len(blamed) > 1 and len(blamed) == len(reading) and not disconnected:  # who is it? one by one
                    return _together([await self._group([due], by_key) for due in group])
                status = BAD_NO_COMMUNICATION if disconnected else BAD_NO_DATA
                unavailable |= dict.fromkeys(blamed, _Unavailable(status, str(error)))
                left = [due for due in left if due.model not in blamed]
                self._tell(blamed, str(error))
        self._well(due.model for due in left)
        tasks = await self._tasks(left, by_key, history) if history else []
        scored = await self._score(tasks)
        return self._recorded(group, by_key, scored, unavailable)

    async def _read(self, group: Sequence[Due], reading: Sequence[Participant]) -> History:
        """Every tag from when it is needed: what is stored seldom is read further back, in a read of its own."""
        starts: dict[str, int] = {}
        for due, one in zip(group, reading, strict=True):
            first = min((*due.again, *due.fresh), default=due.until_ns)
            for address, start in one.starts(first).items():
                starts[address] = min(start, starts.get(address, start))
        end = max(due.until_ns for due in group) + READ_BEYOND_NS
        history: dict[str, TagHistory] = {}
        for addresses in _alike_starts(starts, end):
            span = Span(min(starts[address] for address in addresses), end)
            found = await self.link.use(partial(self._read_all, addresses, span))
            history |= found.tags
        return History(Span(min(starts.values(), default=end), end), history)

    async def _read_all(self, sources: Sequence[Source], span: Span, historian: Historian) -> History:
        return await read_sources(sources, span, historian, self._substitute)

    def _substitute(self, address: str) -> None:
        """Said once: the numbers follow the same rules, but the historian that the model learned from may differ."""
        if address not in self._substituted:
            self._substituted.add(address)
            self.on_trouble(address, "its averages are computed by TagSight, in training the historian did")

    async def _tasks(
        self, group: Sequence[Due], by_key: Mapping[str, Participant], history: History
    ) -> list[ScoreTask]:
        tasks = [self._task(by_key[due.model], due, history) for due in group]
        return [
            replace(task, laboratory=await self._laboratory_of(by_key[due.model], due))
            if by_key[due.model].target is not None
            else task
            for due, task in zip(group, tasks, strict=True)
        ]

    async def _laboratory_of(self, one: Participant, due: Due) -> tuple[LabReading, ...]:
        """Recent laboratory values; where they cannot be read now, the soft sensor goes on without."""
        target, asks = one.target, one.facts.card.asks
        assert target is not None  # asked for those that have one

        async def values(span: Span) -> TagHistory:
            return (await self.link.use(partial(self._read_all, [target], span))).tags[target]

        async def inputs(time_ns: int) -> Mapping[str, TagHistory]:
            end_ns = time_ns // one.facts.card.grid_ns * one.facts.card.grid_ns
            found = await self._read([Due(one.plan.key, (end_ns,), (), 0, end_ns)], [one])
            return {role: found.tags[source] for role, source in one.sources.items()}

        kept = self._laboratories.setdefault((one.plan.key, one.facts.version), Laboratory())
        try:
            span = Span(due.until_ns - asks["target_back_ns"], due.until_ns + 1)
            return await kept.readings(span, values, inputs, asks["target_values"])
        except HistorianError as error:
            self._tell([f"{one.plan.key} laboratory values"], str(error))
            return ()

    def _task(self, one: Participant, due: Due, history: History) -> ScoreTask:
        times = (*due.again, *due.fresh)
        looked_at = due.again or due.fresh  # a backlog may have been scored before, by a clock that was wrong
        known = self.ledger.digests(due.model, looked_at[0], looked_at[-1] + 1)
        again = [time for time in due.again if time in known]
        return ScoreTask(
            plan=one.plan,
            roles=one.binding.roles,
            history={role: history.tags[source] for role, source in one.sources.items()},
            operands={name: history.tags[address] for name, address in one.binding.operands.items()},
            due=tuple(time for time in times if time in again or time not in due.again),
            known=known,
        )

    async def _score(self, tasks: Sequence[ScoreTask]) -> dict[str, list[ScoredRun]]:
        """The worker's answer; when it fails, model by model, so that one bad model does not stop the others."""
        if not tasks:
            return {}
        try:
            return await self._asked(tasks)
        except WorkerFailure as failure:
            self.on_trouble("scoring", f"{failure}; {failure.detail}")
            if len(tasks) == 1:
                return {tasks[0].plan.key: _failed(tasks[0], failure)}
        found: dict[str, list[ScoredRun]] = {}
        for task in tasks:
            found |= await self._score([task])
        return found

    async def _asked(self, tasks: Sequence[ScoreTask]) -> dict[str, list[ScoredRun]]:
        seconds = max(SECONDS_AT_LEAST, SECONDS_A_TASK * len(tasks)) if len(tasks) > 1 else SECONDS_AT_LEAST
        answers = await self.worker.run(Task("score", (self.place, tuple(tasks)), seconds))
        return {task.plan.key: runs for task, runs in zip(tasks, answers, strict=True)}

    def _recorded(
        self,
        group: Sequence[Due],
        by_key: Mapping[str, Participant],
        scored: Mapping[str, Sequence[ScoredRun]],
        unavailable: Mapping[str, "_Unavailable"],
    ) -> TickOutcome:
        made: list[Recorded] = []
        rows: list[OutputRow] = []
        unknown = self._unknown(group)
        for due in group:
            one = by_key[due.model]
            if due.model in unavailable:
                why = unavailable[due.model]
                rows += self.recorder.unavailable(one.plan, due.until_ns, one.facts.version, why.status, why.reason)
            else:
                believed = self._believed(scored.get(due.model, ()))
                made.append(self.recorder.record(one.plan, one.rhythm.every_ns, believed, unknown.get(due.model, ())))
        done = [due for due in group if due.model not in unavailable]
        record = TickRecord(
            runs=tuple(run for each in made for run in each.runs),
            rows=(*rows, *(row for each in made for row in each.rows)),
            destinations=self.destinations,
            watermarks={due.model: due.until_ns for due in done},
            activations=tuple(activation for each in made for activation in each.activations),
            missed=sum(due.missed for due in done),
            backlogs=tuple(due.behind for due in done if due.behind is not None),
            doubted=self._doubted_now(done),
        )
        self.ledger.record(record)
        waiting = tuple(each for one in made for each in one.explainable)
        return TickOutcome(len(record.runs), record.missed, waiting, tuple(record.activations))

    def _believed(self, scored: Sequence[ScoredRun]) -> list[ScoredRun]:
        doubt = self.link.clock_trouble
        return [_doubted(each, doubt) if doubt else each for each in scored]

    def _unknown(self, group: Sequence[Due]) -> dict[str, list[int]]:
        """Model -> a due time of each stretch that is not scored yet."""
        found: dict[str, list[int]] = {}
        for one in (*self.ledger.backlogs(), *(due.behind for due in group if due.behind is not None)):
            found.setdefault(one.model, []).append(one.last_ns)
        return found

    def _doubted_now(self, done: Sequence[Due]) -> dict[str, int]:
        """Model -> where its watermark stood, while the historian's time is not believed; 0: it had none."""
        if not self.link.clock_trouble:
            return {}
        before = self.ledger.watermarks()
        return {due.model: before.get(due.model, 0) for due in done}

    def _watch_watermarks(self, participants: Sequence[Participant], now_ns: int) -> None:
        """Due times were scored that have not come yet: the historian's clock has been put back.

        What was recorded while that clock was not believed is taken back, and everything from the last due time before
        is done once more. Where there was no doubt, or its beginning has not come yet either, it is the new time that
        is wrong, or nobody knows: scoring waits until that time has come again, the outputs are Bad and say so.
        """
        watermarks, doubted = self.ledger.watermarks(), self.ledger.doubted_since()
        ahead = [
            one
            for one in participants
            if watermarks.get(one.plan.key, now_ns) > now_ns + one.rhythm.every_ns + AHEAD_NS
        ]
        over = set() if self.link.clock_trouble else doubted.keys() & {one.plan.key for one in participants}
        if past_doubt := over - {one.plan.key for one in ahead}:
            self.ledger.believe(past_doubt)
        wrong = [one for one in ahead if doubted.get(one.plan.key, now_ns) < now_ns]
        for one in wrong:
            self._take_back(one, doubted[one.plan.key], now_ns)
        self._wait_for_time([one for one in ahead if one not in wrong], watermarks, now_ns)
        self._well(_clock_of(one) for one in participants if one not in ahead)

    def _take_back(self, one: Participant, sure_ns: int, now_ns: int) -> None:
        rhythm = one.rhythm
        last_ns = max((now_ns - rhythm.wait_ns) // rhythm.every_ns * rhythm.every_ns, sure_ns)
        before_ns = sure_ns or last_ns  # nothing was scored before: the newest due time begins anew
        first_ns = before_ns // rhythm.every_ns * rhythm.every_ns + rhythm.every_ns
        gone = self.ledger.retract(Backlog(one.plan.key, first_ns, last_ns))
        why = f"{gone} runs were taken back: the historian's clock was ahead; its time since is scored again"
        self.on_trouble(one.plan.key, why)

    def _wait_for_time(self, waiting: Sequence[Participant], watermarks: Mapping[str, int], now_ns: int) -> None:
        if not waiting or not self._tell(map(_clock_of, waiting), BEHIND_WATERMARK):
            return
        minutes = max(watermarks[one.plan.key] - now_ns for one in waiting) / MINUTE_NS
        self.on_trouble(self.link.name, f"scoring goes on in {minutes:.0f} min, or when its clock is set right")
        rows: list[OutputRow] = []
        for one in waiting:
            due_ns = watermarks[one.plan.key] + one.rhythm.every_ns
            rows += self.recorder.unavailable(one.plan, due_ns, one.facts.version, BAD_NO_DATA, BEHIND_WATERMARK)
        self.ledger.record(TickRecord(rows=rows, destinations=self.destinations))

    def _watch_clock(self) -> None:
        whose, trouble = [f"clock of {self.link.name}"], self.link.clock_trouble
        if trouble:
            self._tell(whose, f"{trouble}; scores are Uncertain at best")
        else:
            self._well(whose)

    def _watch_subscription(self) -> None:
        if isinstance(self.link.historian, LiveValues):
            whose, trouble = [f"subscription of {self.link.name}"], self.link.historian.trouble
            if trouble:
                self._tell(whose, f"{trouble}; new values come from history alone")
            else:
                self._well(whose)

    def _tell(self, whose: Iterable[str], why: str) -> bool:
        """Say a trouble once, until it changes or has been over; whether it was said now."""
        names = frozenset(whose)
        if self._told.get(names) == why:
            return False
        self._told[names] = why
        self.on_trouble(", ".join(sorted(names)[:MOST_NAMED]), why)
        return True

    def _well(self, whose: Iterable[str]) -> None:
        names = set(whose)
        self._told = {told: why for told, why in self._told.items() if not told & names}


@dataclass(frozen=True, slots=True)
class _Unavailable:
    status: int
    reason: str


def _alike_starts(starts: Mapping[str, int], end_ns: int) -> list[list[str]]:
    """Two groups: the tags needed about as far back as most are, and those needed from much earlier."""
    lengths = sorted(end_ns - start for start in starts.values())
    usual = 2 * lengths[len(lengths) // 2] if lengths else 0
    groups = (
        [address for address, start in starts.items() if end_ns - start <= usual],
        [address for address, start in starts.items() if end_ns - start > usual],
    )
    return [group for group in groups if group]


def _clock_of(one: Participant) -> str:
    return f"time of {one.plan.key}"


async def _nothing(_historian: object) -> None:
    """What `Link.use` is asked for when only the connection is wanted."""


def _together(outcomes: Sequence[TickOutcome]) -> TickOutcome:
    return TickOutcome(
        sum(one.scored for one in outcomes),
        sum(one.missed for one in outcomes),
        tuple(waiting for one in outcomes for waiting in one.explainable),
        tuple(activation for one in outcomes for activation in one.activations),
        any(one.more for one in outcomes),
    )


def _alike(found: Iterable[Due]) -> list[list[Due]]:
    """Groups with the same due times: they are read in one go."""
    groups: dict[tuple[int, int], list[Due]] = {}
    for due in found:
        groups.setdefault((due.fresh[0] if due.fresh else due.until_ns, due.until_ns), []).append(due)
    return [groups[key] for key in sorted(groups)]


def _blamed(error: HistorianError, reading: Sequence[Participant]) -> set[str]:
    """The models that an error concerns: all, unless it names an address that only some of them read."""
    if isinstance(error, UnknownTag | IncompleteRead):
        found = {one.plan.key for one in reading if error.address in one.binding.all_addresses}
        if found:
            return found
    return {one.plan.key for one in reading}


def _doubted(scored: ScoredRun, doubt: str) -> ScoredRun:
    """Uncertain at best, because the time cannot be believed (design law 4)."""
    run = scored.run
    if quality_of(run.quality) is Quality.BAD:
        return scored
    reason = f"{run.reason}; {doubt}" if run.reason else doubt
    good = quality_of(run.quality) is Quality.GOOD
    return replace(scored, run=replace(run, quality=UNCERTAIN if good else run.quality, reason=reason))


def _failed(task: ScoreTask, failure: WorkerFailure) -> list[ScoredRun]:
    fresh = [due for due in task.due if due not in task.known]
    return [ScoredRun(Run(task.plan.key, due, 0, None, BAD, reason=str(failure))) for due in fresh]
