"""Replay of history: which alarms a model would have raised, when and why.

Scores are those of the service (`Scorer.score` on chunks of due times), alarms those of the calibration
(`tagsight_models.delays.activations`, which a test holds equal to what the service announces). Nothing is recorded and
nothing is written to a historian. A latched alarm counts as acknowledged at once, since nobody could.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol
from zoneinfo import ZoneInfo

import numpy as np

from tagsight.alarms import LIMIT
from tagsight.explain_settings import explain_settings
from tagsight.framing import READ_BEYOND_NS
from tagsight.laboratory import Laboratory
from tagsight.outputs import Circumstances, causes_of, explanation_row
from tagsight.results import Run
from tagsight.scoring_task import LabReading, ScoredRun, ScoreTask
from tagsight.tick import Participant
from tagsight_connectors.history import History, Span, TagHistory
from tagsight_explain.language import ENGLISH
from tagsight_explain.settings import ExplainSettings
from tagsight_models.delays import Activation, Delays, activations
from tagsight_models.frame import Floats, Times

CHUNK: Final = 500
"""Due times that are read and scored at once, as in the service."""

TOP: Final = 3

Read = Callable[[Sequence[str], Span], Awaitable[History]]


class Scoring(Protocol):
    """What `tagsight.scoring.Scorer` does."""

    def score(self, task: ScoreTask) -> list[ScoredRun]:
        """One run for each due time."""

    def explain(self, model: str, runs: Sequence[ScoredRun], settings: ExplainSettings) -> list[Run]:
        """The same runs with their explanations."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm that would have been raised.

    Attributes:
        activation: when.
        message: what the operator would have read when it was announced.
        causes: the leading roles with their share, per cent.
    """

    activation: Activation
    message: str
    causes: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What came out.

    Attributes:
        participant: model and version.
        span: from the first due time to the end.
        times: due times.
        scores: NaN where not scored.
        reasons: why due times were not scored, with their count.
        alarms: in the order of time.
    """

    participant: Participant
    span: Span
    times: Times
    scores: Floats
    reasons: Mapping[str, int]
    alarms: tuple[Alarm, ...]

    @property
    def scored_ns(self) -> int:
        """How much time was watched."""
        return int(np.isfinite(self.scores).sum()) * self.participant.rhythm.every_ns

    def alarms_per(self, period_ns: int) -> float:
        """Alarms in a period of watched time; NaN if nothing could be scored."""
        return len(self.alarms) * period_ns / self.scored_ns if self.scored_ns else float("nan")


@dataclass
class _Replay:
    """What has been replayed so far."""

    participant: Participant
    scorer: Scoring
    timezone: ZoneInfo
    language: str = ENGLISH
    times: list[int] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    messages: dict[int, tuple[str, tuple[tuple[str, float], ...]]] = field(default_factory=dict)

    def take(self, due: Sequence[int], history: History, laboratory: tuple[LabReading, ...] = ()) -> None:
        """Score a chunk; explain the runs that announce an alarm, and no other."""
        runs = self.scorer.score(task_for(self.participant, due, history, laboratory))
        for one in runs:
            self.times.append(one.run.due_ns)
            self.scores.append(np.nan if one.run.score is None else one.run.score)
            if one.run.score is None:
                self.reasons[one.run.reason.partition(":")[0]] += 1
        by_due = {one.run.due_ns: one for one in runs}
        for activation in self.activations():
            if activation.announced_ns in by_due:
                self._explain(by_due[activation.announced_ns], activation)

    def activations(self) -> list[Activation]:
        """Of everything so far; what was announced stays announced when more is added."""
        alarm = self.participant.plan.alarm
        delays = Delays(alarm.on_delay_ns, alarm.off_delay_ns)
        return activations(np.array(self.times, dtype=np.int64), np.array(self.scores), LIMIT, delays)

    def _explain(self, one: ScoredRun, activation: Activation) -> None:
        plan = self.participant.plan
        (run,) = self.scorer.explain(plan.key, [one], explain_settings(plan))
        units = {role.name: role.unit for role in self.participant.binding.roles}
        now = Circumstances(
            asset=plan.asset,
            alarm=True,
            since_ns=activation.since_ns,
            units=units,
            timezone=self.timezone,
            descriptions=self.participant.binding.descriptions,
            causes=plan.causes,
            language=self.language,
            job_outputs=self.participant.facts.card.outputs,
        )
        row = explanation_row(run, now)
        message = next(str(value.value) for value in row.values if value.output == "Message")
        causes = tuple((cause.role, cause.share) for cause in causes_of(run, units)[:TOP])
        self.messages[activation.announced_ns] = (message, causes)


