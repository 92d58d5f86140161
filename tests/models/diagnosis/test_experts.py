import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax

from tagsight_models.diagnosis.discriminants import Spread
from tagsight_models.diagnosis.experts import straight_experts, unbent
from tagsight_models.diagnosis.forest import Forest, grow
from tagsight_models.diagnosis.pool import calibration_error, pool_weights, pooled, surprise
from tagsight_models.diagnosis.severity import severities
from tagsight_models.frame import Floats

RANDOM = np.random.default_rng(0)
CLASSES = RANDOM.integers(3, size=300)
FEATURES = RANDOM.normal(size=(300, 6)) + 2.0 * np.eye(6)[CLASSES]


def accuracy(log_probabilities: Floats) -> float:
    return float((log_probabilities.argmax(axis=1) == CLASSES).mean())


def test_a_forest_names_what_it_learned() -> None:
    assert accuracy(grow(FEATURES, CLASSES, 3, 30, np.random.default_rng(1)).log_probabilities(FEATURES)) > 0.95


def test_probabilities_of_a_forest_sum_to_one_and_none_is_nothing() -> None:
    forest = grow(FEATURES, CLASSES, 3, 5, np.random.default_rng(1))
    np.testing.assert_allclose(np.exp(forest.log_probabilities(FEATURES)).sum(axis=1), 1.0)
    assert np.isfinite(forest.log_probabilities(1e6 * FEATURES)).all()


def test_every_row_that_a_tree_learned_from_falls_into_a_leaf_of_its_class() -> None:
    features = np.arange(8.0).repeat(4)[:, None]
    classes = (np.arange(32) // 8).astype(np.intp)
    forest = grow(features, classes, 4, 200, np.random.default_rng(0))
    np.testing.assert_array_equal(forest.probabilities(features).argmax(axis=1), classes)


def test_rare_classes_weigh_as_much_as_frequent_ones() -> None:
    classes = np.r_[np.zeros(200, dtype=np.intp), np.ones(20, dtype=np.intp)]
    same = np.zeros((220, 2))
    np.testing.assert_allclose(
        grow(same, classes, 2, 3, np.random.default_rng(0)).probabilities(same[:1]), [[0.5, 0.5]]
    )


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_any_rows_grow_trees_that_can_be_read_back(seed: int) -> None:
    random = np.random.default_rng(seed)
    features = random.integers(0, 4, size=(int(random.integers(2, 40)), 3)).astype(float)
    classes = random.integers(0, 3, size=len(features))
    forest = grow(features, classes, 3, 3, random)
    again = Forest.from_tensors(forest.tensors(), 3, 3)
    np.testing.assert_array_equal(again.probabilities(features), forest.probabilities(features))


@pytest.mark.parametrize("shrinkage", [0.01, 0.5])
def test_discriminants_name_what_they_learned(shrinkage: float) -> None:
    assert accuracy(Spread.of(FEATURES, CLASSES, 3).discriminants(shrinkage).log_probabilities(FEATURES)) > 0.8


def test_discriminants_do_not_depend_on_units() -> None:
    units = np.asarray([1.0, 30.0, 0.1, 10.0, 0.3, 7.0])
    ours = Spread.of(FEATURES, CLASSES, 3).discriminants(0.1).log_probabilities(FEATURES)
    other = Spread.of(FEATURES * units, CLASSES, 3).discriminants(0.1).log_probabilities(FEATURES * units)
    assert (ours.argmax(axis=1) == other.argmax(axis=1)).mean() > 0.98


def test_severities_know_what_lies_between_classes() -> None:
    rank = RANDOM.integers(4, size=400)
    features = rank[:, None] * np.asarray([1.0, -0.5]) + 0.2 * RANDOM.normal(size=(400, 2))
    (found,) = severities(features, rank, 4, [1e-3])
    assert (found.log_probabilities(features).argmax(axis=1) == rank).mean() > 0.95


def test_straight_experts_see_what_is_linear_in_the_numbers_as_they_were() -> None:
    random = np.random.default_rng(5)
    rank = random.integers(3, size=600)
    common = 40.0 * random.normal(size=600)  # moves both numbers, far more than what tells the classes
    numbers = np.stack([common + rank, 2.0 * common - rank], axis=1) + 0.1 * random.normal(size=(600, 2))
    bent = np.arcsinh(numbers)
    np.testing.assert_allclose(unbent(bent), numbers)
    (discriminants, _), (severity, *_) = straight_experts(bent, rank, 3, ordered=True)
    assert (discriminants.log_probabilities(unbent(bent)).argmax(axis=1) == rank).mean() > 0.95
    assert (severity.log_probabilities(unbent(bent)).argmax(axis=1) == rank).mean() > 0.9
    of_bent = Spread.of(bent, rank, 3).discriminants(1e-4)
    assert (of_bent.log_probabilities(bent).argmax(axis=1) == rank).mean() < 0.8


def test_a_number_that_never_varies_does_no_harm_to_straight_experts() -> None:
    features = np.concatenate([FEATURES, np.zeros((300, 1))], axis=1)
    (discriminants, _), ranks = straight_experts(features, CLASSES, 3, ordered=False)
    assert accuracy(discriminants.log_probabilities(unbent(features))) > 0.8
    assert ranks == ()


def test_a_pool_makes_overconfident_opinions_honest() -> None:
    random = np.random.default_rng(2)
    truth = log_softmax(1.5 * random.normal(size=(4000, 3)), axis=1)
    classes = np.asarray([random.choice(3, p=np.exp(one)) for one in truth])
    sure = log_softmax(6.0 * truth, axis=1)[None]
    weights = pool_weights(sure[:, :2000], classes[:2000])
    held = sure[:, 2000:], classes[2000:]
    assert calibration_error(held[0][0], held[1]) > 0.1
    assert calibration_error(pooled(held[0], weights), held[1]) < 0.04
    assert surprise(pooled(held[0], weights), held[1]) < surprise(held[0][0], held[1])


def test_an_expert_that_only_guesses_gets_no_weight() -> None:
    random = np.random.default_rng(3)
    classes = random.integers(3, size=1000)
    good = log_softmax(2.0 * np.eye(3)[classes] + random.normal(size=(1000, 3)), axis=1)
    noise = log_softmax(random.normal(size=(1000, 3)), axis=1)
    weights = pool_weights(np.stack([good, noise]), classes)
    assert weights[1] < 0.15 * weights[0]
