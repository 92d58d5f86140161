"""The alarm limit, from distances in normal time that the model did not learn from.

What is counted is what would be announced: the score must stay above the limit for the whole on-delay, so the level
that matters is the smallest distance within each on-delay. Only due times count: where scores come less often than the
grid has steps, most steps are never scored, and the on-delay is a matter of a few scores. Three rules, by how much
normal time there is:

counted       the time allows at least five activations: the limit is the level that so many peaks exceed.
extrapolated  at least 20 peaks above a threshold: a generalised Pareto tail is fitted to them (peaks over
              threshold, declustered: one peak for each window). Its shape, from probability-weighted moments, is drawn
              towards 0 where peaks are few, and kept within 0 .. 0.3: below 0 the tail would end, and a limit must
              not trust that.
predicted     fewer: Student's prediction limit for the next independent window. A distance is a mean of many squares
              over many steps, so its body is near normal; the degrees of freedom are the independent windows seen,
              which makes the limit cautious when there are few. Never below the largest level seen.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import stats

from tagsight_models.delays import Delays, activations
from tagsight_models.errors import TooLittleData
from tagsight_models.frame import Flags, Floats, Times

DAY: Final = 86_400_000_000_000
ENOUGH_COUNTED: Final = 5.0
ENOUGH_PEAKS: Final = 20
MOST_SHAPE: Final = 0.3
UNSURE: Final = 40.0  # peaks that the belief in an exponential tail (shape 0) is worth
LEAST_WINDOWS: Final = 20
SUPPORTED: Final = 3.0  # a budget is supported by normal time in which it allows three activations


@dataclass(frozen=True, slots=True)
class Budget:
    """How often the alarm may come in normal time: `at_most` activations per `per_ns`."""

    at_most: float
    per_ns: int

    def allowed(self, span_ns: float) -> float:
        """Activations within a span."""
        return self.at_most * span_ns / self.per_ns


@dataclass(frozen=True, slots=True)
class Alarming:
    """How scores become alarms: what a limit depends on besides the scores.

    `memory` is the number of grid steps after which two scores share nothing: the window. `every_ns` is the scoring
    interval; due times are its multiples.
    """

    delays: Delays
    budget: Budget
    grid_ns: int
    every_ns: int
    memory: int

    @property
    def step_ns(self) -> int:
        """Distance of due times: the scoring interval, in whole steps of the grid."""
        return -(-max(self.every_ns, self.grid_ns) // self.grid_ns) * self.grid_ns

    @property
    def due_memory(self) -> int:
        """`memory` in due times."""
        return -(-self.memory * self.grid_ns // self.step_ns)

    def due(self, times: Times) -> Flags:
        """Which times of a series on the grid are due times; all of them where every step is scored."""
        if self.step_ns == self.grid_ns:
            return np.ones(len(times), dtype=np.bool_)
        return np.asarray(times % self.step_ns == 0, dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit on the distance, and how it was found.

    Attributes:
        value: the limit.
        normal: median distance.
        low: lower end of the 80 % interval of the limit.
        high: upper end.
        rule: "counted", "extrapolated" or "predicted".
        words: how, for the card.
        normal_ns: normal time that was looked at: due times, each for one scoring interval.
        activations: in that time at that limit.
        provisional: "" where the time supports the budget, else words for people.
    """

    value: float
    normal: float
    low: float
    high: float
    rule: str
    words: str
    normal_ns: int
    activations: int
    provisional: str


def calibrate(times: Times, distances: Floats, alarming: Alarming) -> Limit:
    """Find the limit.

    Args:
        times: shape (n,), UTC ns on the grid, ascending; need not be contiguous.
        distances: shape (n,); NaN where not scored. Those at other than due times do not count.
        alarming: delays, budget, grid, scoring interval and memory.

    Raises:
        TooLittleData: fewer than 20 distances at due times.
    """
    due = alarming.due(times)
    times, distances = times[due], distances[due]
    found = distances[np.isfinite(distances)]
    if len(found) < LEAST_WINDOWS:
        raise TooLittleData("the alarm limit: due times in held-out normal time", len(found), LEAST_WINDOWS)
    memory = alarming.due_memory
    normal_ns = len(found) * alarming.step_ns
    levels = held_levels(times, distances, alarming.step_ns, alarming.delays.on_ns)
    peaks = cluster_peaks(levels, memory)
    allowed = alarming.budget.allowed(normal_ns)
    normal = float(np.median(found))
    if allowed >= ENOUGH_COUNTED:
        rule, value, low, high = "counted", *_counted(peaks, allowed)
    elif _exceedances(peaks).size >= ENOUGH_PEAKS:
        rule, value, low, high = "extrapolated", *_extrapolated(peaks, allowed)
    else:
        rule, value, low, high = "predicted", *_predicted(found, levels, memory, allowed)
    value = max(value, normal * (1.0 + 1e-3) + 1e-9)
    words = f"{_RULES[rule]}; 80 % interval of the limit {low / value:.2f} to {high / value:.2f} times it"
    raised = len(activations(times, distances, value, alarming.delays))
    return Limit(value, normal, low, high, rule, words, normal_ns, raised, _provisional(normal_ns, allowed))


