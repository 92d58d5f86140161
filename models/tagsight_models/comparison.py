"""A model must earn its place: it is compared with the simple baselines on held-out time and on injected faults.

Each method has a limit from rows that its fit did not see. Counted are, at due times only, activations in held-out
normal time, and the share of rows found while an injected fault lasts, at each method's own limit and at equal false
alarms: at the limit at which it would just have raised none in the held-out time. A model that finds little of the
large faults is blind, one that raises far more than its budget floods; both are `trial`, and so is one that a baseline
within its budget clearly beats both ways (at its own limit alone, the short time that the limit comes from may be the
cause).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from tagsight_models.calibration import Alarming, calibrate, held_levels
from tagsight_models.delays import activations
from tagsight_models.errors import TooLittleData
from tagsight_models.faults import drawn_faults, inject
from tagsight_models.frame import Floats, Times
from tagsight_models.statistics.out_of_fold import out_of_fold
from tagsight_models.statistics.registry import BASELINES
from tagsight_models.statistics.statistic import present

SIZES = (1.0, 2.0, 4.0)
FAULTS = 96
BLIND = 0.3  # less than this share of the rows of the largest faults
MARGIN = 0.05  # a difference below this, or within two standard errors, is a draw: limits are uncertain too
OURS = "TagSight"


@dataclass(frozen=True, slots=True)
class Contestant:
    """One method: distance of each row of a series (NaN: not scored) and its limit."""

    name: str
    rows: Callable[[Floats], Floats]
    limit: float


@dataclass(frozen=True, slots=True)
class Result:
    """What one method did.

    Attributes:
        activations: in the held-out normal time.
        single: share of rows found, faults in one role.
        correlated: share of rows found, faults that move several roles.
        largest: share of rows found of the largest faults.
        equal: share of rows found at equal false alarms.
        floods: far more activations than the budget allows.
    """

    name: str
    activations: int
    single: float
    correlated: float
    largest: float
    equal: float
    floods: bool

    @property
    def found(self) -> float:
        """Mean of both kinds."""
        return 0.5 * (self.single + self.correlated)


@dataclass(frozen=True, slots=True)
class Comparison:
    """All results, ours first; `trial` with its cause in `verdict`."""

    results: tuple[Result, ...]
    verdict: str
    trial: bool
    steps: int
    faults: int


@dataclass(frozen=True, slots=True)
class NormalTime:
    """Part of normal time: times (steps,), values (steps, roles), NaN rows where nothing counts."""

    times: Times
    values: Floats


def baselines(learned: NormalTime, alarming: Alarming, limit_from: NormalTime | None) -> list[Contestant]:
    """The four baselines, fitted on the rows that the model learned from, limits by the same rule.

    Args:
        learned: the rows to fit to.
        alarming: how scores become alarms.
        limit_from: the held-out time that the engineer named, if so; None: five blocked folds of the rows.
    """
    contestants = []
    for name, fit in BASELINES.items():
        rows = _rooted(fit(learned.values).rows)
        if limit_from is None:
            limit = calibrate(learned.times, np.sqrt(out_of_fold(fit, learned.values)), alarming)
        else:
            limit = calibrate(limit_from.times, rows(limit_from.values), alarming)
        contestants.append(Contestant(name, rows, limit.value))
    return contestants


def _rooted(rows: Callable[[Floats], Floats]) -> Callable[[Floats], Floats]:
    return lambda values: np.asarray(np.sqrt(rows(values)))


def compare(
    ours: Contestant, others: Sequence[Contestant], held: NormalTime, *, alarming: Alarming, seed: int = 0
) -> Comparison:
    """Judge all methods on the same rows and the same faults."""
    contestants = [ours, *others]
    distances = [one.rows(held.values) for one in contestants]
    distances = [np.where(np.isfinite(distances[0]), found, np.nan) for found in distances]  # the same rows for all
    highest = [_highest(held.times, found, alarming) for found in distances]
    shares = _shares(contestants, highest, held, alarming, seed)
    due = alarming.due(held.times)
    raised = [
        len(activations(held.times[due], found[due], one.limit, alarming.delays))
        for one, found in zip(contestants, distances, strict=True)
    ]
    allowed = alarming.budget.allowed(float((present(held.values) & due).sum()) * alarming.step_ns)
    results = [_result(one, raised[n], shares[:, n], allowed) for n, one in enumerate(contestants)]
    verdict, trial = _judge(results, shares)
    return Comparison(tuple(results), verdict, trial, int(present(held.values).sum()), FAULTS)


def _shares(
    contestants: Sequence[Contestant], highest: Sequence[float], held: NormalTime, alarming: Alarming, seed: int
) -> Floats:
    """Share of due times found of each injected fault, at the own limit and at `highest`: (2, contestants, faults)."""
    window_steps = alarming.memory
    shares = np.zeros((2, len(contestants), FAULTS))
    for number, (part, episode) in enumerate(faulty_episodes(held, alarming, seed)):
        counted = alarming.due(held.times[part])[window_steps:]
        for row, contestant in enumerate(contestants):
            found = contestant.rows(episode)[window_steps:][counted]
            shares[:, row, number] = [(found > level).mean() for level in (contestant.limit, highest[row])]
    return shares


def faulty_episodes(held: NormalTime, alarming: Alarming, seed: int) -> Iterator[tuple[slice, Floats]]:
    """Two windows of held-out time for each fault, with the fault in the second: where they are, and their values.

    Raises:
        TooLittleData: no two windows without a hole.
    """
    window_steps = alarming.memory
    rows = held.values[present(held.values)]
    spread = _spread(rows)
    starts = _episodes(held, alarming)
    for number, fault in enumerate(drawn_faults(_correlation(rows), FAULTS, SIZES, seed)):
        part = slice(starts[number % len(starts)], starts[number % len(starts)] + 2 * window_steps)
        yield part, inject(held.values[part], window_steps, fault, spread, seed + number)


def _spread(rows: Floats) -> Floats:
    spread = 1.4826 * np.median(np.abs(rows - np.median(rows, axis=0)), axis=0)
    return np.where(spread > 0.0, spread, rows.std(axis=0))


def _correlation(rows: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.nan_to_num(np.corrcoef(rows.T)).reshape(rows.shape[1], rows.shape[1])


def _episodes(held: NormalTime, alarming: Alarming) -> list[int]:
    """Starts of stretches of two windows without a hole that end at a due time."""
    length = 2 * alarming.memory
    whole = np.concatenate([[0], np.cumsum(~present(held.values))])
    due = alarming.due(held.times)
    starts = [s for s in range(len(due) - length + 1) if due[s + length - 1] and whole[s + length] == whole[s]]
    if not starts:
        raise TooLittleData("comparing on held-out time: steps in a row", int(present(held.values).sum()), length)
    return starts[:: max(1, len(starts) // 40)]


def _highest(times: Times, distances: Floats, alarming: Alarming) -> float:
    """The limit at which the method would just have raised no alarm."""
    due = alarming.due(times)
    times, distances = times[due], distances[due]
    levels = held_levels(times, distances, alarming.step_ns, alarming.delays.on_ns)
    finite = levels[np.isfinite(levels)]
    return float(finite.max()) if finite.size else float(np.nanmax(distances))


def _result(contestant: Contestant, raised: int, shares: Floats, allowed: float) -> Result:
    found = shares[0]
    number = np.arange(len(found))
    single = number % 2 == 0
    largest = (number // 8) % len(SIZES) == len(SIZES) - 1
    return Result(
        contestant.name,
        raised,
        float(found[single].mean()),
        float(found[~single].mean()),
        float(found[largest].mean()),
        float(shares[1].mean()),
        floods=bool(raised > allowed + 3.0 * np.sqrt(allowed) + 1.0),
    )


def _judge(results: Sequence[Result], shares: Floats) -> tuple[str, bool]:
    ours, others = results[0], results[1:]
    fair = [number for number, result in enumerate(others, 1) if not result.floods]
    said = f"{ours.name} finds {ours.found:.0%} of the rows of injected faults, {ours.activations} false activations"
    if ours.floods:
        return f"{said}: it floods, so it is on trial", True
    if ours.largest < BLIND:
        return f"{said}, only {ours.largest:.0%} of the largest: it is blind, so it is on trial", True
    if not fair:
        return f"{said}; every baseline floods: {ours.name} wins", False
    best = max(fair, key=lambda number: results[number].found)
    against = f"best baseline within its budget: {results[best].name} with {results[best].found:.0%}"
    own, equal = (_gap(of[0], of[best]) for of in shares)
    if own > 0:
        return f"{said}; {against}: {ours.name} wins", False
    if own < 0 and equal < 0:
        return f"{said}; {against}: the baseline wins, so the model is on trial", True
    at_equal = f"at equal false alarms {ours.equal:.0%} against {results[best].equal:.0%}"
    return f"{said}; {against}; {at_equal}: a draw", False


def _gap(ours: Floats, theirs: Floats) -> int:
    """1: ours finds clearly more, -1: clearly less, 0: a draw."""
    gap = ours - theirs
    wide = max(MARGIN, 2.0 * float(gap.std()) / np.sqrt(len(gap)))
    return int(gap.mean() > wide) - int(gap.mean() < -wide)


def as_json(comparison: Comparison) -> Mapping[str, object]:
    """For the card."""
    return {
        **{name: getattr(comparison, name) for name in ("verdict", "trial", "steps", "faults")},
        "results": [asdict(one) for one in comparison.results],
        "lines": [_line(one) for one in comparison.results],
    }


def _line(result: Result) -> str:
    flood = ", floods" if result.floods else ""
    return (
        f"{result.name}: finds {result.single:.0%} of faults in one tag, {result.correlated:.0%} of correlated ones, "
        f"{result.activations} false activations{flood}"
    )
