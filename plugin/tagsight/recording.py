"""From scored runs to what the ledger keeps of them: alarms announced or cleared, output rows, watermarks.

Reads the ledger, writes nothing: the caller records what comes out in one transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from tagsight.alarms import LIMIT, Announcement, judge, lookback_ns
from tagsight.ledger.ledger import Ledger
from tagsight.ledger.records import Activation, OperatorState
from tagsight.outputs import Circumstances, explanation_row, score_row
from tagsight.plan import Detail, ModelPlan
from tagsight.results import ExplanationResult, OutputRow, Run, State
from tagsight.scoring_task import ScoredRun
from tagsight.shelving import shelved_words
from tagsight_explain.language import ENGLISH
from tagsight_models.frame import Floats, Times
from tagsight_models.job_output import JobOutput

NOBODY = OperatorState()
NOT_DUE = ExplanationResult(0.0, {}, {}, "below half the limit: explained from time to time")
NOT_WORTH_IT = ExplanationResult(0.0, {}, {}, "scored after a stop, and below half the limit")
INTERRUPTED_AT_MOST_NS: Final = 86_400_000_000_000
"""How far before the watermark a run may still wait for its explanation when TagSight ends."""

EXPLAINED_LATER_NS: Final = 3_600_000_000_000
EXPLAINED_LATER: Final = 10
"""Of one model, the newest runs of the last hour: their explanations, cut off by an end, are computed at the start."""

PLUGIN = "TagSight"
"""What an operator switches off to silence every model."""


@dataclass(frozen=True, slots=True)
class Explainable:
    """A scored run that waits for its explanation, with what its sentence needs."""

    scored: ScoredRun
    circumstances: Circumstances


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the scored runs of one model leave behind."""

    runs: tuple[Run, ...] = ()
    rows: tuple[OutputRow, ...] = ()
    activations: tuple[Activation, ...] = ()
    explainable: tuple[Explainable, ...] = ()


@dataclass(frozen=True, slots=True)
class _Normal:
    """The last run below half its limit that was explained, and what its outputs rest on."""

    due_ns: int
    version: int
    quality: int
    off: bool
    shelved: str
    sensor_fault: bool

    def holds(self, later: "_Normal", every_ns: int) -> bool:
        """The outputs of the earlier run still say what those of the later one would."""
        return later.due_ns - self.due_ns < every_ns and replace(later, due_ns=self.due_ns) == self


