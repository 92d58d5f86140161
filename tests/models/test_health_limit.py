from dataclasses import replace

import numpy as np

from tagsight_models.calibration import calibrate
from tagsight_models.comparison import Contestant, NormalTime, baselines, compare
from tagsight_models.health_limit import compared
from tagsight_models.jobs import Trained, TrainingSettings
from tagsight_models.training_rows import TrainingRows
from tests.models.plants import MINUTE, frame_of, linear_plant

SETTINGS = TrainingSettings()
ALARMING = SETTINGS.alarming(MINUTE)


def named_time() -> TrainingRows:
    """The last third is named; the second fifth before it is restless."""
    values = linear_plant(1500)
    values[200:400] += 6.0 * np.random.default_rng(1).normal(size=(200, 6))
    frame = frame_of(values)
    return TrainingRows.of(frame, replace(SETTINGS, limit_span=(int(frame.times[1000]), int(frame.times[-1]) + 1)))


def test_a_named_time_sets_the_limits_of_the_statistics_too(linear: Trained) -> None:
    rows = named_time()
    limit = calibrate(rows.frame.times, linear.model.series_distance(rows.held_values), ALARMING)
    found = compared(linear.model, limit, rows, ALARMING, 0)
    held = NormalTime(rows.frame.times[1000:], rows.values[1000:])
    learned = NormalTime(rows.frame.times[:1000], rows.values[:1000])
    ours = Contestant("TagSight", linear.model.series_distance, limit.value)
    assert found == compare(ours, baselines(learned, ALARMING, held), held, alarming=ALARMING)
    folded = compared(linear.model, limit, replace(rows, span_given=False), ALARMING, 0)
    assert folded == compare(ours, baselines(learned, ALARMING, None), held, alarming=ALARMING)
    assert max(one.found for one in found.results[1:]) > max(one.found for one in folded.results[1:])