_RULES = {
    "counted": "counted: normal time holds enough activations to count them",
    "extrapolated": "extrapolated with a generalised Pareto tail over declustered peaks",
    "predicted": "Student's prediction limit: normal time is too short for a tail",
}


def held_levels(times: Times, distances: Floats, step_ns: int, on_ns: int) -> Floats:
    """Smallest distance within the on-delay that ends at each step: where it exceeds the limit, an alarm stands."""
    steps = -(-on_ns // step_ns)
    levels = distances.copy()
    for back in range(1, steps + 1):
        earlier = np.full_like(levels, np.nan)
        if back < len(levels):
            joined = times[back:] - times[:-back] == back * step_ns
            earlier[back:] = np.where(joined, distances[:-back], np.nan)
        levels = np.minimum(levels, earlier)
    return levels


def cluster_peaks(levels: Floats, memory: int) -> Floats:
    """Largest level of each block of `memory` steps, descending: peaks that share nothing but neighbours' ends."""
    blocks = -(-len(levels) // memory)
    padded = np.full(blocks * memory, -np.inf)
    padded[: len(levels)] = np.where(np.isfinite(levels), levels, -np.inf)
    peaks = padded.reshape(blocks, memory).max(axis=1)
    return np.sort(peaks[np.isfinite(peaks)])[::-1]


def _counted(peaks: Floats, allowed: float) -> tuple[float, float, float]:
    number = min(int(allowed), len(peaks) - 1)
    wide = 1.28 * math.sqrt(allowed)
    fewer, more = max(0, int(allowed - wide)), min(int(allowed + wide), len(peaks) - 1)
    return float(peaks[number]), float(peaks[more]), float(peaks[fewer])


def _exceedances(peaks: Floats) -> Floats:
    """What the highest peaks exceed their threshold by: half of the peaks, at most 200."""
    count = min(len(peaks) // 2, 200)
    return np.asarray(peaks[:count] - peaks[count]) if count else np.zeros(0)


def _tail_level(excess: Floats, threshold: float, allowed: float) -> float:
    """Level that a Pareto tail exceeds `allowed` times while it exceeded the threshold `len(excess)` times."""
    mean = float(excess.mean())
    ascending = np.sort(excess)
    ranks = (np.arange(1, len(excess) + 1) - 0.35) / len(excess)
    weighted = float(((1.0 - ranks) * ascending).mean())
    shape = 2.0 - mean / max(mean - 2.0 * weighted, 1e-12)
    shape = min(max(shape * len(excess) / (len(excess) + UNSURE), 0.0), MOST_SHAPE)
    ratio = max(len(excess) / allowed, 1.0)
    scale = mean * (1.0 - shape)
    grown = math.log(ratio) if shape < 1e-6 else (ratio**shape - 1.0) / shape
    return threshold + scale * grown


def _extrapolated(peaks: Floats, allowed: float) -> tuple[float, float, float]:
    excess = _exceedances(peaks)
    threshold = float(peaks[len(excess)])
    drawn = np.random.default_rng(0).choice(excess, (200, len(excess)))
    levels = np.array([_tail_level(draw, threshold, allowed) for draw in drawn])
    low, high = np.quantile(levels, [0.1, 0.9])
    return _tail_level(excess, threshold, allowed), float(low), float(high)


def _predicted(found: Floats, levels: Floats, memory: int, allowed: float) -> tuple[float, float, float]:
    independent = max(3.0, len(found) / max(memory / 2.0, 1.0))
    chance = min(0.5, allowed / independent)
    spread = float(found.std())
    mean = float(found.mean())
    step = float(stats.t.isf(chance, independent - 1.0)) * math.sqrt(1.0 + 1.0 / independent)
    seen = levels[np.isfinite(levels)]
    largest = float(seen.max()) if seen.size else float(found.max())
    freedom = independent - 1.0
    narrow = math.sqrt(freedom / stats.chi2.isf(0.1, freedom))
    wide = math.sqrt(freedom / stats.chi2.isf(0.9, freedom))
    ends = [max(mean + step * spread * factor, largest) for factor in (1.0, narrow, wide)]
    return ends[0], ends[1], ends[2]


def _provisional(normal_ns: int, allowed: float) -> str:
    if allowed >= SUPPORTED:
        return ""
    return f"limit provisional: {duration_words(normal_ns)} of normal data"


def duration_words(span_ns: int) -> str:
    """`1 day`, `22 days`, `7.5 hours`."""
    days = span_ns / DAY
    number, unit = (days, "day") if days >= 0.95 else (24.0 * days, "hour")
    text = f"{number:.0f}" if number >= 9.5 or abs(number - round(number)) < 0.05 else f"{number:.1f}"
    return f"{text} {unit}{'' if text == '1' else 's'}"
