"""Diagnosis on the Tennessee Eastman files: each class is one run of training; runs of test begin in normal time."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tagsight_models.diagnosis.fit import train_diagnosis
from tagsight_models.diagnosis.model import DiagnosisModel
from tagsight_models.diagnosis.settings import DiagnosisSettings
from tagsight_models.frame import Floats, Frame, Role
from tagsight_models.training import silent
from tagsight_models.training_data import NORMAL, LabelledPeriod, TrainingData
from tagsight_models.training_settings import TrainingSettings
from tests.accuracy.data_folder import DataFolder
from tests.accuracy.result import Result, Suite

GRID: Final = 180_000_000_000
ONSET: Final = 160
MEASURED: Final = (
    "01",
    "02",
    "05",
    "06",
    "08",
    "10",
    "12",
    "14",
    "17",
    "19",
)  # the ten of the aim, where they are there
ROWS_OF_BASELINES: Final = 20
SMALL: Final = DiagnosisSettings(folds=2, windows_of_class=120, trees=30, unknown_share=0.05)
"""Eleven trainings within the suite's time; AUROC does not depend on the share, the rest of that table does."""

Runs = Mapping[str, Floats]
Guess = Callable[[Floats], list[str]]
Stage = NDArray[np.intp]


def run(data: DataFolder, seeds: Sequence[int]) -> list[Result]:
    """Ours and the baselines; then one fault left out in turn, with the first seed."""
    learned, roles = _runs(data, "tep/d[0-9][0-9].csv", "train")
    training = training_data(learned, roles)
    models = [_model(training, seed) for seed in seeds]
    baselines = {name: [_baseline(learned, name, seed) for seed in _seeds(name, seeds)] for name in BASELINES}
    tests, _ = _runs(data, "tep/d[0-9][0-9]_te.csv", "test")
    ours = [_scored(_ours(model), tests, model.window_steps) for model in models]
    found = [Result(_DATA, "TagSight", ours=True, metrics=_columns(ours), note=_note(tests))]
    for name, guesses in baselines.items():
        rows = [_scored(guess, tests, ROWS_OF_BASELINES) for guess in guesses]
        found.append(Result(_DATA, name, ours=False, metrics=_columns(rows)))
    calibrated = [_calibration(model, tests) for model in models]
    found.append(Result("probabilities of the named class", "TagSight", ours=True, metrics=_columns(calibrated)))
    return [*found, *_left_out(learned, roles, tests, seeds[0])]


def training_data(runs: Runs, roles: tuple[Role, ...]) -> TrainingData:
    """Runs one after the other, an hour apart, each a labelled period."""
    gap = 20
    length = sum(len(values) + gap for values in runs.values())
    rows = np.full((length, len(roles)), np.nan)
    times = GRID * np.arange(1, length + 1, dtype=np.int64)
    periods, start = [], 0
    for label, values in runs.items():
        rows[start : start + len(values)] = values
        periods.append(LabelledPeriod(int(times[start]), int(times[start + len(values)]), label))
        start += len(values) + gap
    reasons = np.where(np.isnan(rows), 2, 0).astype(np.uint8)
    frame = Frame(times, rows, reasons, np.zeros(rows.shape, dtype=np.bool_), roles, GRID)
    return TrainingData(frame, tuple(periods))


def _runs(data: DataFolder, pattern: str, use: str) -> tuple[dict[str, Floats], tuple[Role, ...]]:
    """Label -> rows; the number in the file's name is the fault."""
    found: dict[str, Floats] = {}
    roles: tuple[Role, ...] = ()
    for file in data.matching(pattern):
        table = data.table(file, "test" if use == "test" else "train")
        names = [name for name in table.columns if name.startswith(("XMEAS", "XMV"))]
        number = re.findall(r"d(\d\d)", file)[-1]
        found[NORMAL if number == "00" else number] = table[names].to_numpy(dtype=np.float64)
        roles = tuple(Role(name) for name in names)
    return found, roles


def _model(training: TrainingData, seed: int, job_settings: DiagnosisSettings | None = None) -> DiagnosisModel:
    return train_diagnosis(training, TrainingSettings(seed=seed), job_settings or DiagnosisSettings(), silent).model


def _windows(values: Floats, steps: int) -> Floats:
    """Windows that end at each row after the onset of the fault."""
    seen = np.lib.stride_tricks.sliding_window_view(values[ONSET - steps + 1 :], steps, axis=0)
    return seen.transpose(0, 2, 1)


def _ours(model: DiagnosisModel) -> Guess:
    return lambda windows: [str(one["Class"]) for one in model.results(windows)]


def _scored(guess: Guess, tests: Runs, steps: int) -> dict[str, float]:
    """Shares of rows, per cent."""
    right = {label: guess(_windows(values, steps)) for label, values in tests.items()}
    recall = {label: 100.0 * float(np.mean([one == label for one in named])) for label, named in right.items()}
    total = sum(len(named) for named in right.values())
    known = [recall[label] for label in MEASURED if label in recall]
    others = {f"fault {label} %": value for label, value in recall.items() if label != NORMAL}
    return {
        "accuracy %": sum(recall[label] * len(named) for label, named in right.items()) / total,
        "mean recall of the ten %": float(np.mean(known)) if known else float("nan"),
        "normal %": recall.get(NORMAL, float("nan")),
        "unknown %": 100.0 * sum(named.count("unknown") for named in right.values()) / total,
        **others,
    }


