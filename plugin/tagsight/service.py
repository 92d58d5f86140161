"""The service: owns connections, schedule, ledger and heartbeat. It computes nothing itself and never imports torch.

What runs, and what its end would mean:

* ticks, training and housekeeping by the schedule: a tick that fails is told and made good by the next one;
* explanations behind the scores;
* a look once an hour at how far each model's inputs have drifted;
* delivery to historians that take results as writes;
* operators' writes from the inbox, and in the tags of historians that take results as writes;
* the heartbeat: as long as it moves, the outputs are what they say. Nothing that a historian does holds it up.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final

from tagsight.binding import Binding
from tagsight.certificate_watch import CertificateWatch, user_certificates
from tagsight.clocks import SECOND, Clock, ClockWatch
from tagsight.connections import Link
from tagsight.cut_off import CutOff
from tagsight.data_folder import DataFolder
from tagsight.drift_watch import DriftWatch
from tagsight.errors import StorageError, TagSightError
from tagsight.explaining import Explainer
from tagsight.heartbeat import HeartbeatFile
from tagsight.history_keeping import Histories
from tagsight.in_progress import InProgress
from tagsight.inbox import Inbox
from tagsight.ledger.bindings import BoundModel
from tagsight.ledger.ledger import Ledger
from tagsight.ledger.records import SERVER, Activation, TickRecord, historian_destination
from tagsight.operating import Operators
from tagsight.operator_watch import LOOK_S, OperatorWatch, watches_of
from tagsight.outbox import Outbox
from tagsight.plan import ModelPlan, Plan
from tagsight.plugin_state import PluginState
from tagsight.promotion import promoted
from tagsight.recording import Recorder
from tagsight.reports.writing import write_scheduled
from tagsight.schedule import Calendar, Every, Schedule, Work
from tagsight.scoring_task import ModelFacts, StorePlace, Unloadable
from tagsight.tick import Participant, Ticker, TickOutcome
from tagsight.training import (
    TrainFailure,
    TrainOutcome,
    TrainTask,
    enough,
    gather,
    keep_binding,
    trained_at_once,
    watched_while,
)
from tagsight.workers import Task, WorkerFailure, Workers
from tagsight_connectors.errors import HistorianError, NotConnected
from tagsight_connectors.historian import Historian
from tagsight_connectors.quality import BAD
from tagsight_connectors.store.database import StoreFailure
from tagsight_models.errors import ModelError
from tagsight_models.model_register import ModelRegister

EXPLANATIONS_AT_ONCE: Final = 1_000
TICK_MARGIN_NS: Final = 500_000_000
"""After a due time and its wait: a historian's time is known to some ten milliseconds only, and a tick that comes too
early finds the due time only one interval later."""

HEARTBEAT_S: Final = 5.0
WATCH_S: Final = 1.0
CATCH_UP_S: Final = 1.0
DRIFT_S: Final = 1.0
"""Between two models: a thousand of them take some twenty minutes of the hour."""

STORE_PAUSE_S: Final = 60.0
HOUSEKEEPING_NS: Final = 60_000_000_000
FACTS_S: Final = 120.0
PLUGIN: Final = "TagSight"

Log = Callable[[str, str], None]


@dataclass
class Service:
    """One plan at work on one data folder.

    Attributes:
        plan: what is to be done.
        data: folder; the caller holds its lock.
        links: by historian name.
        ledger: open for writing.
        inbox: what operators wrote.
        workers: processes that compute.
        clock: of this machine.
        log: (what, message) of a trouble.
        note: (what, message) of what happened as it should: an alarm announced, a model trained.
    """

    plan: Plan
    data: DataFolder
    links: Mapping[str, Link]
    ledger: Ledger
    inbox: Inbox
    workers: Workers
    clock: Clock
    log: Log
    note: Log = lambda _what, _message: None
    participants: dict[str, Participant] = field(init=False, default_factory=dict)
    state: PluginState = field(init=False)
    _ticking: dict[tuple[str, int], asyncio.Lock] = field(init=False, default_factory=dict)
    _refused: dict[str, tuple[str, ...]] = field(init=False, default_factory=dict)
    _schedule: Schedule | None = field(init=False, default=None)
    _explainer: Explainer = field(init=False)
    _outbox: Outbox = field(init=False)
    _certificates: CertificateWatch = field(init=False)
    _histories: Histories = field(init=False)
    _operators: Operators = field(init=False)
    _drift: DriftWatch = field(init=False)
    _tickers: dict[str, Ticker] = field(init=False, default_factory=dict)
    _cut_off: dict[str, CutOff] = field(init=False, default_factory=dict)
    _trainings: InProgress = field(init=False, default_factory=InProgress)
    _short_work: InProgress = field(init=False, default_factory=InProgress)

    def __post_init__(self) -> None:
        self.place = StorePlace(self.data.models, self.data.signing_key)
        destinations = destinations_of(self.plan)
        plans = {model.key: model for model in self.plan.models}
        self._explainer = Explainer(self.workers.explaining, self.place, self.ledger, destinations, plans)
        self._certificates = CertificateWatch(self.data.certificates / "own", self.links, user_certificates(self.plan))
        heartbeat = HeartbeatFile(self.data.heartbeat)
        before = heartbeat.read()
        last_alive_ns = before.time_ns if before is not None else None
        self._histories = Histories(self.plan, self.links, self.ledger, self.clock, last_alive_ns, self._tell)
        self.state = PluginState(heartbeat, self.links, self.ledger, self._certificates, self.clock)
        self.state.go_on_from(before)
        self._outbox = Outbox(self.plan, self.links, self.ledger, self._tell)
        recorder = Recorder(self.ledger, self.plan.timezone, language=self.plan.language)
        note: Log = lambda what, words: self.note(what, words)  # noqa: E731, PLW0108 - `note` may be replaced
        self._operators = Operators(plans, self.ledger, self.inbox, recorder, destinations, note)
        self._tickers = {
            name: Ticker(link, self.workers.scoring, self.place, self.ledger, recorder, destinations, self._tell)
            for name, link in self.links.items()
        }
        explaining, path, language = self.workers.explaining, self.data.ledger, self.plan.language
        self._drift = DriftWatch(explaining, self.ledger, path, destinations, self._tell, language)
        self._cut_off = {name: CutOff(ticker, self._explainer) for name, ticker in self._tickers.items()}

    async def run(self, stop: asyncio.Event, successor: asyncio.Event | None = None) -> bool:
        """Work until `stop`, then end in an orderly way: heartbeat 0, outputs Bad.

        Where `successor` is set instead, a service of another plan follows on the same data folder at once: this one
        ends between two ticks, when no training runs, and leaves workers, links and outputs as they are. True then.
        """
        handed_over = False
        self._keep_models()
        running = [asyncio.create_task(one) for one in self._own_loops()]
        try:
            await self.refresh()
            for name, cut_off in self._cut_off.items():
                mine = {model.key: model for model in self.plan.models if model.historian == name}
                cut_off.look(mine, self.participants)
            self._schedule = Schedule(tuple(self._jobs()), self._tell)
            self._schedule.start()
            self.note("started", f"{len(self.participants)} of {len(self.plan.models)} models are scored")
            running += [asyncio.create_task(one) for name in self.links for one in self._loops_of(name)]
            await _first(stop, successor or asyncio.Event())
            if not stop.is_set():
                await _first(stop, self._settled())
                handed_over = not stop.is_set()
        finally:
            await self._end(running)
            if not handed_over:
                await self._stop()
        return handed_over

    def _own_loops(self) -> list[Coroutine[None, None, None]]:
        """What no historian can hold up."""
        return [
            self._always("heartbeat", HEARTBEAT_S, self._beat),
            self._always("operators", WATCH_S, self.operators),
            self._always("explanations", 0.1, self._explain),
            self._always("drift", DRIFT_S, self._look_for_drift),
            self._always("clock", WATCH_S, self._watch_clock(ClockWatch(self.clock))),
        ]

    def _loops_of(self, historian: str) -> list[Coroutine[None, None, None]]:
        """What is done with one historian: one that does not answer holds up its own loops alone."""
        watches = [watch for watch in self._watches() if watch.historian == historian]
        return [
            self._always(f"explanations cut off, {historian}", WATCH_S, partial(self._explain_cut_off, historian)),
            self._always(f"catching up with {historian}", CATCH_UP_S, partial(self.catch_up, historian)),
            self._always(f"connection to {historian}", HEARTBEAT_S, partial(self._keep_connected, historian)),
            self._always(f"heartbeat to {historian}", HEARTBEAT_S, partial(self._outbox.show, historian, self.state)),
            self._always(f"delivery to {historian}", WATCH_S, partial(self._outbox.deliver, historian)),
            *(self._always(f"operators of {historian}", LOOK_S, watch.look) for watch in watches),
            self._always(f"history of {historian}", WATCH_S, partial(self._keep_history, historian)),
        ]

    async def refresh(self) -> None:
        """Find out which models can be scored: bound, and with an approved version. Asked again every minute."""
        with self._short_work.begun() as may:
            if may:
                await self._refresh()

    async def _refresh(self) -> None:
        bound = {one.model: one.binding for one in self.ledger.bindings()}
        names = [model.key for model in self.plan.models if bound.get(model.key) is not None]
        try:
            task = Task("facts", (self.place, names), FACTS_S)
            facts: Sequence[ModelFacts | Unloadable] = await self.workers.scoring.run(task)
        except WorkerFailure as failure:
            self._tell("models", f"{failure}; {failure.detail}")
            return
        plans = {model.key: model for model in self.plan.models}
        found = {}
        for one in facts:
            if isinstance(one, Unloadable):
                self._fail_unloadable(plans[one.model], one)
                continue
            binding = bound[one.model]
            if binding is not None:
                found[one.model] = Participant.of(plans[one.model], binding, one)
            self._tell_refused(one.model, one.refused)
        self.participants = found
        if self._schedule is not None:
            self._schedule.replan(tuple(self._jobs()))
        units = {key: {role.name: role.unit for role in one.binding.roles} for key, one in found.items()}
        for ticker in self._tickers.values():
            ticker.recorder.units = units
            ticker.recorder.descriptions = {key: one.binding.descriptions for key, one in found.items()}
            ticker.recorder.job_outputs = {key: one.facts.card.outputs for key, one in found.items()}

    async def tick(self, historian: str, every_ns: int) -> None:
        """Score what is due of one historian's models with this interval; a long stop is made good by `catch_up`."""
        lock = self._ticking.setdefault((historian, every_ns), asyncio.Lock())
        with self._short_work.begun() as may:
            if may:
                async with lock:
                    await self._tick(historian, every_ns)

    async def _tick(self, historian: str, every_ns: int) -> None:
        await asyncio.sleep(self._behind_s(historian, every_ns))
        mine = self._of_interval(historian, every_ns)
        outcome = await self._tickers[historian].tick(mine) if mine else TickOutcome()
        self._explainer.add(outcome.explainable)
        self._note_alarms(outcome.activations)

    async def catch_up(self, historian: str) -> None:
        """Score what a stop has left of one historian's models, in slices: a tick that comes is next in turn."""
        intervals = {one.plan.score.every_ns for one in self.participants.values() if one.plan.historian == historian}
        for every_ns in sorted(intervals):
            while await self._caught_up_slice(historian, every_ns):
                pass

    async def _caught_up_slice(self, historian: str, every_ns: int) -> bool:
        """Whether there is more."""
        lock = self._ticking.setdefault((historian, every_ns), asyncio.Lock())
        with self._short_work.begun() as may:
            if not may:
                return False
            async with lock:
                outcome = await self._tickers[historian].catch_up(self._of_interval(historian, every_ns))
            self._explainer.add_past(outcome.explainable)
            return outcome.more

    def _behind_s(self, historian: str, every_ns: int) -> float:
        """How far the historian's clock is behind ours: a tick by our clock would come before its due time.

        At most half an interval; a clock further behind delays its scores.
        """
        return min(max(-self.links[historian].clock_difference_s, 0.0), every_ns / 2e9)

    async def train(self, model: ModelPlan) -> TrainOutcome | None:
        """Train one model by the schedule; None (and told) when it could not be."""
        done = await self.train_together([model])
        return done[0] if done else None

    async def train_together(self, models: Sequence[ModelPlan]) -> list[TrainOutcome]:
        """Train models of one historian that are alike; the outcomes of those that could be, the others are told."""
        done: list[TrainOutcome] = []
        gathered: list[tuple[ModelPlan, Binding, TrainTask]] = []
        for number, model in enumerate(models):
            try:
                binding, task = await gather(
                    model,
                    self.links[model.historian],
                    self.place,
                    self.plan.digest,
                    results=self.plan.results.get(model.historian),
                    ledger=self.ledger,
                    language=self.plan.language,
                )
                gathered.append((model, binding, task))
            except (TagSightError, HistorianError, ModelError) as error:
                self._tell(f"training {model.key}", str(error))
            if gathered and (number == len(models) - 1 or enough([task for *_, task in gathered])):
                done += await self._train(gathered)
                gathered = []
        if done:
            await self.refresh()
        return done

    async def _train(self, gathered: Sequence[tuple[ModelPlan, Binding, TrainTask]]) -> list[TrainOutcome]:
        """As one task of the worker; when that fails, one by one, so that one bad model does not stop the others."""
        tasks = tuple(task for *_, task in gathered)
        seconds = sum(2.0 * model.train.at_most_seconds + FACTS_S for model, *_ in gathered)
        asked = Task("train together", tasks, seconds) if len(tasks) > 1 else Task("train", tasks[0], seconds)
        link, known = self.links[gathered[0][0].historian], [(model, binding) for model, binding, _ in gathered]
        try:
            answer, bindings = await watched_while(self.workers.training.run(asked), link, known)
        except WorkerFailure as failure:
            if len(gathered) > 1:
                return [outcome for one in gathered for outcome in await self._train([one])]
            self._tell(f"training {gathered[0][0].key}", str(failure))
            return []
        found: Sequence[TrainOutcome | TrainFailure] = answer if len(tasks) > 1 else [answer]
        for (model, _), binding, one in zip(known, bindings, found, strict=True):
            self._trained(model, binding, one)
        return [one for one in found if isinstance(one, TrainOutcome)]

    def _trained(self, model: ModelPlan, binding: Binding, outcome: TrainOutcome | TrainFailure) -> None:
        if isinstance(outcome, TrainFailure):
            self._tell(f"training {model.key}", outcome.cause)
            return
        keep_binding(self.ledger, model, binding, outcome.outputs)
        self.ledger.audit(PLUGIN, "trained", f"{outcome.model} version {outcome.version}, approved {outcome.approved}")
        self.note("trained", f"{outcome.model} version {outcome.version}, approved {outcome.approved}")

    async def operators(self) -> None:
        """Apply what operators wrote, each entry exactly once; end the shelvings whose time is over."""
        self._operators.apply()
        self._operators.end_shelvings(self.clock.now_ns())

    # --- inside ---

    def _jobs(self) -> list[Every | Calendar]:
        rhythms = {(one.plan.historian, one.plan.score.every_ns, one.wait_ns) for one in self.participants.values()}
        jobs: list[Every | Calendar] = [
            Every(
                f"score {historian} every {every / SECOND:g} s, {wait / SECOND:g} s after",
                every,
                self._safely(f"tick of {historian}", partial(self.tick, historian, every)),
                (wait + min(TICK_MARGIN_NS, every // 10)) % every,
            )
            for historian, every, wait in sorted(rhythms)
        ]
        jobs += [self._training_job(group) for group in trained_at_once(self.plan.models)]
        jobs += self._report_jobs()
        jobs.append(Every("housekeeping", HOUSEKEEPING_NS, self._housekeeping))
        return jobs

    def _training_job(self, models: Sequence[ModelPlan]) -> Calendar:
        first, work = models[0], partial(self._train_and_forget, models)
        more = f" and {len(models) - 1} like it" if len(models) > 1 else ""
        return Calendar(f"train {first.key}{more}", first.train.every or {}, self.plan.timezone, work)

    def _report_jobs(self) -> list[Calendar]:
        every = self.plan.report.every if self.plan.report is not None else ()
        work = self._safely("shift report", self.report)
        return [Calendar(f"report {number}", one, self.plan.timezone, work) for number, one in enumerate(every, 1)]

    async def report(self) -> None:
        """Write the shift report that the configuration asks for, beside everything else."""
        path = await asyncio.to_thread(write_scheduled, self.plan, self.data, self.clock)
        if path is not None:
            self.note("shift report", str(path))

    async def _train_and_forget(self, models: Sequence[ModelPlan]) -> None:
        with self._trainings.begun() as may:
            if may:
                await self.train_together(models)
                return
            why = "was due while another configuration was taken over: train it by hand"
            for model in models:
                self._tell(f"training {model.key}", why)

    async def _housekeeping(self) -> None:
        self._promote()
        await self.refresh()
        for which, what in self._certificates.warnings(self.clock.now_ns()):
            self._tell(which, what)
        more = True
        while more:
            step = self.ledger.retain(self.plan.retention)
            if step.not_recovered:
                self._tell("outbox", f"{step.not_recovered} deliveries were given up: the outbox is full")
            more = step.more
            await asyncio.sleep(0)

    def _promote(self) -> None:
        """Let challengers that hold take over, where the configuration says so."""
        register = ModelRegister(self.place.root, self.place.key)
        for model in self.plan.models:
            if not model.train.promote:
                continue
            try:
                found = promoted(self.ledger, register, model.key)
            except ModelError as error:
                self._tell(f"promotion of {model.key}", str(error))
            else:
                if found is not None:
                    self.note("promoted", f"{model.key} version {found.challenger}: {found.contest.verdict}")

    def _of_interval(self, historian: str, every_ns: int) -> list[Participant]:
        """By the plan, so that one interval alone asks for a model; one with a coarser grid is due less often."""
        found = self.participants.values()
        return [one for one in found if (one.plan.historian, one.plan.score.every_ns) == (historian, every_ns)]

    def _tell_refused(self, model: str, refused: tuple[str, ...]) -> bool:
        """Versions that were not loaded: told and kept in the audit when that changes; whether it did."""
        if self._refused.get(model, ()) == refused:
            return False
        self._refused[model] = refused
        for why in refused:
            self._tell(model, why)
            self.ledger.audit(PLUGIN, "model refused", f"{model}: {why}")
        return True

    def _fail_unloadable(self, model: ModelPlan, one: Unloadable) -> None:
        """Its last outputs would look well for ever: Bad, with the reason."""
        if self._tell_refused(model.key, (one.why,)) and model.historian in self._tickers:
            every_ns, ticker = model.score.every_ns, self._tickers[model.historian]
            due_ns = ticker.link.now_ns() // every_ns * every_ns
            rows = ticker.recorder.unavailable(model, due_ns, 0, BAD, one.why)
            self.ledger.record(TickRecord(rows=rows, destinations=destinations_of(self.plan)))

    async def _explain_cut_off(self, historian: str) -> None:
        with suppress(NotConnected), self._short_work.begun() as may:  # told by the link
            if may:
                await self._cut_off[historian].explain(self.participants)

    def _keep_models(self) -> None:
        """The ledger knows exactly the models of the plan: the tag server shows those."""
        self.ledger.keep_bindings([model.key for model in self.plan.models])
        for model in self.plan.models:
            detail, groups = model.outputs.value == "detail", model.explain_groups
            self.ledger.bind(BoundModel(model.key, None, detail, model.alarm.severity, groups=groups))

    def _watches(self) -> Sequence[OperatorWatch]:
        destinations = destinations_of(self.plan)
        return watches_of(self.plan, self.links, self.ledger, destinations, tell=self._tell, note=self.note)

    async def _explain(self) -> None:
        for _ in range(EXPLANATIONS_AT_ONCE):
            with self._short_work.begun() as may:
                if not may or not await self._explainer.step():
                    return

    async def _look_for_drift(self) -> None:
        with self._short_work.begun() as may:
            if may:
                await self._drift.step(self.participants)

    async def _beat(self) -> None:
        self.state.beat()

    async def _keep_connected(self, historian: str) -> None:
        """Connect also while no model is due; a trouble is told when it begins or changes."""
        link = self.links[historian]
        before = link.trouble
        if not link.connected:
            with suppress(HistorianError):  # the link keeps the trouble, and decides when the next attempt is made
                await link.use(_nothing)
            if link.trouble and link.trouble != before:
                self._tell(historian, link.trouble)

    async def _keep_history(self, historian: str) -> None:
        try:
            await self._histories.look(historian)
        except StoreFailure as failure:
            self._tell(f"history store of {historian}", str(failure))
            await asyncio.sleep(STORE_PAUSE_S)
        except NotConnected:
            return  # told by the link

    def _note_alarms(self, activations: Sequence[Activation]) -> None:
        for one in activations:
            what = "alarm" if one.cleared_ns is None else "alarm cleared"
            since = datetime.fromtimestamp(one.since_ns / SECOND, tz=self.plan.timezone)
            self.note(what, f"{one.model}, abnormal since {since:%Y-%m-%d %H:%M:%S %Z}")

    def _watch_clock(self, watch: ClockWatch) -> Callable[[], Awaitable[None]]:
        async def look() -> None:
            step = watch.stepped()
            if step and self._schedule is not None:
                self._tell("clock", f"the clock of this machine stepped by {step:.0f} s; ticks are planned anew")
                self._schedule.restart()

        return look

    def _safely(self, what: str, work: Work) -> Work:
        async def safe() -> None:
            try:
                await work()
            except (TagSightError, HistorianError) as error:
                self._tell(what, str(error))

        return safe

    async def _always(self, what: str, pause_s: float, work: Callable[[], Awaitable[None]]) -> None:
        """Do `work` again and again; what it raises is told, and it is done again."""
        while True:
            try:
                await work()
            except (TagSightError, HistorianError, ModelError) as error:
                self._tell(what, str(error))
            except Exception as error:  # noqa: BLE001 - a defect in one loop must not stop the heartbeat; it is told
                self._tell(what, f"unexpected {error!r}")
            await asyncio.sleep(pause_s)

    def _tell(self, what: str, why: str) -> None:
        self.log(what, why)

    async def _settled(self) -> None:
        """Trainings end first, while scoring goes on; then what takes seconds."""
        await self._trainings.idle()
        self._trainings.shut()
        self._short_work.shut()
        await self._short_work.idle()

    async def _end(self, running: Sequence["asyncio.Task[None]"]) -> None:
        if self._schedule is not None:
            self._schedule.stop()
        for one in running:
            one.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _stop(self) -> None:
        try:
            self.state.stop()
        except StorageError as error:
            self._tell("stop", str(error))
        await asyncio.gather(*(self._outbox.end(name, self.state) for name in self.links))
        self.note("stopped", "orderly")
        await self.workers.close()
        for link in self.links.values():
            await link.close()


async def _first(stop: asyncio.Event, other: asyncio.Event | Coroutine[None, None, None]) -> None:
    """Wait for one of two; the other is given up."""
    both = [
        asyncio.ensure_future(stop.wait()),
        asyncio.ensure_future(other.wait() if isinstance(other, asyncio.Event) else other),
    ]
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in both:
            one.cancel()
        await asyncio.gather(*both, return_exceptions=True)


async def _nothing(_historian: Historian) -> None:
    """What a link is asked for when only the connection is wanted."""


def destinations_of(plan: Plan) -> dict[str, str]:
    """Model key -> where its results are owed."""
    found = {}
    for model in plan.models:
        results = plan.results.get(model.historian)
        written = results is not None and results.in_historian
        found[model.key] = historian_destination(model.historian) if written else SERVER
    return found
