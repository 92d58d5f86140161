"""What a model says of any moment of the past, and of a period: scored and explained as the service does it.

History is read and aligned, windows are gated, scored and explained by the functions of the service; nothing is
recorded and nothing is written to a historian. Imports torch by the scorer.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from tagsight.alarms import LIMIT
from tagsight.clocks import SECOND
from tagsight.errors import NotReady
from tagsight.explain_settings import explain_settings
from tagsight.job_scoring import explained_as
from tagsight.laboratory import Laboratory
from tagsight.outputs import Circumstances, explanation_row
from tagsight.rehearsal import CHUNK, Read, due_times, laboratory_for, read_for, task_for
from tagsight.results import RoleResult, Run
from tagsight.scoring import Scorer
from tagsight.scoring_task import ScoredRun
from tagsight.tick import Participant
from tagsight_connectors.history import Span
from tagsight_explain.explanation import Explanation
from tagsight_explain.role_time import RoleTime, RoleTimeSettings, role_time
from tagsight_models.frame import Floats, Times

EXPLAINED: Final = 240
"""Scores of a period that are explained: evenly spread, and the highest."""

LEAST_SECONDS: Final = 20.0
"""Budget of an explanation that somebody waits for."""


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """One moment.

    Attributes:
        participant: model and version.
        run: with its explanation.
        window: shape (window_steps, roles), what was scored.
        times: shape (window_steps,), UTC ns.
        before: the run of each step of the window, the last one without the explanation.
        message: what the operator would have read.
        role_time: which part of the window counted; None where the explanation does not hold.
    """

    participant: Participant
    run: Run
    window: Floats
    times: Times
    before: tuple[Run, ...]
    message: str
    role_time: RoleTime | None

    @property
    def explanation(self) -> Explanation:
        """Of the run."""
        return explanation_of(self.run)

    @property
    def shown(self) -> list[int]:
        """For each player, the column of its role; of a group, that of the role that is farthest out of its band."""
        names = [one.role for one in self.run.roles]
        members = dict(self.participant.plan.explain_groups)
        found = []
        for player in self.explanation.roles:
            columns = [names.index(role) for role in members.get(player, (player,)) if role in names]
            found.append(max(columns, key=lambda column: _out_of_band(self.run.roles[column])))
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Period:
    """A period.

    Attributes:
        participant: model and version.
        times: due times, UTC ns.
        scores: NaN where not scored.
        reasons: why not, with their count.
        explained: runs with an explanation that holds, ascending.
    """

    participant: Participant
    times: Times
    scores: Floats
    reasons: Mapping[str, int]
    explained: tuple[Run, ...]

    @property
    def explanations(self) -> list[Explanation]:
        """Of `explained`."""
        return [explanation_of(run) for run in self.explained]

    @property
    def players(self) -> tuple[str, ...]:
        """Roles, and groups of them."""
        return self.explanations[0].roles if self.explained else ()

    @property
    def actual(self) -> Floats:
        """Values of the players' roles at the end of each explained window, (explained, players); NaN of groups."""
        values = [{one.role: one.actual for one in run.roles} for run in self.explained]
        return np.array([[each.get(player, np.nan) for player in self.players] for each in values])

    @property
    def contributions(self) -> Floats:
        """Shape (due times, players), NaN where not explained."""
        found = np.full((len(self.times), len(self.players)), np.nan)
        rows = np.searchsorted(self.times, [run.due_ns for run in self.explained])
        if len(rows):
            found[rows] = [one.contributions for one in self.explanations]
        return found


@dataclass(frozen=True, slots=True)
class Looking:
    """How somebody looks back: by what, in which time zone and language; `extent`: since when tags have values."""

    read: Read
    scorer: Scorer
    timezone: ZoneInfo
    language: str
    extent: Callable[[Sequence[str]], Awaitable[Span | None]]

    def when(self, time_ns: int) -> str:
        """For people."""
        return datetime.fromtimestamp(time_ns / SECOND, tz=self.timezone).strftime("%Y-%m-%d %H:%M:%S %Z")


def _out_of_band(one: RoleResult) -> float:
    width = one.upper - one.lower
    return abs(one.actual - one.expected) / width if width > 0.0 and np.isfinite(one.expected) else 0.0


def explanation_of(run: Run) -> Explanation:
    """The explanation of a run as arrays, of its players; NaN where there are no numbers."""
    found = run.explanation
    if found is None or not found.contributions:
        missing = np.full(len(run.roles), np.nan)
        why = "not explained" if found is None else found.failure
        return Explanation(tuple(one.role for one in run.roles), float("nan"), missing, missing.copy(), 0, why)
    values, errors = (np.array(list(one.values())) for one in (found.contributions, found.standard_error))
    without = np.array([found.without.get(name, np.nan) for name in found.contributions])
    return Explanation(tuple(found.contributions), found.base, values, errors, 0, found.failure, without)


