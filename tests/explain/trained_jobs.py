"""A small trained model of each job, for what must hold for all of them."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Final

import numpy as np

from tagsight_models.diagnosis.fit import train_diagnosis
from tagsight_models.diagnosis.settings import DiagnosisSettings
from tagsight_models.frame import Floats
from tagsight_models.jobs import train
from tagsight_models.production.fit import train_production
from tagsight_models.prognosis.fit import train_prognosis
from tagsight_models.prognosis.settings import PrognosisSettings
from tagsight_models.quality.fit import train_quality
from tagsight_models.regression.oblivious_trees import TreeSettings
from tagsight_models.regression.regressor import RegressorSettings
from tagsight_models.scoring_model import ScoringModel
from tagsight_models.training import FitSettings, silent
from tagsight_models.training_data import TrainingData
from tagsight_models.training_settings import TrainingSettings
from tests.models.diagnosis.rigs import history
from tests.models.plants import frame_of, linear_plant
from tests.models.production.conftest import JOB as PRODUCTION
from tests.models.production.conftest import data_of, plant
from tests.models.prognosis.worn_machines import fleet
from tests.models.quality.lab_plant import JOB as QUALITY
from tests.models.quality.lab_plant import lab_plant

TINY: Final = RegressorSettings(networks=1, trees=TreeSettings(trees=5, depth=3), fit=FitSettings(epochs=1))


def health() -> ScoringModel:
    return train("health", TrainingData(frame_of(linear_plant(900))), TrainingSettings()).model


def diagnosis() -> ScoringModel:
    rig = history({"normal": 200, "bearing": 160, "seal": 160})
    job = DiagnosisSettings(windows_of_class=60, trees=5, folds=2)
    return train_diagnosis(rig, TrainingSettings(window_steps=24), job, silent).model


def prognosis() -> ScoringModel:
    job = PrognosisSettings(cap_hours=60.0, horizon_hours=12.0, members=1)
    return train_prognosis(fleet(12, seed=1), TrainingSettings(window_steps=24), job, silent).model


def quality() -> ScoringModel:
    return train_quality(
        lab_plant().data(), TrainingSettings(window_steps=4), replace(QUALITY, regressor=TINY), silent
    ).model


def production() -> ScoringModel:
    return train_production(
        data_of(*plant(800)), TrainingSettings(window_steps=4, seed=1), replace(PRODUCTION, regressor=TINY), silent
    ).model


JOBS: Final[Mapping[str, Callable[[], ScoringModel]]] = {
    "health": lru_cache(maxsize=1)(health),
    "diagnosis": lru_cache(maxsize=1)(diagnosis),
    "prognosis": lru_cache(maxsize=1)(prognosis),
    "quality": lru_cache(maxsize=1)(quality),
    "production": lru_cache(maxsize=1)(production),
}


def windows_near(model: ScoringModel, count: int, seed: int) -> Floats:
    """Windows about the reference, some roles far from it."""
    random = np.random.default_rng(seed)
    reference = np.asarray(model.reference)
    size = 0.02 * np.abs(reference).max(axis=0) + 0.3
    shift = random.normal(size=(count, 1, reference.shape[1])) * 3.0
    return np.asarray(reference + size * (random.normal(size=(count, *reference.shape)) + shift))
