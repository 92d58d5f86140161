"""How wide the interval is where no laboratory value is known: as wide as two halves of the training time ask for.

Nothing corrects a drift then, and a prediction may be made a year after the last value that was learned from. So each
half of the time is predicted by a regression of the other half: its errors hold what changes between such times, and
at another season, not within them. The interval is as wide as the worse half asks for, and wider where inputs are far
from all that was learned from.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tagsight_models.frame import Floats
from tagsight_models.quality.inner_time import Calibrated, Quarter
from tagsight_models.quality.lab_samples import LabSamples
from tagsight_models.quality.unaided import Unaided, in_spreads
from tagsight_models.regression.conformal import quantile
from tagsight_models.regression.nearness import Nearness, best_share, growth
from tagsight_models.regression.region import Region
from tagsight_models.regression.regressor import Regressor, RegressorSettings
from tagsight_models.training import Progress


def halves(
    samples: LabSamples, features: Floats, first: Regressor, settings: RegressorSettings, progress: Progress
) -> tuple[Quarter, Quarter]:
    """Each half of the samples, as the regression of the other half predicts it; `first` has learned from the first."""
    middle = len(samples) // 2
    last, _ = Regressor.fit(features[middle:], samples.values[middle:], settings, progress)
    early, late = slice(0, middle), slice(middle, None)
    return (
        Quarter(samples.at(early), last, last.parts(features[early])),
        Quarter(samples.at(late), first, first.parts(features[late])),
    )


def unaided(
    held: Sequence[Quarter], shares: tuple[float, float], found: Calibrated, region: Region, coverage: float
) -> Unaided:
    """From the halves; level and spread of errors as `found` knows them."""
    rows = [in_spreads(region, each.samples.windows[:, -1]) for each in held]
    distances = [Nearness.of(other).distance(own) for own, other in zip(rows, reversed(rows), strict=True)]
    usual = max(float(np.median(np.concatenate(distances))), 1e-9)
    scaled = []
    for each in held:
        predictions = each.predictions(shares)
        scaled.append((each.samples.values - predictions) / found.spread(predictions))
    share = best_share(np.concatenate(distances) / usual, np.concatenate(scaled))
    wide = [growth(far / usual, share) for far in distances]
    asked = [quantile(np.abs(one) / by, coverage) for one, by in zip(scaled, wide, strict=True)]
    kept = Nearness.of(np.concatenate(rows))
    return Unaided(max(asked), replace(kept, usual=usual, share=share))
