"""Diagnosis on the hydraulic rig: four components with severities at once, combinations of severities never seen."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier
from sklearn.metrics import recall_score
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tagsight_models.diagnosis.fit import train_diagnosis
from tagsight_models.diagnosis.settings import DiagnosisSettings
from tagsight_models.frame import Floats, Frame, Role
from tagsight_models.training import silent
from tagsight_models.training_data import LabelledPeriod, TrainingData
from tagsight_models.training_settings import TrainingSettings
from tests.accuracy.data_folder import DataFolder
from tests.accuracy.result import Result, Suite

COMPONENTS: Final = ("cooler", "valve", "pump_leak", "accumulator")
GRID: Final = 1_000_000_000
CYCLE: Final = 60
FOLDS: Final = 5

Labels = NDArray[np.str_]
Predict = Callable[[Floats, Labels, Floats], Labels]


def run(data: DataFolder, seeds: Sequence[int]) -> list[Result]:
    """Every method on the same folds."""
    cycles, labels, roles = rig(data)
    rows = [_folded(cycles, labels, _ours(seed, roles)) for seed in seeds]
    found = [Result(_DATA, "TagSight", ours=True, metrics=_columns(rows), note=NOTE)]
    for name, make in BASELINES.items():
        some = seeds if name.startswith("extra trees") else seeds[:1]
        rows = [_folded(cycles, labels, make(seed)) for seed in some]
        found.append(Result(_DATA, name, ours=False, metrics=_columns(rows)))
    return found


def rig(data: DataFolder) -> tuple[Floats, Labels, tuple[Role, ...]]:
    """Cycles (n, 60, roles), labels (n, components) as words, and the roles."""
    table = data.table("hydraulic/sensors_1hz.csv", "train").sort_values(["cycle", "second"])
    names = [name for name in table.columns if name not in ("cycle", "second")]
    said = data.table("hydraulic/labels.csv", "train").sort_values("cycle")
    cycles = table[names].to_numpy(dtype=np.float64).reshape(len(said), CYCLE, len(names))
    return cycles, said[list(COMPONENTS)].astype(str).to_numpy(dtype=np.str_), tuple(Role(name) for name in names)


def training_data(cycles: Floats, labels: Labels, roles: tuple[Role, ...]) -> TrainingData:
    """Cycles one after the other, each a labelled period, with nothing between them for ten seconds."""
    apart = CYCLE + 10
    rows = np.full((len(cycles), apart, len(roles)), np.nan)
    rows[:, :CYCLE] = cycles
    values = rows.reshape(-1, len(roles))
    times = GRID * np.arange(1, len(values) + 1, dtype=np.int64)
    periods = tuple(
        LabelledPeriod(int(times[n * apart]), int(times[n * apart + CYCLE]), str(label), component)
        for n in range(len(cycles))
        for component, label in zip(COMPONENTS, labels[n], strict=True)
    )
    reasons = np.where(np.isnan(values), 2, 0).astype(np.uint8)
    return TrainingData(Frame(times, values, reasons, np.zeros(values.shape, dtype=np.bool_), roles, GRID), periods)


def _ours(seed: int, roles: tuple[Role, ...]) -> Predict:
    def predict(cycles: Floats, labels: Labels, others: Floats) -> Labels:
        settings = TrainingSettings(window_steps=CYCLE, seed=seed)
        model = train_diagnosis(training_data(cycles, labels, roles), settings, DiagnosisSettings(), silent).model
        found = model.results(others)
        return np.asarray([[str(one[f"Class/{name}"]) for name in COMPONENTS] for one in found])

    return predict


def _folded(cycles: Floats, labels: Labels, predict: Predict) -> dict[str, float]:
    """Share of rightly named cycles, and mean recall, of every component; combinations of labels held out whole."""
    groups = np.unique(labels, axis=0, return_inverse=True)[1].reshape(-1)
    named = np.empty(labels.shape, dtype="U16")
    for learned, held in GroupKFold(FOLDS).split(cycles, groups=groups):
        named[held] = predict(cycles[learned], labels[learned], cycles[held])
    found = {f"{name} accuracy": float((named[:, n] == labels[:, n]).mean()) for n, name in enumerate(COMPONENTS)}
    for n, name in enumerate(COMPONENTS):
        classes = list(np.unique(labels[:, n]))
        found[f"{name} recall"] = float(recall_score(labels[:, n], named[:, n], labels=classes, average="macro"))
    return {**found, "unknown": float((named == "unknown").mean())}


def _columns(rows: Sequence[dict[str, float]]) -> dict[str, list[float]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


def _summary(cycles: Floats) -> Floats:
    """Mean, spread, extremes and change of each tag in a cycle."""
    found = [f(cycles, axis=1) for f in (np.mean, np.std, np.min, np.max)]
    return np.concatenate([*found, cycles[:, -1] - cycles[:, 0]], axis=1)


def _course(cycles: Floats) -> Floats:
    """Every value of a cycle, and its summary."""
    return np.concatenate([cycles.reshape(len(cycles), -1), _summary(cycles)], axis=1)


def _each(see: Callable[[Floats], Floats], make: Callable[[], object]) -> Predict:
    def predict(cycles: Floats, labels: Labels, others: Floats) -> Labels:
        named = []
        for column in labels.T:
            names, numbers = np.unique(column.astype("U16"), return_inverse=True)
            fitted = make().fit(see(cycles), numbers.ravel())  # type: ignore[attr-defined]
            named.append(names[fitted.predict(see(others))])
        return np.stack(named, axis=1)

    return predict


def _trees(seed: int) -> ExtraTreesClassifier:
    return ExtraTreesClassifier(300, min_samples_leaf=2, class_weight="balanced", random_state=seed)


BASELINES: Final[dict[str, Callable[[int], Predict]]] = {
    "extra trees on summaries": lambda seed: _each(_summary, lambda: _trees(seed)),
    "extra trees on all values": lambda seed: _each(_course, lambda: _trees(seed)),
    "gradient boosting on summaries": lambda seed: _each(
        _summary, lambda: HistGradientBoostingClassifier(max_iter=60, max_features=0.3, random_state=seed)
    ),
    "linear discriminants on all values": lambda _seed: _each(
        _course,
        lambda: make_pipeline(StandardScaler(), LinearDiscriminantAnalysis(solver="eigen", shrinkage=0.02)),
    ),
}

NOTE: Final = "aims are those of accuracy; recall is the mean over the classes of a component"
_DATA: Final = "hydraulic rig, 1 Hz, unseen combinations of severities"

SUITE: Final = Suite(
    name="hydraulic-diagnosis",
    job="diagnosis",
    protocol=(
        "Five folds (GroupKFold by the combination of all four severities): every cycle is named by a model that never "
        "saw its combination. Each cycle is a window. Weights and limits come from groups held out inside the training "
        "part of each fold."
    ),
    needs=("hydraulic/sensors_1hz.csv", "hydraulic/labels.csv"),
    run=run,
    aims={
        "cooler accuracy": "> 0.96",
        "valve accuracy": "> 0.80",
        "pump_leak accuracy": "> 0.98",
        "accumulator accuracy": "> 0.65",
    },
)
