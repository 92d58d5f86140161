"""Training of the job `prognosis`."""

import time
from typing import Final

import numpy as np

from tagsight_models.errors import UnusableInput
from tagsight_models.frame import Flags, Floats, Frame
from tagsight_models.prognosis.cap import find_cap
from tagsight_models.prognosis.crossing_fit import train_crossing
from tagsight_models.prognosis.features import Features, find_features
from tagsight_models.prognosis.interval import calibrate
from tagsight_models.prognosis.judging import POINTS, at_share, baselines, coverage, errors_of, verdict
from tagsight_models.prognosis.learning import Examples, folds, learn, rms
from tagsight_models.prognosis.lives import LifeRows, life_rows
from tagsight_models.prognosis.model import HOUR_NS, PrognosisModel, Scale
from tagsight_models.prognosis.regimes import find_regimes
from tagsight_models.prognosis.settings import PrognosisSettings
from tagsight_models.prognosis.trained import PrognosisTrained
from tagsight_models.training import Progress
from tagsight_models.training_data import TrainingData
from tagsight_models.training_settings import TrainingSettings
from tagsight_models.usable_inputs import narrowed, unusable

MOST_ROWS: Final = 20_000  # examples; more are thinned evenly in each life
LEAST_AGE: Final = 10  # steps of its own that a window needs
NEW: Final = 0.25  # share of a life in which a machine counts as new
HORIZON: Final = 0.25  # of the cap, where the engineer names none


def train_prognosis(
    data: TrainingData, settings: TrainingSettings, job_settings: PrognosisSettings, progress: Progress
) -> PrognosisTrained:
    """Learn remaining life from `data.lives`, or, where `crossing` is set, the trend of that role.

    Raises:
        TooFewLives: fewer runs to failure than the interval needs, with how many would do.
        UnusableLife: a life outside the data, empty, in another one, or too short.
        UnusableInput: a role that is constant or missing (unless `drop_constant`), a condition that is no role.
        TooLittleData: for `crossing`, too little history for an interval.
    """
    if job_settings.crossing is not None:
        return train_crossing(data.frame, settings, job_settings, job_settings.crossing, progress)
    started = time.monotonic()
    dropped = unusable(data.frame)
    frame = narrowed(data.frame, dropped, drop=settings.drop_constant)
    rows = life_rows(frame, data.lives, job_settings.interval)
    features, examples, length = _examples(frame, rows, settings, job_settings)
    fold = folds(examples.life, max(3, min(job_settings.members, len(np.unique(examples.life)))), settings.seed)
    members, unseen, fitted = learn(
        examples,
        features,
        job_settings.network,
        fold,
        seed=settings.seed,
        at_most_seconds=settings.at_most_seconds,
        kept_in=settings.kept_in,
        progress=lambda share, words: progress(0.05 + 0.9 * share, words),
    )
    interval = calibrate(unseen, examples.target, examples.life, job_settings.interval)
    hours = frame.grid_ns / HOUR_NS
    horizon = HORIZON * examples.cap if job_settings.horizon_hours is None else job_settings.horizon_hours / hours
    scale = Scale(min(horizon, examples.cap), examples.cap, job_settings.network)
    model = PrognosisModel(frame.roles, features, members, interval, scale, grid_ns=frame.grid_ns)
    others = errors_of(baselines(examples, fold, length), examples)
    ours = rms(unseen - examples.target, examples.life)
    said, trial = verdict(ours, others)
    progress(1.0, said)
    held, width = coverage(unseen, examples, fold, job_settings.interval)
    ages = {f"RMSE at {share:.0%} of life, h": at_share(unseen, examples, length, share) * hours for share in POINTS}
    return PrognosisTrained(
        model,
        dropped=dropped,
        metrics={"RMSE, h": ours * hours, **ages, "covered, %": 100.0 * held, "width, h": width * hours},
        compared=tuple(
            f"{name}: {error * hours:.4g} h root mean square error on lives not seen"
            for name, error in {"TagSight": ours, **others}.items()
        ),
        verdict=said,
        trial=trial,
        calibration=_facts(model, int(rows.failed.sum()), job_settings.interval),
        cannot_see=_cannot_see(examples.cap * hours, len(features.regimes.centres), rows.failed),
        fitted=tuple(fitted),
        seconds=time.monotonic() - started,
    )


def _facts(model: PrognosisModel, failed: int, interval: float) -> dict[str, float | int | str]:
    """For the card."""
    hours = model.grid_ns / HOUR_NS
    return {
        "method": "conformal by groups of predictions, counted in lives",
        "stated, %": 100.0 * interval,
        "groups": len(model.interval.below),
        "lives": failed,
        "cap, h": model.scale.cap * hours,
        "horizon, h": model.scale.horizon * hours,
        "regimes": len(model.features.regimes.centres),
        "ageing coordinates": model.features.directions.shape[1],
    }


def _examples(
    frame: Frame, rows: LifeRows, settings: TrainingSettings, job_settings: PrognosisSettings
) -> tuple[Features, Examples, Floats]:
    """Features, examples, and the length of each life in steps."""
    steps, hours = settings.window_steps, frame.grid_ns / HOUR_NS
    lives, counts = np.unique(rows.life, return_counts=True)
    healthy = rows.age <= NEW * counts[rows.life]
    present = np.isfinite(rows.values).all(axis=1)
    columns = _columns(frame, job_settings)
    regimes = find_regimes(rows.values[present], rows.life[present], healthy[present], columns)
    usable = rows.whole(steps) & (rows.age >= LEAST_AGE)
    thin = rows.age % max(1, -(-int(usable.sum()) // MOST_ROWS)) == 0
    ends = np.flatnonzero(usable & thin)
    features = find_features(rows, regimes, steps, job_settings.network, ends)
    inputs = features.of_rows(features.coordinates(rows.values), ends, rows.age[ends])
    length = np.array([rows.age[rows.life == life].max() for life in lives], dtype=np.float64)
    failed = rows.failed[rows.life[ends]]
    cap = (
        find_cap(
            inputs[failed].reshape(int(failed.sum()), -1),
            rows.remaining[ends][failed],
            rows.life[ends][failed],
            float(np.median(length[rows.failed])),
        )
        if job_settings.cap_hours is None
        else job_settings.cap_hours / hours
    )
    known = failed | (rows.remaining[ends] >= cap)
    chosen = ends[known]
    target = np.minimum(rows.remaining[chosen], cap)
    return features, Examples(inputs[known], target, rows.life[chosen], rows.age[chosen], cap), length


def _columns(frame: Frame, job_settings: PrognosisSettings) -> list[int]:
    names = [role.name for role in frame.roles]
    for name in job_settings.conditions:
        if name not in names:
            raise UnusableInput(name, "it tells the operating condition and is none of the inputs")
    return [names.index(name) for name in job_settings.conditions]


def _cannot_see(cap: float, regimes: int, failed: Flags) -> tuple[str, ...]:
    found = [
        f"Remaining life beyond {cap:.4g} h: a prediction of {cap:.4g} h means that or more.",
        "Kinds of failure that none of the lives ended by.",
        "A change of the machine's duty to come: the remaining life is that under the duty of the training lives.",
    ]
    if regimes > 1:
        found.append(
            f"Operating conditions outside the {regimes} regimes of the training lives: Regime is unknown then."
        )
    if not failed.all():
        found.append(f"The end of {int((~failed).sum())} lives that had not failed: only their early part counts.")
    return tuple(found)
