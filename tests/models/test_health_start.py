from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tagsight_models.errors import SisterUnusable
from tagsight_models.frame import Floats
from tagsight_models.health import HealthModel
from tagsight_models.health_fit import context_rows, fit_health
from tagsight_models.health_network import LAGS, NetworkSettings, first_network, hidden_of
from tagsight_models.health_start import chosen_start
from tagsight_models.job_model import JobModel
from tagsight_models.training import FitSettings, silent
from tagsight_models.training_settings import TrainingSettings
from tagsight_models.transfer import Sister
from tests.models.plants import MINUTE, frame_of, linear_plant

ROLES = frame_of(linear_plant(10)).roles
QUICK = FitSettings(epochs=3)


def fitted(values: Floats) -> HealthModel:
    return fit_health(values, ROLES, NetworkSettings(fit=QUICK), silent, grid_ns=MINUTE, window_steps=60)[0]


@pytest.fixture(scope="module")
def sister() -> HealthModel:
    """A machine of the same kind with much history."""
    return fitted(linear_plant(3000, seed=1))


def settings(sister: JobModel | None, **more: object) -> TrainingSettings:
    return replace(TrainingSettings(sister=sister, sister_name="P102/Health version 1"), **more)  # type: ignore[arg-type]


def test_without_sister_and_search_nothing_is_tried() -> None:
    start = chosen_start(linear_plant(50), ROLES, TrainingSettings(), MINUTE, silent)
    assert start.network.sister is None
    assert start.remarks == ()


def test_with_little_history_a_sister_of_the_same_kind_helps(sister: HealthModel) -> None:
    start = chosen_start(linear_plant(80, seed=5), ROLES, settings(sister), MINUTE, silent)
    assert start.network.sister is not None
    assert start.metrics["transfer_loss_from_sister"] < start.metrics["transfer_loss_from_nothing"]
    assert "6 of 6 inputs matched" in start.remarks[0]
    assert "it helped" in start.remarks[0]


def test_a_sister_that_behaves_otherwise_is_left(sister: HealthModel) -> None:
    other = HealthModel.from_parts(sister.description(), sister.tensors())
    other.network.linear.mul_(-3.0)
    other.network.last.fill_(2.0)
    start = chosen_start(linear_plant(400, seed=5), ROLES, settings(other), MINUTE, silent)
    assert start.network.sister is None
    assert "did not help" in start.remarks[0]


def test_the_network_of_a_helping_sister_has_her_size(sister: HealthModel) -> None:
    given = NetworkSettings(hidden=99, sister=Sister("her", ROLES, sister.network, MINUTE))
    _, _, rows = context_rows(linear_plant(200), ROLES, LAGS)
    network, linear = first_network(rows, ROLES, given)
    assert network.bias.shape[1] == hidden_of(given)
    assert np.all(linear[: len(ROLES)].diagonal() == 0.0)


def test_a_sister_on_another_grid_is_refused(sister: HealthModel) -> None:
    with pytest.raises(SisterUnusable, match="grid"):
        chosen_start(linear_plant(200), ROLES, settings(sister), 2 * MINUTE, silent)


def test_a_sister_of_another_job_is_refused() -> None:
    class Other:
        kind = "quality"

    with pytest.raises(SisterUnusable, match="quality"):
        chosen_start(linear_plant(200), ROLES, settings(Other()), MINUTE, silent)  # type: ignore[arg-type]


def test_a_search_says_what_it_found_and_a_killed_one_goes_on(tmp_path: Path) -> None:
    class Killed(Exception):
        pass

    def until_the_second(_share: float, words: str) -> None:
        if words.startswith("trial 3 of 4: epoch 1"):
            raise Killed

    values = linear_plant(300)
    wanted = chosen_start(values, ROLES, settings(None, search=4), MINUTE, silent)
    with pytest.raises(Killed):
        chosen_start(values, ROLES, settings(None, search=4, kept_in=tmp_path), MINUTE, until_the_second)
    assert (tmp_path / "search.json").exists()
    found = chosen_start(values, ROLES, settings(None, search=4, kept_in=tmp_path), MINUTE, silent)
    assert found.remarks == wanted.remarks
    assert found.metrics == wanted.metrics
    assert "Search, 4 trials" in found.remarks[0]
    assert found.network.hidden == wanted.network.hidden
