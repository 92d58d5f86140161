"""The baselines by name."""

from collections.abc import Mapping
from typing import Final

from tagsight_models.frame import Floats
from tagsight_models.statistics.cva import Cva
from tagsight_models.statistics.ewma import Smoothed
from tagsight_models.statistics.largest_z import LargestZ
from tagsight_models.statistics.mahalanobis import Mahalanobis
from tagsight_models.statistics.pca import PcaSpe
from tagsight_models.statistics.statistic import Fit, Statistic


def _ewma_cva(values: Floats) -> Statistic:
    return Smoothed(Cva.fit(values), 0.1)


def _ewma_mahalanobis(values: Floats) -> Statistic:
    return Smoothed(Mahalanobis.fit(values), 0.2)


BASELINES: Final[Mapping[str, Fit]] = {
    "EWMA(0.1) of CVA Tr2": _ewma_cva,
    "EWMA(0.2) of Mahalanobis": _ewma_mahalanobis,
    "PCA-SPE": PcaSpe.fit,
    "smoothed largest z": LargestZ.fit,
}