async def look_at(participant: Participant, at_ns: int, looking: Looking) -> Moment:
    """The step of the grid at or before `at_ns`.

    Raises:
        NotReady: the model could not score it, with the reason.
        HistorianError: history cannot be read.
    """
    card = participant.facts.card
    end = at_ns // card.grid_ns * card.grid_ns
    times = end - card.grid_ns * np.arange(card.window_steps)[::-1]
    found = await _scored(participant, times.tolist(), looking)
    last = found[-1]
    if last.run.score is None or last.window is None:
        msg = f"{participant.plan.key} cannot be scored at {looking.when(end)}: {last.run.reason}"
        raise NotReady(msg, "Give a moment at which the machine ran and its inputs were stored.")
    settings = explain_settings(participant.plan, at_least_seconds=LEAST_SECONDS)
    (run,) = looking.scorer.explain(participant.plan.key, [last], settings)
    whole, loaded = explanation_of(run), looking.scorer.loaded(participant.plan.key)
    split = None
    if not whole.failure:
        finely, model = RoleTimeSettings(seed=settings.seed), explained_as(loaded.model, run)
        split = role_time(model, last.window, whole, finely, explained=settings, normal=loaded.normal)
    message = _message(participant, run, [one.run for one in found], looking)
    return Moment(participant, run, last.window, times, tuple(one.run for one in found), message, split)


async def look_over(participant: Participant, span: Span, looking: Looking, most: int = EXPLAINED) -> Period:
    """All due times of a span; of those that were scored at most `most` are explained.

    Raises:
        NotReady: none could be scored, with the reasons.
        HistorianError: history cannot be read.
    """
    due = due_times(span, participant.rhythm.every_ns)
    if not due:
        msg = "no due time lies in the period"
        raise NotReady(msg, "Give a longer period: `--from`, `--to`.")
    scored = await _scored(participant, due, looking)
    reasons = Counter(one.run.reason.partition(":")[0] for one in scored if one.run.score is None)
    asked = _chosen(scored, most)
    if not asked:
        said = ", ".join(f"{reason} {count}" for reason, count in reasons.most_common())
        msg = f"{participant.plan.key} cannot be scored at any of {len(due)} due times: {said}"
        raise NotReady(msg, "Give a period in which the machine ran and its inputs were stored.")
    settings = explain_settings(participant.plan, at_least_seconds=LEAST_SECONDS)
    runs = looking.scorer.explain(participant.plan.key, asked, settings)
    return Period(
        participant,
        np.array([one.run.due_ns for one in scored], dtype=np.int64),
        np.array([np.nan if one.run.score is None else one.run.score for one in scored]),
        dict(reasons.most_common()),
        tuple(run for run in runs if run.explanation is not None and not run.explanation.failure),
    )


def since_ns(runs: Sequence[Run], due_ns: int, every_ns: int) -> int | None:
    """Since when the score of the last run has exceeded its limit, None if it does not or for longer than `runs`."""
    found = None
    for run in reversed(runs):
        if run.score is None or run.score <= LIMIT or run.due_ns != due_ns:
            return found
        found, due_ns = run.due_ns, due_ns - every_ns
    return None


async def _scored(participant: Participant, due: Sequence[int], looking: Looking) -> list[ScoredRun]:
    kept, found, values = Laboratory(), [], 0
    for first in range(0, len(due), CHUNK):
        part = due[first : first + CHUNK]
        history = await read_for(participant, part, looking.read)
        values += sum(len(tag) for tag in history.tags.values())
        laboratory = await laboratory_for(participant, part, looking.read, kept)
        found += looking.scorer.score(task_for(participant, part, history, laboratory))
    if not values:
        raise await _nothing_stored(participant, due, looking)
    return found


async def _nothing_stored(participant: Participant, due: Sequence[int], looking: Looking) -> NotReady:
    known = await looking.extent(list(participant.binding.addresses.values()))
    msg = f"no input of {participant.plan.key} has a value at {looking.when(due[-1])} or in the window before it"
    if known is None:
        return NotReady(msg, "The historian has no values of these tags at all; `tagsight probe FILE` examines them.")
    span = f"{looking.when(known.start_ns)} to {looking.when(known.end_ns)}"
    return NotReady(msg, f"There are values from {span}.")


def _chosen(scored: Sequence[ScoredRun], most: int) -> list[ScoredRun]:
    """Evenly spread, the highest score among them."""
    usable = [one for one in scored if one.run.score is not None and one.window is not None]
    if len(usable) <= most:
        return usable
    places = set(np.linspace(0, len(usable) - 1, most - 1).round().astype(int).tolist())
    places.add(int(np.argmax([one.run.score or 0.0 for one in usable])))
    return [usable[place] for place in sorted(places)]


def _message(participant: Participant, run: Run, runs: Sequence[Run], looking: Looking) -> str:
    plan, binding = participant.plan, participant.binding
    high = run.score is not None and run.score > LIMIT
    now = Circumstances(
        asset=plan.asset,
        alarm=high,
        since_ns=since_ns(runs, run.due_ns, participant.facts.card.grid_ns),
        units={role.name: role.unit for role in binding.roles},
        timezone=looking.timezone,
        descriptions=binding.descriptions,
        causes=plan.causes,
        language=looking.language,
        job_outputs=participant.facts.card.outputs,
    )
    row = explanation_row(replace(run, trial=False), now)  # on trial it says the same as it would
    return next(str(value.value) for value in row.values if value.output == "Message")
