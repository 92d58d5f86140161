"""A serial line of stations with finite buffers, simulated by discrete events: who waits when.

Each station works a random time on a part (gamma), breaks down at random and is mended after a random time. It is
starved while its buffer is empty, blocked while the part that it has finished cannot leave (blocking after
service). The first station never starves, the last is never blocked. The recursion over parts is that of max-plus
algebra: a part enters a station when the station is free and the part has left the one before; it leaves when there
is room.
"""

from dataclasses import dataclass

import numpy as np

from tagsight_models.frame import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """Seconds.

    Attributes:
        cycle: shape (stations,), mean time of work on a part.
        spread: shape (stations,), coefficient of variation of that time.
        between: shape (stations,), mean working time between failures.
        down: shape (stations,), mean time to mend.
        room: shape (stations - 1,), places in the buffer behind each station but the last.
    """

    cycle: Floats
    spread: Floats
    between: Floats
    down: Floats
    room: np.ndarray[tuple[int], np.dtype[np.int64]]

    @classmethod
    def drawn(cls, random: np.random.Generator) -> "Line":
        """A line of 5 to 8 stations that are alike but for chance, so that the bottleneck is not plain to see."""
        count = int(random.integers(5, 9))
        return cls(
            random.uniform(18.0, 24.0, count),
            random.uniform(0.05, 0.3, count),
            random.uniform(1200.0, 6000.0, count),
            random.uniform(60.0, 300.0, count),
            random.integers(1, 12, count - 1),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Passage:
    """When each part enters, is finished in and leaves each station; shape (variants, parts, stations)."""

    enters: Floats
    finished: Floats
    leaves: Floats


def work(line: Line, parts: int, random: np.random.Generator) -> Floats:
    """Time of work on each part in each station, stops included, shape (parts, stations)."""
    shape = 1.0 / line.spread**2
    clean = random.gamma(shape, line.cycle / shape, (parts, len(line.cycle)))
    failures = random.poisson(clean / line.between)
    return np.asarray(clean + failures * random.exponential(line.down, clean.shape))


def run(line: Line, durations: Floats) -> Passage:
    """Simulate, with these times of work, shape (variants, parts, stations)."""
    variants, parts, count = durations.shape
    enters, finished, leaves = (np.zeros(durations.shape) for _ in range(3))
    nothing = np.zeros(variants)
    for part in range(parts):
        for station in range(count):
            free = leaves[:, part - 1, station] if part else nothing
            arrived = leaves[:, part, station - 1] if station else nothing
            enters[:, part, station] = np.maximum(free, arrived)
            finished[:, part, station] = enters[:, part, station] + durations[:, part, station]
            leaves[:, part, station] = finished[:, part, station]
            before = part - 1 - int(line.room[station]) if station < count - 1 else -1
            if before >= 0:  # there is room for a part once the one so many places before it is in the next station
                leaves[:, part, station] = np.maximum(finished[:, part, station], enters[:, before, station + 1])
    return Passage(enters, finished, leaves)


def throughput(leaves: Floats) -> float:
    """Parts an hour by the times at which they leave the last station, without the first tenth."""
    first = len(leaves) // 10
    return float(3600.0 * (len(leaves) - 1 - first) / (leaves[-1] - leaves[first]))


@dataclass(frozen=True, slots=True, eq=False)
class DrawnLine:
    """What its tags show in each step, and by how much more speed of each station would raise its throughput.

    Attributes:
        starved: shape (steps, stations), share of the step.
        blocked: shape (steps, stations).
        parts: shape (steps,), that left the line.
        gains: shape (stations,), relative, for each station 10 % faster.
        alone: shape (stations,), parts an hour that each could make by itself.
    """

    starved: Floats
    blocked: Floats
    parts: Floats
    gains: Floats
    alone: Floats


def drawn_line(seed: int, parts: int, step: float) -> DrawnLine:
    """One line as it is, and with each station faster, all random numbers the same."""
    random = np.random.default_rng(seed)
    line = Line.drawn(random)
    durations = work(line, parts, random)
    count = len(line.cycle)
    variants = np.tile(durations, (count + 1, 1, 1))
    for station in range(count):
        variants[station + 1, :, station] *= 0.9
    found = run(line, variants)
    made = np.array([throughput(leaves) for leaves in found.leaves[:, :, -1]])
    starved, blocked, out = _shares(found, step)
    return DrawnLine(starved, blocked, out, made[1:] / made[0] - 1.0, 3600.0 / durations.mean(axis=0))


def _shares(found: Passage, step: float) -> tuple[Floats, Floats, Floats]:
    """Starved and blocked share of each step, and parts that leave in it, of the line as it is."""
    enters, finished, leaves = found.enters[0], found.finished[0], found.leaves[0]
    steps = int(leaves[:, 0].max() // step)
    free = np.vstack([np.zeros((1, enters.shape[1])), leaves[:-1]])
    starved = np.stack([_covered(a, e, step, steps) for a, e in zip(free.T, enters.T, strict=True)], axis=1)
    blocked = np.stack([_covered(f, o, step, steps) for f, o in zip(finished.T, leaves.T, strict=True)], axis=1)
    out = leaves[:, -1]
    counts = np.bincount((out[out < steps * step] // step).astype(int), minlength=steps)
    return starved, blocked, counts.astype(np.float64)


def _covered(starts: Floats, ends: Floats, step: float, steps: int) -> Floats:
    """Share of each step that lies in one of the spans, which do not overlap."""
    edges = step * np.arange(steps + 1)
    order = np.argsort(starts, kind="stable")
    starts, ends = starts[order], ends[order]
    lengths = np.concatenate([[0.0], np.cumsum(ends - starts)])
    before = np.searchsorted(starts, edges, side="right") - 1
    over = np.clip(edges - starts[np.maximum(before, 0)], 0.0, (ends - starts)[np.maximum(before, 0)])
    total = np.where(before >= 0, lengths[np.maximum(before, 0)] + over, 0.0)
    return np.clip(np.diff(total) / step, 0.0, 1.0)
