"""Detection on the Tennessee Eastman files: the baselines, and the health model, with limits from normal data only.

    python tests/benchmarks/tennessee_eastman.py DATA

DATA is the folder with d00.csv, d00_te.csv ... Trained on d00 alone; false alarms on d00_te and on the first 160 rows
of every test file; detection after row 160. The health model scores from row 60 on (a whole window). Test files are
opened to report, never to choose a setting.
"""

import argparse
import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tagsight_models.delays import Delays
from tagsight_models.frame import Flags, Floats, Frame, Role
from tagsight_models.jobs import train
from tagsight_models.statistics.out_of_fold import out_of_fold
from tagsight_models.statistics.registry import BASELINES
from tagsight_models.trained import Trained
from tagsight_models.training_data import TrainingData
from tagsight_models.training_settings import TrainingSettings

FAULTS = ("01", "02", "05", "06", "08", "10", "12", "14", "17", "19")
ONSET = 160


def read(data: Path, name: str) -> Floats:
    """The 52 measured and manipulated variables of one file, shape (rows, 52)."""
    with (data / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    return np.array([[float(cell) for cell in row[1:53]] for row in rows])


def health_model(normal: Floats, at_most: float, on_delay_min: int) -> Trained:
    """The health model as `tagsight train` makes it, on the file's grid of 3 minutes."""
    minute = 60_000_000_000
    frame = Frame(
        np.arange(len(normal), dtype=np.int64) * 3 * minute,
        normal,
        np.zeros(normal.shape, dtype=np.uint8),
        np.zeros(normal.shape, dtype=np.bool_),
        tuple(Role(f"tag{number:02d}") for number in range(normal.shape[1])),
        3 * minute,
    )
    delays = Delays(on_delay_min * minute, on_delay_min * minute)
    return train("health", TrainingData(frame), TrainingSettings(at_most=at_most, delays=delays))


def report(name: str, data: Path, alarmed: Callable[[Floats], Flags]) -> None:
    """One line: mean share of rows found, false alarms on both normal parts, share of each fault."""
    tests = {fault: alarmed(read(data, f"d{fault}_te")) for fault in (*FAULTS, "03")}
    found = {fault: 100.0 * flags[ONSET:].mean() for fault, flags in tests.items()}
    before = 100.0 * np.mean([flags[:ONSET].mean() for flags in tests.values()])
    normal = 100.0 * alarmed(read(data, "d00_te")).mean()
    shares = " ".join(f"{fault}:{share:.0f}" for fault, share in found.items())
    delays = [
        3 * (int(flags[ONSET:].argmax()) if flags[ONSET:].any() else 800) for f, flags in tests.items() if f != "03"
    ]
    mean = np.mean([found[fault] for fault in FAULTS])
    print(
        f"{name:28s} {mean:5.1f} % found, false {normal:4.1f} % d00_te {before:4.1f} % first 160, "
        f"median delay {np.median(delays):.0f} min | {shares}"
    )


def main() -> None:
    """Report all methods."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data
    normal = read(data, "d00")
    for name, fit in BASELINES.items():
        limit = float(np.nanquantile(out_of_fold(fit, normal), 0.99))
        statistic = fit(normal)
        report(name, data, lambda rows, statistic=statistic, limit=limit: statistic.rows(rows) > limit)
    for at_most, on_delay_min in ((2.0, 5), (2.0, 0), (30.0, 5)):
        model = health_model(normal, at_most, on_delay_min).model
        limit = model.parameters.limit
        words = f"health {at_most:g}/month, {on_delay_min} min"
        report(words, data, lambda rows, model=model, limit=limit: model.series_distance(rows) > limit)


if __name__ == "__main__":
    main()