@dataclass
class Recorder:
    """Judges runs of one plan against one ledger.

    Attributes:
        ledger: read for scores, alarms and what operators set.
        timezone: of times in sentences.
        units: model -> role -> engineering unit.
        language: of what operators read.
        descriptions: model -> role -> description in the historian.
        job_outputs: model -> what it says beside its score.
    """

    ledger: Ledger
    timezone: ZoneInfo
    units: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    language: str = ENGLISH
    descriptions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    job_outputs: Mapping[str, tuple[JobOutput, ...]] = field(default_factory=dict)
    _normal: dict[str, "_Normal"] = field(init=False, default_factory=dict)

    def record(
        self, model: ModelPlan, every_ns: int, scored: Sequence[ScoredRun], unknown: Sequence[int] = ()
    ) -> Recorded:
        """Judge the runs of one model, in the order of their due times.

        `unknown`: due times that are not scored yet; no delay of an alarm runs on over them.
        """
        newest = self.ledger.newest_activations().get(model.key)
        off, state = self._off(model), self._state(model)
        ordered = sorted(scored, key=lambda one: one.run.due_ns)
        scores = _Scores.of(self.ledger, model, every_ns, ordered, unknown)
        changed: dict[int, Activation] = {}
        rows: list[OutputRow] = []
        explainable: list[Explainable] = []
        runs: list[Run] = []
        for one in ordered:
            shelved = shelved_words(state, one.run.due_ns, self.timezone)
            now = self._circumstances(model, off=off, shelved=shelved)
            if one.run.revised:
                now = replace(now, alarm=self._was_active(model.key, one.run.due_ns))
            else:
                newest, now = self._judged(model, every_ns, one, scores, newest, now, changed)
                if state.shelved_once and newest is not None and newest.cleared_ns == one.run.due_ns:
                    state, now = NOBODY, replace(now, shelved="")
            now = replace(now, sensor_fault=one.sensor_fault)
            rows.append(score_row(one.run, now))
            worth = self._is_explained(model, one, now)
            runs.append(one.run if worth or one.window is None else replace(one.run, explanation=NOT_DUE))
            if one.window is None:
                rows.append(explanation_row(one.run, now))
            elif worth:
                explainable.append(Explainable(one, now))
        return Recorded(tuple(runs), tuple(rows), tuple(changed.values()), tuple(explainable))

    def _is_explained(self, model: ModelPlan, one: ScoredRun, now: Circumstances) -> bool:
        """From half the limit on, always. Below, the first run and from time to time: outputs keep their source time.

        What follows a higher score, a gap, or other circumstances is a first run: what stands there is out of date.
        """
        if one.run.revised:
            return True
        last, score = self._normal.pop(model.key, None), one.run.score
        if score is None or score >= LIMIT / 2:
            return one.window is not None
        so = _Normal(one.run.due_ns, one.run.version, one.run.quality, now.off, now.shelved, now.sensor_fault)
        if last is not None and last.holds(so, model.explain_normal_every_ns):
            self._normal[model.key] = last
            return False
        self._normal[model.key] = so
        return True

    def record_past(self, model: ModelPlan, scored: Sequence[ScoredRun]) -> Recorded:
        """Runs of a backlog: what came after them is judged already, so they neither announce an alarm nor clear one.

        Those below half the limit are not explained.
        """
        runs: list[Run] = []
        rows: list[OutputRow] = []
        explainable: list[Explainable] = []
        for waiting in self.explainable_past(model, sorted(scored, key=lambda one: one.run.due_ns)):
            one, now = waiting.scored, waiting.circumstances
            high = one.window is not None and one.run.score is not None and one.run.score >= LIMIT / 2
            run = one.run if high or one.window is None else replace(one.run, explanation=NOT_WORTH_IT)
            runs.append(run)
            rows.append(score_row(run, now))
            if high:
                explainable.append(waiting)
            else:
                rows.append(explanation_row(run, now))
        return Recorded(tuple(runs), tuple(rows), (), tuple(explainable))

    def explainable_past(self, model: ModelPlan, scored: Sequence[ScoredRun]) -> tuple[Explainable, ...]:
        """The same runs with how things stood then."""
        base = self._circumstances(model, off=self._off(model))
        return tuple(
            Explainable(
                one,
                replace(base, alarm=self._was_active(model.key, one.run.due_ns), sensor_fault=one.sensor_fault),
            )
            for one in scored
        )

    def unavailable(
        self, model: ModelPlan, due_ns: int, version: int, status: int, reason: str
    ) -> tuple[OutputRow, ...]:
        """Outputs of a due time that cannot be looked at now: Bad, with the reason; its run is made later."""
        self._normal.pop(model.key, None)
        newest = self.ledger.newest_activations().get(model.key)
        run = Run(model.key, due_ns, version, None, status, reason)
        back_ns = lookback_ns(model.alarm, model.score.every_ns)
        _times, scores = self.ledger.scores(model.key, due_ns - back_ns, due_ns)
        shelved = shelved_words(self._state(model), due_ns, self.timezone)
        now = self._held(self._circumstances(model, off=self._off(model), shelved=shelved), newest, scores)
        return score_row(run, now), explanation_row(run, now)

    def cut_off(self, model: ModelPlan) -> tuple[Run, ...]:
        """Runs whose explanation was cut off when TagSight ended, ascending."""
        watermark = self.ledger.watermark(model.key)
        return () if watermark is None else self.ledger.unexplained(model.key, watermark - INTERRUPTED_AT_MOST_NS)

    def interrupted(self, model: ModelPlan, found: Sequence[Run]) -> Recorded:
        """Runs whose explanation was cut off and is not made up for: not explained, with that reason."""
        why = ExplanationResult(0.0, {}, {}, "TagSight ended before it was explained")
        runs = tuple(replace(run, explanation=why) for run in found)
        off = self._off(model)
        rows = [explanation_row(run, self._circumstances(model, off=off)) for run in runs]
        return Recorded(runs, tuple(rows))

    def standing(self, model: ModelPlan) -> tuple[Run, Circumstances] | None:
        """The newest run, and what decides how it looks now; None before the first run."""
        run, newest = self.ledger.newest_run(model.key), self.ledger.newest_activations().get(model.key)
        if run is None:
            return None
        back_ns = lookback_ns(model.alarm, model.score.every_ns)
        _times, scores = self.ledger.scores(model.key, run.due_ns - back_ns, run.due_ns + 1)
        now = self._held(self._circumstances(model, off=self._off(model)), newest, scores)
        return run, replace(now, alarm=now.last_alarm)

    def _state(self, model: ModelPlan) -> OperatorState:
        return self.ledger.operator_states().get(model.key, NOBODY)

    def _off(self, model: ModelPlan) -> bool:
        """Switched off by an operator: the model, or the whole plugin."""
        states = self.ledger.operator_states()
        return any(states.get(key, NOBODY).off for key in (model.key, PLUGIN))

    def _circumstances(self, model: ModelPlan, *, off: bool, shelved: str = "") -> Circumstances:
        return Circumstances(
            asset=model.asset,
            off=off,
            shelved=shelved,
            units=self.units.get(model.key, {}),
            timezone=self.timezone,
            detail=model.outputs is Detail.DETAIL,
            descriptions=self.descriptions.get(model.key, {}),
            causes=model.causes,
            language=self.language,
            job_outputs=self.job_outputs.get(model.key, ()),
            groups=model.explain_groups,
        )

    def _judged(  # noqa: PLR0917 - what one judgement rests on
        self,
        model: ModelPlan,
        every_ns: int,
        one: ScoredRun,
        scores: "_Scores",
        newest: Activation | None,
        now: Circumstances,
        changed: dict[int, Activation],
    ) -> tuple[Activation | None, Circumstances]:
        if now.off or one.run.trial:
            return newest, replace(now, last_state=State.FUNCTION_CHECK)
        running = _announcement(newest)
        times, values = scores.until(one.run.due_ns, lookback_ns(model.alarm, every_ns))
        verdict = judge(times, values, model.alarm, running)
        if verdict.changed and verdict.announcement is not None:
            newest = _activation(model.key, verdict.announcement, newest if running else None)
            changed[newest.announced_ns] = newest
        held = self._held(now, newest, values)
        return newest, replace(held, alarm=verdict.active, since_ns=verdict.since_ns)

    def _held(self, now: Circumstances, newest: Activation | None, scores: Floats) -> Circumstances:
        """With alarm and state of the last run of `scores` that was scored."""
        if newest is not None and newest.cleared_ns is None:
            return replace(now, last_alarm=True, last_state=State.MAINTENANCE_REQUIRED)
        known = scores[np.isfinite(scores)]
        exceeded = bool(known.size and known[-1] > LIMIT)
        return replace(now, last_alarm=False, last_state=State.OUT_OF_SPECIFICATION if exceeded else State.NORMAL)

    def _was_active(self, model: str, due_ns: int) -> bool:
        found = self.ledger.activations(0, due_ns + 1, model)
        return any(one.cleared_ns is None or one.cleared_ns > due_ns for one in found)