def _calibration(model: DiagnosisModel, tests: Runs) -> dict[str, float]:
    """How far the probability of the most probable class is from the share that is right."""
    sure, right = [], []
    for label, values in tests.items():
        for one in model.results(_windows(values, model.window_steps)):
            chances = {name[12:]: float(value) for name, value in one.items() if name.startswith("Probability/")}
            best = max(chances, key=lambda name: chances[name])
            sure.append(chances[best])
            right.append(best == label)
    bins = np.minimum((np.asarray(sure) * 10).astype(int), 9)
    apart = [
        abs(np.mean(np.asarray(sure)[bins == one]) - np.mean(np.asarray(right)[bins == one])) * np.mean(bins == one)
        for one in np.unique(bins)
    ]
    return {"mean probability": float(np.mean(sure)), "share right": float(np.mean(right)), "error": float(sum(apart))}


def _left_out(learned: Runs, roles: tuple[Role, ...], tests: Runs, seed: int) -> list[Result]:
    """Each fault with a test run left out of training in turn: is it called unknown?"""
    said = "one fault left out of training in turn, every fourth row of test"
    note = "first seed only, with fewer trees, windows and folds than above, and unknown_share 0.05 instead of 0.01"
    rows: dict[str, dict[str, float]] = {}
    for label in (one for one in tests if one != NORMAL):
        others = {name: values for name, values in learned.items() if name != label}
        rows[label] = _without(_model(training_data(others, roles), seed, SMALL), label, tests)
    found = [Result(said, f"without fault {label}", ours=True, metrics=_columns([one])) for label, one in rows.items()]
    if rows:
        columns = _columns(list(rows.values()))
        mean = {name: [float(np.mean(values))] for name, values in columns.items()}
        found.append(Result(said, "mean", ours=True, metrics=mean, note=note))
    return found


def _without(model: DiagnosisModel, label: str, tests: Runs) -> dict[str, float]:
    """What a model that never saw this fault says of it, and of what it knows."""
    seen = {name: _windows(values, model.window_steps)[::4] for name, values in tests.items()}
    new, known = seen[label], np.concatenate([values for name, values in seen.items() if name != label])
    named = [str(one["Class"]) for one in model.results(new)]
    unlike = np.concatenate([model.unfamiliar(known)[:, 0], model.unfamiliar(new)[:, 0]])
    return {
        "AUROC": float(roc_auc_score(np.arange(len(unlike)) >= len(known), unlike)),
        "called unknown %": 100.0 * named.count("unknown") / len(named),
        "called normal %": 100.0 * named.count(NORMAL) / len(named),
        "wrongly named %": 100.0 * sum(one not in ("unknown", NORMAL) for one in named) / len(named),
        "known called unknown %": 100.0 * float((unlike[: len(known)] > 1.0).mean()),
    }


def _columns(rows: Sequence[Mapping[str, float]]) -> dict[str, list[float]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


def _features(windows: Floats) -> Floats:
    """Last value, mean, spread and change over the last rows."""
    last = windows[:, -ROWS_OF_BASELINES:]
    found = [last[:, -1], last.mean(axis=1), last.std(axis=1), last[:, -1] - last[:, 0]]
    return np.concatenate(found, axis=1)


def _baseline(learned: Runs, name: str, seed: int) -> Guess:
    inputs, labels = [], []
    for label, values in learned.items():
        seen = np.lib.stride_tricks.sliding_window_view(values, ROWS_OF_BASELINES, axis=0).transpose(0, 2, 1)
        inputs.append(_features(seen))
        labels += [label] * len(seen)
    fitted = BASELINES[name](seed).fit(np.concatenate(inputs), labels)
    return lambda windows: [str(one) for one in fitted.predict(_features(windows))]


def _seeds(name: str, seeds: Sequence[int]) -> Sequence[int]:
    return seeds if name == "extra trees" else seeds[:1]


BASELINES: Final = {
    "extra trees": lambda seed: ExtraTreesClassifier(300, min_samples_leaf=2, random_state=seed),
    "gradient boosting": lambda seed: HistGradientBoostingClassifier(
        max_iter=30, max_leaf_nodes=15, learning_rate=0.2, max_features=0.1, random_state=seed
    ),
    "linear discriminants": lambda _seed: make_pipeline(
        StandardScaler(), LinearDiscriminantAnalysis(solver="eigen", shrinkage=0.01)
    ),
}


def _note(tests: Runs) -> str:
    missing = [label for label in MEASURED if label not in tests]
    return f"{len(tests)} test files" + (f"; of the ten are missing: {', '.join(missing)}" if missing else "")


_DATA: Final = "Tennessee Eastman, 22 classes, rows after the onset"

SUITE: Final = Suite(
    name="tep-diagnosis",
    job="diagnosis",
    protocol=(
        "Classes learned from dNN.csv (d00: normal), each one run; named is every row after row 160 of every "
        "dNN_te.csv in the folder. Calibration, limits and weights come from held-out blocks of the training runs. "
        "Baselines see the last 20 rows (last value, mean, spread, change) and name the most probable class."
    ),
    needs=("tep/d00.csv",),
    run=run,
    aims={"accuracy %": "> 86", "mean recall of the ten %": "> 95", "normal %": "> 70"},
)
