"""Makes the card of a health model from what its training found."""

import hashlib
import importlib.metadata
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from tagsight_models.calibration import Limit
from tagsight_models.card import ModelCard
from tagsight_models.comparison import Comparison, as_json
from tagsight_models.findings import Findings
from tagsight_models.frame import Frame
from tagsight_models.health import HealthModel
from tagsight_models.statistics.statistic import present
from tagsight_models.training import Fitted
from tagsight_models.training_rows import TrainingRows
from tagsight_models.training_settings import TrainingSettings

VERSIONS: Final = ("tagsight", "torch", "lightning", "numpy", "scipy")


@dataclass(frozen=True, slots=True)
class Origin:
    """What the caller knows of a training: how live data is gated as here, and hashes (`plan`, and maybe `data`)."""

    gates: Mapping[str, Any]
    hashes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a training of a health model found."""

    model: HealthModel
    rows: TrainingRows
    fitted: Fitted
    limit: Limit
    judged: Comparison
    seconds: float


def card_of(outcome: Outcome, settings: TrainingSettings, origin: Origin) -> ModelCard:
    """The card."""
    model, rows, fitted, limit = outcome.model, outcome.rows, outcome.fitted, outcome.limit
    times, held = rows.frame.times, np.flatnonzero(rows.held)
    return ModelCard(
        job="health",
        roles=model.roles,
        dropped=rows.dropped,
        grid_ns=model.grid_ns,
        window_steps=model.window_steps,
        start_ns=int(times[0]),
        end_ns=int(times[-1]),
        used_steps=int(present(rows.learned).sum()),
        counts=_counts(rows.frame),
        limit_start_ns=int(times[held[0]]),
        limit_end_ns=int(times[held[-1]]),
        limit={**asdict(limit), "folds": rows.folded},
        budget=_budget(settings),
        provisional=limit.provisional,
        comparison=as_json(outcome.judged),
        trial=outcome.judged.trial,
        metrics=_metrics(fitted),
        seconds=outcome.seconds,
        stopped_by_time=fitted.stopped_by_time,
        seed=settings.seed,
        data_hash=origin.hashes.get("data") or data_hash(rows.frame),
        plan_hash=origin.hashes.get("plan", ""),
        versions=_versions(),
        cannot_see=_cannot_see(model),
        gates=origin.gates,
    )


def card_of_job(job: str, found: Findings, frame: Frame, settings: TrainingSettings, origin: Origin) -> ModelCard:
    """The card of a model of any job but `health`: its limit is the engineer's."""
    times, model = frame.times, found.model
    return ModelCard(
        job=job,
        roles=model.roles,
        dropped=found.dropped,
        grid_ns=model.grid_ns,
        window_steps=model.window_steps,
        start_ns=int(times[0]),
        end_ns=int(times[-1]),
        used_steps=found.used_steps,
        counts=_counts(frame),
        limit_start_ns=int(times[0]),
        limit_end_ns=int(times[-1]),
        limit={"words": found.limit, "value": 1.0},
        budget=_budget(settings),
        provisional="",
        comparison={"verdict": found.verdict, "trial": found.trial, "lines": list(found.lines)},
        trial=found.trial,
        metrics=found.metrics,
        seconds=found.seconds,
        stopped_by_time=found.stopped_by_time,
        seed=settings.seed,
        data_hash=origin.hashes.get("data") or data_hash(frame),
        plan_hash=origin.hashes.get("plan", ""),
        versions=_versions(),
        cannot_see=found.cannot_see,
        gates=origin.gates,
        outputs=model.outputs,
        asks=found.asks,
        facts=found.facts,
    )


def _versions() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: importlib.metadata.version(name) for name in VERSIONS}}


def data_hash(frame: Frame) -> str:
    """SHA-256 of times, values and reasons."""
    digest = hashlib.sha256()
    for array in (frame.times, np.nan_to_num(frame.values, nan=0.0, posinf=0.0, neginf=0.0), frame.reasons):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _counts(frame: Frame) -> dict[str, dict[str, int]]:
    return {role: {reason.words: count for reason, count in found.items()} for role, found in frame.counts().items()}


def _budget(settings: TrainingSettings) -> dict[str, float]:
    return {
        "at_most": settings.at_most,
        "per_ns": settings.per_ns,
        "on_ns": settings.delays.on_ns,
        "off_ns": settings.delays.off_ns,
        "every_ns": settings.every_ns,
    }


def _metrics(fitted: Fitted) -> dict[str, float]:
    return {
        "epochs": fitted.epochs,
        "best_epoch": fitted.best_epoch,
        "start_loss": fitted.start_loss,
        "best_loss": fitted.best_loss,
        "fit_seconds": fitted.seconds,
    }


def _cannot_see(model: HealthModel) -> tuple[str, ...]:
    minutes = model.window_steps * model.grid_ns / 60e9
    alone = "With one input there is no other to compare with: only its own range and noise."
    return (
        f"Changes that take much longer than a window ({minutes:g} min) and keep all relations between the inputs.",
        "States of the machine that the training data does not hold: they look abnormal, whatever they are.",
        "Faults that no input shows; and which fault it is.",
        *((alone,) if len(model.roles) == 1 else ()),
    )
