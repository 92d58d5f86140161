"""Normal windows that are kept with a model, for its explanations."""

from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tagsight_models import model_file
from tagsight_models.normal_windows import KEPT, normal_windows
from tagsight_models.trained import Trained
from tests.models.plants import frame_of, linear_plant


def test_they_are_windows_of_the_training_that_score_low(linear: Trained) -> None:
    frame = frame_of(linear_plant(3000))
    frame.values[1000:1400] += 400.0
    found = normal_windows(linear.model, frame)
    assert found.shape == (KEPT, 60, 6)
    assert (linear.model.score(found) < 1.0).all()


def test_a_frame_without_a_whole_window_has_none(linear: Trained) -> None:
    assert len(normal_windows(linear.model, frame_of(linear_plant(30)))) == 0


def test_a_model_file_gives_them_back_and_the_model_as_without(linear: Trained, tmp_path: Path) -> None:
    key, normal = Ed25519PrivateKey.generate(), np.random.default_rng(0).normal(size=(2, 60, 6))
    for name, kept in (("with", normal), ("without", None)):
        (tmp_path / name).mkdir()
        model_file.write(tmp_path / name, linear.model, linear.card, key, name="P101/Health", version=1, normal=kept)
    one = model_file.read(tmp_path / "with", key, name="P101/Health", version=1)
    other = model_file.read(tmp_path / "without", key, name="P101/Health", version=1)
    assert one.normal is not None
    np.testing.assert_array_equal(one.normal, normal)
    assert other.normal is None
    np.testing.assert_array_equal(one.model.score(normal), other.model.score(normal))
