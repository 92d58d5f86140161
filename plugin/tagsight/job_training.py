"""From plan and task to what the training of a job takes. Runs in the worker."""

from dataclasses import replace
from typing import Final

from tagsight.framing import series_of
from tagsight.job_plans import DiagnosisPlan, ProductionPlan, PrognosisPlan, QualityPlan
from tagsight.plan import ModelPlan
from tagsight.training import TrainTask
from tagsight_models.diagnosis.settings import DiagnosisSettings
from tagsight_models.frame import Frame
from tagsight_models.jobs import JobSettings
from tagsight_models.production.settings import ProductionSettings
from tagsight_models.prognosis.settings import Crossing, PrognosisSettings
from tagsight_models.quality.settings import QualitySettings
from tagsight_models.training_data import Life, TrainingData

HOUR_NS: Final = 3_600_000_000_000


def training_data(task: TrainTask, frame: Frame) -> TrainingData:
    """The frame, with labels, target and lives as far as the job has them."""
    of_job = task.plan.of_job
    lives = of_job.lives if isinstance(of_job, PrognosisPlan) else ()
    target = of_job.target if isinstance(of_job, QualityPlan | ProductionPlan) else ""  # of production it is an input
    return TrainingData(
        frame,
        periods=task.labels,
        target=None if task.target is None else series_of(task.target),
        target_name=target.rsplit("/", 1)[-1],
        lives=tuple(Life(one.start_ns, one.end_ns, one.failed) for one in lives),
    )


def job_settings(plan: ModelPlan) -> JobSettings | None:
    """Of the job; None for `health`."""
    match plan.of_job:
        case DiagnosisPlan():
            return DiagnosisSettings(sure_from=plan.of_job.sure_from, normal=dict(plan.of_job.labels.normal))
        case PrognosisPlan():
            return _prognosis(plan, plan.of_job)
        case QualityPlan():
            return _quality(plan.of_job)
        case ProductionPlan():
            return _production(plan.of_job)
        case _:
            return None


def _prognosis(plan: ModelPlan, given: PrognosisPlan) -> PrognosisSettings:
    crossing = Crossing(given.tag.rsplit("/", 1)[-1], given.limit, given.rising) if given.tag else None
    settings = PrognosisSettings(given.horizon_ns / HOUR_NS, interval=given.coverage, crossing=crossing)
    return replace(settings, network=plan.network) if plan.network else settings


def _production(given: ProductionPlan) -> ProductionSettings:
    return ProductionSettings(
        rising=given.rising,
        coverage=given.coverage,
        adjustable=dict(given.adjustable),
        conditions=given.conditions,
        stations=dict(given.stations),
    )


def _quality(given: QualityPlan) -> QualitySettings:
    return QualitySettings(
        delay_ns=given.delay_ns,
        known_after_ns=given.known_after_ns,
        low=given.low,
        high=given.high,
        coverage=given.coverage,
        adjustable=dict(given.adjustable),
    )
