"""Scoring and explaining, as the scoring worker does it: plain values in, runs out. Torch is imported by the models.

What is computed depends on nothing but the task and the model's files; the loaded models are a cache of those.
"""

from collections.abc import Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import Final, TypeAlias

import numpy as np

from tagsight.framing import build_frame, live_span
from tagsight.job_scoring import explained_as, laboratory_of
from tagsight.results import ExplanationResult, RoleResult, Run
from tagsight.scoring_task import ModelFacts, ScoredRun, ScoreTask, StorePlace, Unloadable
from tagsight.stacked_scoring import Answer, Ask, answers
from tagsight.substituting import SENSOR_REASONS, Replaced, contradicting_inputs, missing_inputs
from tagsight_connectors.quality import BAD, BAD_NO_DATA, BAD_SENSOR_FAILURE, GOOD, UNCERTAIN
from tagsight_explain.explainers import explain_many
from tagsight_explain.explanation import Explanation
from tagsight_explain.settings import ExplainSettings
from tagsight_models.errors import ModelError, NoSuchModel
from tagsight_models.frame import Floats
from tagsight_models.gates import GateLimits
from tagsight_models.health import HealthModel
from tagsight_models.job_model import JobModel, Results
from tagsight_models.model_store import Loaded, ModelStore
from tagsight_models.quality.lab_history import LabHistory
from tagsight_models.reasons import Reason
from tagsight_models.scoring_model import ScoringModel
from tagsight_models.windows import Windows, digest, windows

STOPPED_REASONS: Final = (Reason.NOT_RUNNING, Reason.STARTING, Reason.EXCLUDED)
MOST_ROLES_NAMED: Final = 3


class Scorer:
    """Scores and explains with the approved models of one store."""

    def __init__(self, place: StorePlace, versions: Mapping[str, int] | None = None) -> None:
        """`versions`: of models that are asked for by number; of all others the approved one counts."""
        self._store = ModelStore(place.root, place.key)
        self._versions = dict(versions or {})
        self._loaded: dict[str, Loaded] = {}
        self._challengers: dict[str, Loaded] = {}

    def facts(self, names: Sequence[str]) -> list[ModelFacts | Unloadable]:
        """Of every model that has an approved version; loads what was approved since."""
        found: list[ModelFacts | Unloadable] = []
        for name in names:
            try:
                loaded = self._load(name)
            except ModelError as error:
                self._loaded.pop(name, None)
                if not isinstance(error, NoSuchModel):
                    found.append(Unloadable(name, str(error)))
                continue
            try:
                GateLimits.from_json(loaded.card.gates)
            except ValueError as error:  # one model's card must not keep the others from being scored
                found.append(Unloadable(name, f"version {loaded.version}: {error}"))
                continue
            self._loaded[name] = loaded
            self._challenge(name, loaded)
            found.append(ModelFacts(name, loaded.version, loaded.card, loaded.refused))
        return found

    def loaded(self, name: str) -> Loaded:
        """The version that scores.

        Raises:
            ModelError: there is none, or it is damaged.
        """
        return self._loaded.get(name) or self._load(name)

    def _load(self, name: str) -> Loaded:
        version = self._versions.get(name)
        return self._store.load_approved(name) if version is None else self._store.load(name, version)

    def _challenge(self, name: str, champion: Loaded) -> None:
        """The newest later version that takes the same windows scores in the shadow of the one that runs."""
        self._challengers.pop(name, None)
        newest = max(self._store.versions(name), default=0)
        if newest <= champion.version:
            return
        try:
            challenger = self._store.load(name, newest)
        except ModelError:
            return  # it was approved by nobody: what is wrong with it is said by `tagsight model list`
        if challenger.card.takes_windows_of(champion.card):
            self._challengers[name] = challenger

    def score(self, task: ScoreTask) -> list[ScoredRun]:
        """One run for each due time whose window is new or has changed.

        Never raises for what the data are; a model that fails is a run that says so.
        """
        (found,) = self.score_together([task])
        return found

    def score_together(self, tasks: Sequence[ScoreTask]) -> list[list[ScoredRun]]:
        """`score` of each; the windows of health models of one shape are scored side by side."""
        return _ended([self._scoring(task) for task in tasks])

    def _scoring(self, task: ScoreTask) -> "_Scoring":
        name = task.plan.key
        try:
            loaded = self._loaded.get(name) or self._load(name)
        except ModelError as error:
            return [ScoredRun(Run(name, due, 0, None, BAD, reason=str(error))) for due in task.due]
        self._loaded[name] = loaded
        return (yield from _steps(task, loaded, self._challengers.get(name)))

    def explain(self, model: str, runs: Sequence[ScoredRun], settings: ExplainSettings) -> list[Run]:
        """The same runs with their explanations; a failure is one too, with its reason."""
        loaded = self._loaded.get(model) or self._load(model)
        asked = [one for one in runs if one.window is not None and one.run.score is not None]
        if any(one.run.version != loaded.version for one in asked):
            return [
                replace(one.run, explanation=_unexplained("another version was approved meanwhile")) for one in asked
            ]
        if any(explained_as(loaded.model, one.run) is not loaded.model for one in asked):
            models = [explained_as(loaded.model, one.run) for one in asked]
            found = [
                _explained(model, loaded.normal, [one], settings)[0] for model, one in zip(models, asked, strict=True)
            ]
        else:
            found = _explained(loaded.model, loaded.normal, asked, settings)
        return [replace(one.run, explanation=_result(each)) for one, each in zip(asked, found, strict=True)]


