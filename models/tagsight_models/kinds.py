"""The kinds of model that a model file may hold: one typed registry."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tagsight_models.diagnosis.model import DiagnosisModel
from tagsight_models.health import HealthModel
from tagsight_models.job_model import JobModel
from tagsight_models.production.model import ProductionModel
from tagsight_models.prognosis.crossing import CrossingModel
from tagsight_models.prognosis.model import PrognosisModel
from tagsight_models.quality.soft_sensor import SoftSensor

_KINDS: Final[tuple[type[JobModel], ...]] = (
    HealthModel,
    DiagnosisModel,
    PrognosisModel,
    CrossingModel,
    SoftSensor,
    ProductionModel,
)

KINDS: Final[Mapping[str, type[JobModel]]] = MappingProxyType({each.kind: each for each in _KINDS})