async def rehearse(  # noqa: PLR0917 - what a replay rests on
    participant: Participant,
    span: Span,
    read: Read,
    scorer: Scoring,
    timezone: ZoneInfo,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
    language: str = ENGLISH,
) -> Rehearsal:
    """Replay `span` chunk by chunk.

    `progress` is called with (due times done, all due times); `language`: of the messages.

    Raises:
        HistorianError: history cannot be read.
    """
    due = due_times(span, participant.rhythm.every_ns)
    replay, kept = _Replay(participant, scorer, timezone, language), Laboratory()
    for first in range(0, len(due), CHUNK):
        chunk = due[first : first + CHUNK]
        replay.take(
            chunk, await read_for(participant, chunk, read), await laboratory_for(participant, chunk, read, kept)
        )
        progress(first + len(chunk), len(due))
    return Rehearsal(
        participant=participant,
        span=span,
        times=np.array(replay.times, dtype=np.int64),
        scores=np.array(replay.scores, dtype=np.float64),
        reasons=dict(replay.reasons.most_common()),
        alarms=tuple(Alarm(one, *replay.messages[one.announced_ns]) for one in replay.activations()),
    )


async def read_for(participant: Participant, due: Sequence[int], read: Read) -> History:
    """What the chunk needs; tags that are stored seldom are read further back, in a read of their own."""
    starts = participant.starts(due[0])
    usual, end = max(starts.values()), due[-1] + READ_BEYOND_NS
    tags: dict[str, TagHistory] = {}
    for group in (
        [address for address, start in starts.items() if start == usual],
        [address for address, start in starts.items() if start != usual],
    ):
        if group:
            tags |= (await read(group, Span(min(starts[address] for address in group), end))).tags
    return History(Span(min(starts.values()), end), tags)


async def laboratory_for(one: Participant, due: Sequence[int], read: Read, kept: Laboratory) -> tuple[LabReading, ...]:
    """Every laboratory value that counts for any due time of the chunk: each knows when it was known."""
    target = one.target
    if target is None:
        return ()
    grid_ns = one.facts.card.grid_ns

    async def values(span: Span) -> TagHistory:
        return (await read([target], span)).tags[target]

    async def inputs(time_ns: int) -> Mapping[str, TagHistory]:
        found = await read_for(one, [time_ns // grid_ns * grid_ns], read)
        return {role: found.tags[source] for role, source in one.sources.items()}

    span = Span(due[0] - one.facts.card.asks["target_back_ns"], due[-1] + 1)
    return await kept.readings(span, values, inputs, one.facts.card.asks["target_values"] + len(due))


def due_times(span: Span, every_ns: int) -> range:
    """Due times in a span: multiples of the interval, as the service has them."""
    return range(-(-span.start_ns // every_ns) * every_ns, span.end_ns, every_ns)


def task_for(
    one: Participant, due: Sequence[int], history: History, laboratory: tuple[LabReading, ...] = ()
) -> ScoreTask:
    """What the scorer takes for due times that lie near each other, their history and laboratory values."""
    return ScoreTask(
        plan=one.plan,
        roles=one.binding.roles,
        history={role: history.tags[source] for role, source in one.sources.items()},
        operands={name: history.tags[address] for name, address in one.binding.operands.items()},
        due=tuple(due),
        laboratory=laboratory,
    )