def _explained(
    model: ScoringModel, normal: Floats | None, asked: Sequence[ScoredRun], settings: ExplainSettings
) -> list[Explanation]:
    stacked = np.stack([one.window for one in asked if one.window is not None])
    scores = np.array([one.run.score for one in asked], dtype=np.float64)
    return explain_many(model, stacked, scores, settings, monotonic, normal=normal)


_Scoring: TypeAlias = Generator[Ask, Answer, list[ScoredRun]]
"""The scoring of one task: it asks once, at most, what its model says of its windows, and ends with the runs."""


def _ended(scorings: Sequence[_Scoring]) -> list[list[ScoredRun]]:
    """The runs of each; what they ask their models is asked together."""
    found: dict[int, list[ScoredRun]] = {}
    asked: dict[int, Ask] = {}
    for number, one in enumerate(scorings):
        try:
            asked[number] = next(one)
        except StopIteration as end:
            found[number] = end.value
    for number, answer in zip(asked, answers(list(asked.values())), strict=True):
        try:
            scorings[number].send(answer)
        except StopIteration as end:
            found[number] = end.value
    return [found[number] for number in range(len(scorings))]


def _scored(task: ScoreTask, loaded: Loaded, challenger: Loaded | None = None) -> list[ScoredRun]:
    (found,) = _ended([_steps(task, loaded, challenger)])
    return found


def _steps(task: ScoreTask, loaded: Loaded, challenger: Loaded | None) -> _Scoring:
    card, model = loaded.card, loaded.model
    limits = GateLimits.from_json(card.gates)
    wanted = {role.name for role in card.roles}
    missing = wanted - task.history.keys()
    if missing:
        reason = f"the model's input {min(missing)} is bound to no tag: train again"
        return [ScoredRun(Run(task.plan.key, due, loaded.version, None, BAD, reason=reason)) for due in task.due]
    start, _ = live_span(task.due[0], card.window_steps, card.grid_ns, limits, task.plan.running_buffer_ns)
    framed = build_frame(
        {role.name: task.history[role.name] for role in card.roles},
        task.operands,
        card.roles,
        card.grid_ns,
        (start, task.due[-1]),
        limits=limits,
        running=task.plan.running,
        running_buffer_ns=task.plan.running_buffer_ns,
        periods=[(period.start_ns, period.end_ns) for period in task.plan.train.exclude],
        live=True,
    )
    cut = windows(framed.frame, card.window_steps, np.array(task.due, dtype=np.int64))
    digests = [digest(cut, n) for n in range(len(cut))]
    changed = [n for n, due in enumerate(task.due) if task.known.get(due) != digests[n]]
    replaced = missing_inputs(model, cut, changed, task.plan.substitute)
    asked = {
        n: replaced[n].window if n in replaced else cut.values[n] for n in changed if cut.usable[n] or n in replaced
    }
    laboratory = laboratory_of(task, card, limits)
    results: dict[int, _Scored] = {}
    if asked:
        ask = _ask(model, cut, asked, laboratory)
        results = _values(cut, asked, ask.block, (yield ask))
    high = {n: one.window for n, one in results.items() if one.score > 1.0 and n not in replaced}
    contradicting = contradicting_inputs(model, cut.roles, high, task.plan.substitute)
    if contradicting:
        ask = _ask(model, cut, {n: one.window for n, one in contradicting.items()}, laboratory)
        results |= _values(cut, contradicting, ask.block, *answers([ask]))
    replaced = {**replaced, **contradicting}
    shadows = _shadows(challenger, cut, [n for n in results if cut.usable[n]])
    runs = [_run(task, loaded, cut, n, digests[n], results.get(n), replaced.get(n)) for n in changed]
    return [
        replace(one, run=replace(one.run, shadow=shadows[n])) if n in shadows else one
        for n, one in zip(changed, runs, strict=True)
    ]


