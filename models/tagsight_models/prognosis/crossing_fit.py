"""Fitting the spread round the trend of a role to its own past."""

import time
from typing import Final

import numpy as np

from tagsight_models.errors import TooLittleData, UnusableInput
from tagsight_models.frame import Floats, Frame, Times
from tagsight_models.prognosis.crossing import CrossingModel, Reach
from tagsight_models.prognosis.model import HOUR_NS
from tagsight_models.prognosis.settings import Crossing, PrognosisSettings, least_cases
from tagsight_models.prognosis.trained import PrognosisTrained
from tagsight_models.prognosis.trend import Spread, levels, lines
from tagsight_models.training import Progress
from tagsight_models.training_settings import TrainingSettings
from tagsight_models.usable_inputs import unusable
from tagsight_models.windows import windows

ORIGINS: Final = 600  # windows whose lines are compared with what came; more are thinned evenly
FARTHEST: Final = 10.0  # times the longest distance that was measured
TESTED: Final = 2 / 3  # the interval of the first part of the history is tested on the rest
MARGIN: Final = 1.05


def train_crossing(
    frame: Frame,
    settings: TrainingSettings,
    job_settings: PrognosisSettings,
    crossing: Crossing,
    progress: Progress,
) -> PrognosisTrained:
    """Learn how far trends of a role hold. It needs no run to failure and no crossing in the history."""
    started = time.monotonic()
    column = _column(frame, crossing)
    values = np.where(frame.reasons[:, column] == 0, frame.values[:, column], np.nan)
    tail, steps = (1.0 - job_settings.interval) / 2.0, settings.window_steps
    least = least_cases(job_settings.interval)
    origins, straight, before, after, ahead = _past(frame, column, values, steps, least)
    progress(0.8, "comparing lines with what came")
    spans = np.maximum(len(values) / ahead, 1.0)
    spread = Spread.of(after - straight, ahead, spans, tail)
    hours = frame.grid_ns / HOUR_NS
    cap, horizon = job_settings.cap_hours, job_settings.horizon_hours
    farthest = FARTHEST * float(ahead[-1]) if cap is None else cap / hours
    reach = Reach(steps, min(float(steps) if horizon is None else horizon / hours, farthest), farthest)
    model = CrossingModel(
        frame.roles[column], crossing, spread, float(np.nanmedian(values)), reach, grid_ns=frame.grid_ns
    )
    ours, stays = _rms(after - straight), _rms(after - before[:, None])
    trial = stays * MARGIN < ours
    said = "On trial: that it stays as it is tells more." if trial else "At least as good as that it stays as it is."
    progress(1.0, said)
    return PrognosisTrained(
        model,
        metrics={
            f"RMSE of the level, {frame.roles[column].unit or 'units'}": ours,
            "covered, %": 100.0 * _covered(origins, after - straight, ahead, spans, tail),
        },
        compared=(f"TagSight: {ours:.4g}", f"it stays as it is: {stays:.4g} root mean square error of the level"),
        verdict=said,
        trial=trial,
        calibration={
            "method": "quantiles of how far levels lay from the line, by distance",
            "stated, %": 100.0 * job_settings.interval,
            "longest distance measured, h": float(ahead[-1]) * hours,
            "farthest, h": farthest * hours,
            "horizon, h": reach.horizon * hours,
        },
        cannot_see=(
            f"Changes of the trend that the history of {len(values) * hours:.4g} h has nothing alike of.",
            f"Beyond {float(ahead[-1]) * hours:.4g} h the spread is extrapolated in proportion, not measured.",
        ),
        fitted=(),
        seconds=time.monotonic() - started,
    )


def _column(frame: Frame, crossing: Crossing) -> int:
    names = [role.name for role in frame.roles]
    if crossing.role not in names:
        raise UnusableInput(crossing.role, "its crossing of a limit is asked for and it is none of the inputs")
    causes = unusable(frame)
    if crossing.role in causes:
        raise UnusableInput(crossing.role, causes[crossing.role])
    return names.index(crossing.role)


def _past(
    frame: Frame, column: int, values: Floats, steps: int, least: int
) -> tuple[Times, Floats, Floats, Floats, Times]:
    """Origins (n,), lines (n, h), levels now (n,) and later (n, h), and the distances (h,) that can be measured."""
    shortest = max(1, steps // 4)
    longest = int((len(values) - steps) // least)
    needed = steps + least * shortest
    usable = int(np.isfinite(values).sum())
    if longest < shortest or usable < needed:
        raise TooLittleData("learning how far a trend holds", usable, needed)
    ahead = np.array([shortest * 2**n for n in range(20) if shortest * 2**n <= longest], dtype=np.int64)
    later = levels(values)
    cut = windows(_only(frame, column), steps)
    good = np.flatnonzero(cut.usable)
    good = good[good + steps - 1 + ahead[0] < len(values)]
    if len(good) < least:
        raise TooLittleData("learning how far a trend holds, windows without gaps", len(good), least)
    good = good[:: -(-len(good) // ORIGINS)]
    level, slope = lines(cut.values[good][:, :, 0])
    origins = good + steps - 1
    reached = origins[:, None] + ahead
    came = np.where(reached < len(values), later[np.minimum(reached, len(values) - 1)], np.nan)
    seen = np.isfinite(came).sum(axis=0) >= least
    ahead, came = ahead[seen], came[:, seen]
    if not len(ahead):
        raise TooLittleData("learning how far a trend holds, stretches without gaps", 0, least)
    return origins, level[:, None] + slope[:, None] * ahead, level, came, ahead


def _only(frame: Frame, column: int) -> Frame:
    one = slice(column, column + 1)
    return Frame(
        frame.times,
        frame.values[:, one],
        frame.reasons[:, one],
        frame.uncertain[:, one],
        frame.roles[one],
        frame.grid_ns,
    )


def _rms(errors: Floats) -> float:
    return float(np.sqrt(np.nanmean(errors**2)))


def _covered(origins: Times, errors: Floats, ahead: Times, spans: Floats, tail: float) -> float:
    """Share of later levels inside the spread of the earlier part; NaN where the history is too short to tell."""
    split = origins[0] + TESTED * (origins[-1] - origins[0])
    early = origins[:, None] + ahead < split
    learned = np.where(early, errors, np.nan)
    known = np.isfinite(learned).sum(axis=0) > 1
    tested = errors[origins >= split][:, known]
    if not known.any() or not np.isfinite(tested).any():
        return float("nan")
    made = Spread.of(learned[:, known], ahead[known], np.maximum(spans[known] * TESTED, 1.0), tail)
    held = (made.below <= tested) & (tested <= made.above)
    return float(held[np.isfinite(tested)].mean())
