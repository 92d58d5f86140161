"""A model must earn its place: it is compared with the simple baselines on held-out time and on injected faults.

Each method has a limit from rows that its fit did not see. Counted are activations in held-out normal time, and the
share of rows found while an injected fault lasts, at each method's own limit and at equal false alarms: at the limit
at which it would just have raised none in the held-out time. A model that finds little of the large faults is blind,
one that raises far more than its budget floods; both are `trial`, and so is one that a baseline within its budget
clearly beats both ways (at its own limit alone, the short time that the limit comes from may be the cause).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

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
class HeldOut:
    """Held-out normal time: times (steps,), values (steps, roles), NaN rows where nothing counts."""

    times: Times
    values: Floats


def baselines(train: Floats, times: Times, alarming: Alarming) -> list[Contestant]:
    """The four baselines, fitted on the training rows, limits from five blocked folds of them, by the same rule."""
    contestants = []
    for name, fit in BASELINES.items():
        levels = np.sqrt(out_of_fold(fit, train))
        limit = calibrate(times, levels, alarming)
        contestants.append(Contestant(name, _rooted(fit(train).rows), limit.value))
    return contestants


def _rooted(rows: Callable[[Floats], Floats]) -> Callable[[Floats], Floats]:
    return lambda values: np.asarray(np.sqrt(rows(values)))


def compare(
    ours: Contestant,
    others: Sequence[Contestant],
    held: HeldOut,
    *,
    alarming: Alarming,
    seed: int = 0,
) -> Comparison:
    """Judge all methods on the same rows and the same faults."""
    contestants = [ours, *others]
    window_steps = alarming.memory
    starts = _episodes(held.values, window_steps)
    rows = held.values[present(held.values)]
    spread = 1.4826 * np.median(np.abs(rows - np.median(rows, axis=0)), axis=0)
    spread = np.where(spread > 0.0, spread, rows.std(axis=0))
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = np.nan_to_num(np.corrcoef(rows.T)).reshape(rows.shape[1], rows.shape[1])
    faults = drawn_faults(correlation, FAULTS, SIZES, seed)
    shares = np.zeros((2, len(contestants), FAULTS))  # at the own limit, at equal false alarms
    distances = [one.rows(held.values) for one in contestants]
    distances = [np.where(np.isfinite(distances[0]), found, np.nan) for found in distances]  # the same rows for all
    highest = [_highest(held.times, found, alarming) for found in distances]
    for number, fault in enumerate(faults):
        start = starts[number % len(starts)]
        episode = inject(held.values[start : start + 2 * window_steps], window_steps, fault, spread, seed + number)
        for row, contestant in enumerate(contestants):
            rows_of_fault = contestant.rows(episode)[window_steps:]
            shares[:, row, number] = [(rows_of_fault > level).mean() for level in (contestant.limit, highest[row])]
    spans = float(present(held.values).sum()) * alarming.grid_ns
    results = [
        _result(one, len(activations(held.times, found, one.limit, alarming.delays)), shares[:, row], alarming, spans)
        for row, (one, found) in enumerate(zip(contestants, distances, strict=True))
    ]
    verdict, trial = _judge(results, shares)
    return Comparison(tuple(results), verdict, trial, len(rows), FAULTS)


def _episodes(values: Floats, window_steps: int) -> list[int]:
    """Starts of stretches of two windows without a hole."""
    length = 2 * window_steps
    whole = np.concatenate([[0], np.cumsum(~present(values))])
    starts = [s for s in range(len(values) - length + 1) if whole[s + length] == whole[s]]
    if not starts:
        raise TooLittleData("comparing on held-out time: steps in a row", int(present(values).sum()), length)
    return starts[:: max(1, len(starts) // 40)]


def _highest(times: Times, distances: Floats, alarming: Alarming) -> float:
    """The limit at which the method would just have raised no alarm."""
    levels = held_levels(times, distances, alarming.grid_ns, alarming.delays.on_ns)
    finite = levels[np.isfinite(levels)]
    return float(finite.max()) if finite.size else float(np.nanmax(distances))


def _result(contestant: Contestant, raised: int, shares: Floats, alarming: Alarming, span_ns: float) -> Result:
    found = shares[0]
    allowed = alarming.budget.allowed(span_ns)
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
        "verdict": comparison.verdict,
        "trial": comparison.trial,
        "steps": comparison.steps,
        "faults": comparison.faults,
        "results": [
            {
                "name": one.name,
                "activations": one.activations,
                "single": one.single,
                "correlated": one.correlated,
                "largest": one.largest,
                "equal": one.equal,
                "floods": one.floods,
            }
            for one in comparison.results
        ],
    }