def _shadows(challenger: Loaded | None, cut: Windows, rows: Sequence[int]) -> dict[int, tuple[int, float]]:
    """Version and score of the challenger by number of the window; nothing where it fails: it must harm nobody."""
    if challenger is None or not rows:
        return {}
    try:
        scores = challenger.model.score(np.ascontiguousarray(cut.values[rows]))
    except (ModelError, ArithmeticError, ValueError, RuntimeError):
        return {}
    return {n: (challenger.version, float(score)) for n, score in zip(rows, scores, strict=True) if np.isfinite(score)}


@dataclass(frozen=True, slots=True)
class _Scored:
    """What a model said of one window."""

    score: float
    roles: tuple[RoleResult, ...]
    results: Results
    window: Floats


def _ask(model: JobModel, cut: Windows, asked: Mapping[int, Floats], laboratory: LabHistory | None) -> Ask:
    return Ask(model, np.stack(list(asked.values())), cut.ends[list(asked)], laboratory)


def _values(cut: Windows, numbers: Collection[int], block: Floats, answer: Answer) -> dict[int, _Scored]:
    """What the model says of windows by their number."""
    found, expected = answer.found, answer.expected
    scored = [
        _Scored(
            float(found.scores[k]),
            tuple(
                RoleResult(
                    role,
                    float(block[k, -1, column]),
                    float(expected.expected[k, column]),
                    float(expected.lower[k, column]),
                    float(expected.upper[k, column]),
                )
                for column, role in enumerate(cut.roles)
            ),
            found.results[k],
            block[k],
        )
        for k in range(len(block))
    ]
    return dict(zip(numbers, scored, strict=True))


def _run(  # noqa: PLR0917 - the parts of one result
    task: ScoreTask,
    loaded: Loaded,
    cut: Windows,
    n: int,
    input_digest: str,
    values: _Scored | None,
    replaced: Replaced | None,
) -> ScoredRun:
    due = task.due[n]
    base = Run(
        task.plan.key,
        due,
        loaded.version,
        None,
        BAD_NO_DATA,
        input_digest=input_digest,
        revised=due in task.known,
        trial=loaded.card.trial,
    )
    if values is None:
        return _not_scored(base, *cut.why(n))
    unjudged = loaded.model.unjudged(values.window[None])[0] if isinstance(loaded.model, HealthModel) else ""
    if unjudged:
        return ScoredRun(replace(base, quality=UNCERTAIN, reason=unjudged, stopped=True))
    if not np.isfinite(values.score):
        return ScoredRun(replace(base, quality=BAD, reason="the model's score is not a number", roles=values.roles))
    doubtful = bool(cut.uncertain[n]) or (replaced is not None and replaced.estimated)
    doubt = "rests on uncertain or bridged values" if doubtful else ""
    run = replace(
        base,
        score=values.score,
        quality=UNCERTAIN if doubtful else GOOD,
        reason=doubt if replaced is None else replaced.reason,
        roles=values.roles,
        results=values.results,
    )
    return ScoredRun(run, values.window, sensor_fault=replaced is not None and replaced.sensor)


def _not_scored(base: Run, reason: Reason, roles: tuple[str, ...]) -> ScoredRun:
    named = ", ".join(roles[:MOST_ROLES_NAMED]) + (" ..." if len(roles) > MOST_ROLES_NAMED else "")
    words = f"{reason.words}: {named}" if named else reason.words
    if reason in STOPPED_REASONS:
        return ScoredRun(replace(base, quality=UNCERTAIN, reason=words, stopped=True))
    sensor = reason in SENSOR_REASONS
    return ScoredRun(replace(base, quality=BAD_SENSOR_FAILURE if sensor else BAD_NO_DATA, reason=words), None, sensor)


def _result(found: Explanation) -> ExplanationResult:
    return ExplanationResult(
        base=found.base,
        contributions=dict(zip(found.roles, found.contributions.tolist(), strict=True)),
        standard_error=dict(zip(found.roles, found.standard_error.tolist(), strict=True)),
        failure=found.failure,
        without={} if found.without is None else _finite(found.roles, found.without),
    )


def _finite(names: Sequence[str], values: Floats) -> dict[str, float]:
    return {name: value for name, value in zip(names, values.tolist(), strict=True) if np.isfinite(value)}


def _unexplained(why: str) -> ExplanationResult:
    return ExplanationResult(0.0, {}, {}, why)
