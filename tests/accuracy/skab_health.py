"""Health on the SKAB test bed: every file is a machine of its own, learned from its first 400 seconds."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from tagsight_models.frame import Flags, Floats
from tagsight_models.statistics.cva import Cva
from tagsight_models.statistics.ewma import Smoothed
from tagsight_models.statistics.out_of_fold import out_of_fold
from tests.accuracy.data_folder import DataFolder
from tests.accuracy.health_methods import SECOND, Method, baselines, per_month, raised, tagsight
from tests.accuracy.result import Result, Suite
from tests.accuracy.volume import volume_under_precision_recall

LEARNED: Final = 400
SENSORS: Final = slice(1, 9)
SPOILT: Final = "skab/other/2.csv"  # most of its first 400 rows are labelled anomalous
FLATTERED: Final = "EWMA(0.05) of CVA Tr2, limit x 2"
CLOCK: Final = "a clock alone"


@dataclass(frozen=True, slots=True)
class Run:
    """One file: its rows, and which of them are labelled anomalous."""

    name: str
    values: Floats
    labels: Flags


@dataclass(frozen=True, slots=True)
class Scored:
    """The rows after the first 400 of one file, as a method sees them."""

    rows: Floats
    labels: Flags

    @property
    def flags(self) -> Flags:
        """Rows above the limit."""
        return np.asarray(np.nan_to_num(self.rows) > 1.0, dtype=np.bool_)


def run(data: DataFolder, seeds: Sequence[int]) -> list[Result]:
    """Every method over all files, with and without the spoilt one."""
    runs = list(_runs(data))
    scored: dict[str, list[list[Scored]]] = {}
    for one in runs:
        for number, seed in enumerate(seeds):
            _keep(scored, number, tagsight(one.values[:LEARNED], SECOND, seed), one)
        for method in (*baselines(one.values[:LEARNED]), _flattered(one.values[:LEARNED])):
            _keep(scored, 0, method, one)
    scored[CLOCK] = [[Scored(_clock(one, runs), one.labels[LEARNED:]) for one in runs]]
    whole = [number for number, one in enumerate(runs) if one.name != SPOILT]
    chosen = {f"SKAB, {len(whole)} files": whole, f"SKAB, {len(runs)} files": list(range(len(runs)))}
    return [one for words, numbers in chosen.items() for one in _results(words, scored, numbers)]


def _runs(data: DataFolder) -> Iterator[Run]:
    for name in data.matching("skab/*/[0-9]*.csv"):
        table = data.table(name, "test", separator=";")
        labels = np.asarray(table["anomaly"].to_numpy() > 0.5, dtype=np.bool_)
        yield Run(name, table.iloc[:, SENSORS].to_numpy(dtype=np.float64), labels)


def _keep(scored: dict[str, list[list[Scored]]], number: int, method: Method, one: Run) -> None:
    seeded = scored.setdefault(method.name, [])
    if number == len(seeded):
        seeded.append([])
    seeded[number].append(Scored(method.rows(one.values)[LEARNED:], one.labels[LEARNED:]))


def _flattered(learned: Floats) -> Method:
    def fit(values: Floats) -> Smoothed:
        return Smoothed(Cva.fit(values), 0.05)

    limit = 2.0 * float(np.nanquantile(out_of_fold(fit, learned), 0.99))
    statistic = fit(learned)
    return Method(FLATTERED, lambda values: np.asarray(statistic.rows(values) / limit))


def _clock(own: Run, runs: Sequence[Run]) -> Floats:
    """2 between the median onset and the median end of the anomalies of the other files, else 0."""
    ends = np.array([_ends(one.labels) for one in runs if one.name not in {own.name, SPOILT}])
    onset, end = np.median(ends, axis=0)
    rows = np.arange(len(own.labels))
    return np.where((rows >= onset) & (rows < end), 2.0, 0.0)[LEARNED:]


def _ends(labels: Flags) -> tuple[int, int]:
    found = np.flatnonzero(labels)
    return int(found[0]), int(found[-1]) + 1


def _results(data: str, scored: Mapping[str, list[list[Scored]]], chosen: Sequence[int]) -> Iterator[Result]:
    for name, seeded in scored.items():
        found = [_measured([files[number] for number in chosen]) for files in seeded]
        metrics = {metric: [one[metric] for one in found] for metric in found[0]}
        yield Result(data, name, name == "TagSight", metrics, NOTES.get(name, "") if "16" in data else "")


def _measured(files: Sequence[Scored]) -> dict[str, float]:
    flags = np.concatenate([one.flags for one in files])
    labels = np.concatenate([one.labels for one in files])
    rows = np.concatenate([np.nan_to_num(one.rows) for one in files])
    hits = float((flags & labels).sum())
    delays = [delay for one in files for delay in _delays(one)]
    found = [delay for delay in delays if np.isfinite(delay)]
    wrong = sum(raised(np.where(one.labels, 0.0, one.rows), SECOND) for one in files)
    return {
        "F1": 2.0 * hits / max(float(flags.sum() + labels.sum()), 1.0),
        "false, %": 100.0 * float(flags[~labels].mean()),
        "missed, %": 100.0 * float((~flags[labels]).mean()),
        "VUS-PR": volume_under_precision_recall(rows, labels),
        "events missed": float(len(delays) - len(found)),
        "events": float(len(delays)),
        "median delay, s": float(np.median(found)) if found else float("nan"),
        "activations per hour of normal rows": per_month(wrong, int((~labels).sum()), SECOND) / 720.0,
    }


def _delays(one: Scored) -> Iterator[float]:
    """Seconds until the first row above the limit of each event; infinite where there is none."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], one.labels, [False]]).astype(np.int8)))
    for start, end in list(pairwise(edges.tolist()))[::2]:
        flags = one.flags[start:end]
        yield float(flags.argmax()) if flags.any() else float("inf")


NOTES: Final = {
    FLATTERED: "smoothing and limit are the best of a small grid on these labels",
    CLOCK: "reads nothing but the row number; onset and end are the medians of the other files' labels",
}

SUITE: Final = Suite(
    name="skab-health",
    job="health",
    protocol=(
        "Each file: trained on its first 400 rows, limits from five blocked folds of them (ours for one activation in "
        "7200 rows, extrapolated; the baselines' their 99 % quantile), the rest scored; rows of all files pooled, no "
        "adjustment of points, causal, nothing that encodes the time since the start of the file, no latch. Events: "
        "stretches of anomalous rows. VUS-PR: area under precision and recall with labels that fade out over 0 to 40 "
        "rows beside each event, mean over the widths. In `other/2` most of the first 400 rows are anomalous: without "
        "it first. A clock scores well because the experiments begin at nearly the same second."
    ),
    needs=("skab/valve1/0.csv",),
    run=run,
    aims={"false, %": "<= 10", "missed, %": "< 30", "events missed": "<= 1"},
)
