"""A model must earn its place: it is compared with the simple baselines on held-out time and on injected faults.

Each method has a limit from rows that its fit did not see. Counted are activations in held-out normal time, and the
share of rows found while an injected fault lasts. A model that finds little of the large faults is blind, one that
raises far more than its budget floods; both, and one that a baseline within its budget clearly beats, are `trial`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tagsight_models.calibration import Alarming, calibrate
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
MARGIN = 0.02  # a difference below this, or within two standard errors, is a draw
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
        floods: far more activations than the budget allows.
    """

    name: str
    activations: int
    single: float
    correlated: float
    largest: float
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
    shares = np.zeros((len(contestants), FAULTS))
    for number, fault in enumerate(faults):
        start = starts[number % len(starts)]
        episode = inject(held.values[start : start + 2 * window_steps], window_steps, fault, spread, seed + number)
        for row, contestant in enumerate(contestants):
            shares[row, number] = _share_found(contestant, episode[: 2 * window_steps], window_steps)
    results = [_result(one, held, found, alarming) for one, found in zip(contestants, shares, strict=True)]
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


def _share_found(contestant: Contestant, episode: Floats, onset: int) -> float:
    return float((contestant.rows(episode)[onset:] > contestant.limit).mean())


def _result(contestant: Contestant, held: HeldOut, found: Floats, alarming: Alarming) -> Result:
    raised = len(activations(held.times, contestant.rows(held.values), contestant.limit, alarming.delays))
    allowed = alarming.budget.allowed(float(present(held.values).sum()) * alarming.grid_ns)
    number = np.arange(len(found))
    single = number % 2 == 0
    largest = (number // 8) % len(SIZES) == len(SIZES) - 1
    return Result(
        contestant.name,
        raised,
        float(found[single].mean()),
        float(found[~single].mean()),
        float(found[largest].mean()),
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
    gap = shares[0] - shares[best]
    error = 2.0 * float(gap.std()) / np.sqrt(len(gap))
    against = f"best baseline within its budget: {results[best].name} with {results[best].found:.0%}"
    if gap.mean() < -max(MARGIN, error):
        return f"{said}; {against}: the baseline wins, so the model is on trial", True
    won = f"{ours.name} wins" if gap.mean() > max(MARGIN, error) else "a draw"
    return f"{said}; {against}: {won}", False


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
                "floods": one.floods,
            }
            for one in comparison.results
        ],
    }
