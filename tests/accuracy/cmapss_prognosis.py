"""Remaining life of turbofan engines (NASA C-MAPSS): ours against gradient boosting, on the engines of the tests."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor

from tagsight_models.frame import Flags, Floats, Frame, Role, Times
from tagsight_models.prognosis.features import Features
from tagsight_models.prognosis.filters import life_windows
from tagsight_models.prognosis.fit import train_prognosis
from tagsight_models.prognosis.model import HOUR_NS, PrognosisModel
from tagsight_models.prognosis.settings import WINDOW_STEPS, PrognosisSettings
from tagsight_models.prognosis.trained import PrognosisTrained
from tagsight_models.training_data import Life, TrainingData
from tagsight_models.training_settings import TrainingSettings
from tests.accuracy.data_folder import DataFolder, DataMissing
from tests.accuracy.result import Result, Suite

CAP: Final = 125.0  # cycles; of target, truth and prediction, as usual on this set
COUNTS: Final = ("unit", "cycle")  # of the file, never inputs
LEAST: Final = 10  # cycles of an engine that a training window needs
FOLDS: Final = 4
ROWS: Final = 12_000  # windows that boosting learns from, thinned evenly
WINDOWS: Final = (30, 60, WINDOW_STEPS)
GRID: Final = ((7, 0.1), (15, 0.05), (31, 0.05))
TREES: Final = 250  # at most
DRAWS: Final = 4000


def frame_of(table: pd.DataFrame) -> tuple[Frame, tuple[Life, ...]]:
    """One engine after the other, an empty step between two; a cycle is a step of one hour."""
    names = [name for name in table.columns if name not in COUNTS]
    parts, lives, start = [], [], 0
    for _, engine in table.groupby("unit", sort=True):
        rows = engine.sort_values("cycle")[names].to_numpy(np.float64)
        parts += [rows, np.full((1, len(names)), np.nan)]
        lives.append(Life(start * HOUR_NS, (start + len(rows) - 1) * HOUR_NS))
        start += len(rows) + 1
    values = np.concatenate(parts)
    reasons = np.where(np.isnan(values), 3, 0).astype(np.uint8)
    times = np.arange(len(values), dtype=np.int64) * HOUR_NS
    roles = tuple(Role(name) for name in names)
    return Frame(times, values, reasons, np.zeros(values.shape, dtype=np.bool_), roles, HOUR_NS), tuple(lives)


def run(data: DataFolder, seeds: Sequence[int]) -> list[Result]:
    """Every sub-set of which all three files are there."""
    found = [name[len("cmapss/train_") : -len(".csv")] for name in data.matching("cmapss/train_*.csv")]
    whole = [name for name in found if set(data.matching(f"cmapss/*_{name}.csv")) >= set(_files(name)[1:])]
    if not whole:
        message = f"no sub-set with train, test and RUL file in {data.root}/cmapss"
        raise DataMissing(message)
    return [result for name in whole for result in _subset(data, name, seeds)]


def _files(name: str) -> tuple[str, str, str]:
    return f"cmapss/train_{name}.csv", f"cmapss/test_{name}.csv", f"cmapss/RUL_{name}.csv"


def _subset(data: DataFolder, name: str, seeds: Sequence[int]) -> list[Result]:
    train, test, truth = _files(name)
    frame, lives = frame_of(data.table(train, "train"))
    ours = [_trained(frame, lives, seed) for seed in seeds]
    model = _model(ours[0])
    names = [role.name for role in model.roles]
    learned = _lives(frame, lives, names)
    boosting = {method: Boosting.tuned(model.features, learned, made) for method, made in BASELINES.items()}
    boosted = {method: [one.fitted(learned, seed) for seed in seeds] for method, one in boosting.items()}
    engines = [engine[names].to_numpy(np.float64) for _, engine in data.table(test, "test").groupby("unit", sort=True)]
    remaining = data.table(truth, "test").sort_values("unit")["rul"].to_numpy(np.float64)
    last = np.concatenate([life_windows(engine, model.window_steps, [len(engine) - 1]) for engine in engines])
    told = [_told(_model(one), last) for one in ours]
    figures = [_figures(one[:, 0], remaining) | _of_interval(one, remaining) for one in told]
    for one, figure in zip(ours, figures, strict=True):
        figure |= {f"RMSE at {share} % of life": one.metrics[f"RMSE at {share}% of life, h"] for share in (50, 80)}
        figure["training, s"] = one.seconds
    results = []
    for method, fitted in boosted.items():
        predicted = [boosting[method].predict(one, last) for one in fitted]
        for figure, mine, other in zip(figures, told, predicted, strict=True):
            figure.update(_ahead(mine[:, 0], other, remaining, method))
        metrics = _merged([_figures(one, remaining) for one in predicted])
        results.append(Result(name, method, ours=False, metrics=metrics, note=boosting[method].said))
    known = ours[0].calibration
    note = f"{known['regimes']} regimes and {known['ageing coordinates']} ageing coordinates found; {ours[0].verdict}"
    average = float(np.mean([len(values) for values in learned]))
    clock = _figures(np.maximum(average - np.array([len(one) for one in engines]), 0.0), remaining)
    return [
        Result(name, "TagSight", ours=True, metrics=_merged(figures), note=note),
        *results,
        Result(name, "the average life less the age (a clock)", ours=False, metrics=_merged([clock])),
    ]


def _trained(frame: Frame, lives: tuple[Life, ...], seed: int) -> PrognosisTrained:
    settings = TrainingSettings(window_steps=WINDOW_STEPS, seed=seed, drop_constant=True)
    return train_prognosis(
        TrainingData(frame, lives=lives), settings, PrognosisSettings(cap_hours=CAP), lambda _share, _words: None
    )


def _model(trained: PrognosisTrained) -> PrognosisModel:
    if not isinstance(trained.model, PrognosisModel):
        raise TypeError(trained.model.kind)
    return trained.model


def _lives(frame: Frame, lives: tuple[Life, ...], names: Sequence[str]) -> list[Floats]:
    """Values of each training engine, of these roles."""
    columns = [[role.name for role in frame.roles].index(name) for name in names]
    chosen = np.take(frame.values, columns, axis=1)
    return [chosen[life.start_ns // HOUR_NS : life.end_ns // HOUR_NS + 1] for life in lives]


def _told(model: PrognosisModel, last: Floats) -> Floats:
    """Remaining life, lower and upper end of each engine, cycles (a step is an hour)."""
    names = ("RemainingLife", "Lower", "Upper")
    return np.array([[float(one[name]) for name in names] for one in model.results(last)])


def _statistics(features: Features, windows: Floats, steps: int) -> Floats:
    """Of each tag, standardised in its regime: means over the last part of the window, and the slope of the whole."""
    values = features.regimes.standardised(windows[:, -steps:])
    time = np.arange(steps) - (steps - 1) / 2
    means = [values[:, -steps // part :].mean(axis=1) for part in (12, 6, 3, 1)]
    slope = np.einsum("t,ntr->nr", time / (time @ time) * steps, values)
    return np.concatenate([*means, slope], axis=1)


Make: TypeAlias = Callable[[Features, Floats, int], Floats]

BASELINES: Final[Mapping[str, Make]] = {
    "boosting on window statistics of each tag": _statistics,
    "boosting on TagSight's own features": lambda features, windows, _: features.of_windows(windows).reshape(
        len(windows), -1
    ),
}


@dataclass(frozen=True)
class Boosting:
    """Gradient boosting with the settings that were best on inner engines: window, leaves, rate, trees."""

    features: Features
    make: Make
    window: int
    leaves: int
    rate: float
    trees: int
    error: float

    @property
    def said(self) -> str:
        """For the note."""
        return (
            f"tuned on inner engines: window {self.window}, {self.leaves} leaves, rate {self.rate}, "
            f"{self.trees} trees ({self.error:.2f} there)"
        )

    @classmethod
    def tuned(cls, features: Features, learned: Sequence[Floats], make: Make) -> "Boosting":
        """Search on folds of whole engines; own features have one window only."""
        best: Boosting | None = None
        for window in WINDOWS if make is _statistics else WINDOWS[-1:]:
            inputs, target, engine = cls._table(features, learned, make, window)
            for leaves, rate in GRID:
                errors = np.mean(
                    [_inner(inputs, target, engine % FOLDS == fold, leaves, rate) for fold in (0, 1)], axis=0
                )
                found = float(np.sqrt(errors.min()))
                if best is None or found < best.error:
                    best = cls(features, make, window, leaves, rate, int(errors.argmin()) + 1, found)
        if best is None:
            raise ValueError(GRID)
        return best

    def fitted(self, learned: Sequence[Floats], seed: int) -> HistGradientBoostingRegressor:
        """On all engines."""
        inputs, target, _ = self._table(self.features, learned, self.make, self.window)
        return _regressor(self.leaves, self.rate, self.trees, seed).fit(inputs, target)

    def predict(self, fitted: HistGradientBoostingRegressor, windows: Floats) -> Floats:
        """Cycles."""
        return np.asarray(fitted.predict(self.make(self.features, windows, self.window)))

    @staticmethod
    def _table(features: Features, learned: Sequence[Floats], make: Make, window: int) -> tuple[Floats, Floats, Times]:
        """Inputs, capped target and engine of the windows of all engines, thinned."""
        every = -(-sum(len(values) for values in learned) // ROWS)
        ends = [np.arange(LEAST - 1 + number % every, len(values), every) for number, values in enumerate(learned)]
        made = [
            make(features, life_windows(values, WINDOW_STEPS, rows), window)
            for values, rows in zip(learned, ends, strict=True)
        ]
        target = [np.minimum(len(values) - 1 - rows, CAP) for values, rows in zip(learned, ends, strict=True)]
        return np.concatenate(made), np.concatenate(target), np.repeat(np.arange(len(ends)), [len(one) for one in ends])


def _regressor(leaves: int, rate: float, trees: int, seed: int) -> HistGradientBoostingRegressor:
    return HistGradientBoostingRegressor(
        max_iter=trees,
        learning_rate=rate,
        max_leaf_nodes=leaves,
        min_samples_leaf=50,
        l2_regularization=1.0,
        max_features=0.3,
        early_stopping=False,
        random_state=seed,
    )


def _inner(inputs: Floats, target: Floats, held: Flags, leaves: int, rate: float) -> Floats:
    """Mean squared error after each tree on the engines held out."""
    fitted = _regressor(leaves, rate, TREES, 0).fit(inputs[~held], target[~held])
    return np.array([np.mean((told - target[held]) ** 2) for told in fitted.staged_predict(inputs[held])])


def _figures(predicted: Floats, remaining: Floats) -> dict[str, float]:
    """Errors at the last known cycle; predictions are capped, truth is where it is not said otherwise."""
    capped = np.clip(predicted, 0.0, CAP)
    late = capped - np.minimum(remaining, CAP)
    nasa = np.where(late < 0.0, np.exp(-late / 13.0), np.exp(late / 10.0)) - 1.0
    return {
        "RMSE": float(np.sqrt(np.mean(late**2))),
        "RMSE, truth uncapped": float(np.sqrt(np.mean((capped - remaining) ** 2))),
        "NASA score": float(nasa.sum()),
        "late, %": 100.0 * float(np.mean(late > 0.0)),
    }


def _of_interval(told: Floats, remaining: Floats) -> dict[str, float]:
    truth = np.minimum(remaining, CAP)
    held = (told[:, 1] <= truth) & (truth <= told[:, 2])
    return {
        "covered by 80 %, %": 100.0 * float(held.mean()),
        "covered where truth is below the cap, %": 100.0 * float(held[remaining < CAP].mean()),
        "width": float(np.mean(told[:, 2] - told[:, 1])),
    }


def _ahead(ours: Floats, other: Floats, remaining: Floats, method: str) -> dict[str, float]:
    """Gain in RMSE with the share of paired draws of engines in which we are ahead."""
    truth = np.minimum(remaining, CAP)
    mine, theirs = (ours - truth) ** 2, (np.clip(other, 0.0, CAP) - truth) ** 2
    drawn = np.random.default_rng(0).integers(0, len(truth), (DRAWS, len(truth)))
    sure = np.mean(mine[drawn].mean(axis=1) < theirs[drawn].mean(axis=1))
    return {
        f"ahead of {method}": float(np.sqrt(theirs.mean()) - np.sqrt(mine.mean())),
        f"draws ahead of {method}, %": 100.0 * float(sure),
    }


def _merged(figures: Sequence[Mapping[str, float]]) -> dict[str, list[float]]:
    return {name: [one[name] for one in figures] for name in figures[0]}


SUITE: Final = Suite(
    name="cmapss-prognosis",
    job="prognosis",
    protocol=(
        "NASA C-MAPSS, every sub-set that is in the folder, one configuration for all. Learned from the engines of "
        "train_*.csv alone, scored once at the last known cycle of each engine of test_*.csv. Target, prediction and, "
        "where it is not said otherwise, truth are capped at 125 cycles. Neither the cycle nor the engine is an input; "
        f"a window is {WINDOW_STEPS} cycles, and where an engine has fewer, what it has is mirrored, for all methods. "
        "Regimes are found in the tags. Boosting is scikit-learn's HistGradientBoostingRegressor, its window, leaves, "
        "rate and trees chosen on inner engines. Errors at 50 and 80 % of life and all choices are from training "
        "engines that the predicting network did not see. The interval is to hold 80 %; an upper end at the cap means "
        "that or more, so that it covers uncapped truth alike. Draws: paired bootstrap over engines."
    ),
    needs=("cmapss/README.md",),
    run=run,
    aims={
        "RMSE": "FD001 12.5, FD002 13.5",
        "covered by 80 %, %": "75-85",
    },
)
