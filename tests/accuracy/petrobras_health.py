"""Health on a real export of a historian: one labelled fault of three hours, found when, and what else is announced."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import pandas as pd

from tagsight_models.frame import Floats
from tests.accuracy.data_folder import DataFolder
from tests.accuracy.health_methods import OURS, SECOND, Method, baselines, raised, tagsight
from tests.accuracy.result import Result, Suite

FILE: Final = "petrobras_process/real_process_data.csv"
GRID: Final = 300 * SECOND
LEARNED: Final = ("2017-12-24 12:00", "2018-01-01 00:00")
FAULT: Final = ("2018-01-02 06:00", "2018-01-02 09:00")
END: Final = "2018-01-04 00:00"
MOST_MISSING: Final = 0.01  # of the rows to learn from; a tag that is missing more often is left out


def run(data: DataFolder, seeds: Sequence[int]) -> list[Result]:
    """Ours for every seed, the baselines once."""
    table = data.table(FILE, "test")
    times = pd.DatetimeIndex(pd.to_datetime(table.iloc[:, 0]))
    values = table.iloc[:, 1:].apply(pd.to_numeric, errors="coerce").to_numpy(dtype=np.float64)
    learned = values[_between(times, *LEARNED)]
    kept = np.isfinite(learned).mean(axis=0) >= 1.0 - MOST_MISSING
    learned, values = learned[:, kept], values[:, kept]
    note = f"{int(kept.sum())} of {len(kept)} tags; the rest are missing too often"
    methods = [[tagsight(learned, GRID, seed) for seed in seeds], *([one] for one in baselines(learned))]
    return [_result(seeded, times, values, note) for seeded in methods]


def _between(times: pd.DatetimeIndex, start: str, end: str) -> slice:
    return slice(int(times.searchsorted(pd.Timestamp(start))), int(times.searchsorted(pd.Timestamp(end))))


def _result(methods: Sequence[Method], times: pd.DatetimeIndex, values: Floats, note: str) -> Result:
    found = [dict(_measured(one.rows(values), times)) for one in methods]
    metrics = {name: [one[name] for one in found] for name in found[0]}
    return Result(
        "Petrobras export", methods[0].name, methods[0].name == OURS, metrics, note * (methods[0].name == OURS)
    )


def _measured(rows: Floats, times: pd.DatetimeIndex) -> Iterator[tuple[str, float]]:
    before = rows[_between(times, LEARNED[1], FAULT[0])]
    inside = np.nan_to_num(rows[_between(times, *FAULT)]) > 1.0
    after = rows[_between(times, FAULT[1], END)]
    yield "found after, min", float(inside.argmax()) * GRID / (60 * SECOND) if inside.any() else float("inf")
    yield "rows of the fault, %", 100.0 * float(inside.mean())
    yield "activations in the 30 h before", float(raised(before, GRID))
    yield "rows before, %", 100.0 * float((before > 1.0).mean())
    yield "activations in the 39 h after", float(raised(after, GRID))
    yield "rows after, %", 100.0 * float((after > 1.0).mean())


SUITE: Final = Suite(
    name="petrobras-health",
    job="health",
    protocol=(
        "Trained on 2017-12-24 12:00 to 2018-01-01 (5-minute rows, all tags that are numbers throughout), limits as in "
        "the other suites, scored until 2018-01-04. The publisher's tutorial labels 2018-01-02 06:00 to 09:00; the "
        "state after it is unlabelled and differs from before. Rows with a missing value are not scored. Stated, not "
        "aimed at."
    ),
    needs=(FILE,),
    run=run,
    aims={"found after, min": "<= 30", "activations in the 30 h before": "<= 1"},
)