@dataclass(frozen=True, slots=True)
class _Scores:
    """Scores of one model: what the ledger has, with the new ones put in."""

    times: Times
    scores: Floats

    @classmethod
    def of(
        cls, ledger: Ledger, model: ModelPlan, every_ns: int, new: Sequence[ScoredRun], unknown: Sequence[int]
    ) -> "_Scores":
        if not new:
            return cls(np.empty(0, dtype=np.int64), np.empty(0))
        first = new[0].run.due_ns - lookback_ns(model.alarm, every_ns)
        times, scores = ledger.scores(model.key, first, new[-1].run.due_ns + 1)
        known = dict.fromkeys((time for time in unknown if time >= first), np.nan)
        known |= dict(zip(times.tolist(), scores.tolist(), strict=True))
        known |= {one.run.due_ns: np.nan if one.run.score is None else one.run.score for one in new}
        ordered = sorted(known)
        return cls(np.array(ordered, dtype=np.int64), np.array([known[time] for time in ordered], dtype=np.float64))

    def until(self, due_ns: int, back_ns: int) -> tuple[Times, Floats]:
        first, last = np.searchsorted(self.times, [due_ns - back_ns, due_ns + 1])
        return self.times[first:last], self.scores[first:last]


def _announcement(newest: Activation | None) -> Announcement | None:
    if newest is None or newest.cleared_ns is not None:
        return None
    return Announcement(newest.since_ns, newest.announced_ns, None, acknowledged=newest.acknowledged_ns is not None)


def _activation(model: str, announced: Announcement, before: Activation | None) -> Activation:
    if before is not None:
        return replace(before, cleared_ns=announced.cleared_ns)
    return Activation(model, announced.since_ns, announced.announced_ns, announced.cleared_ns)
