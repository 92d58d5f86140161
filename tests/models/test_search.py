import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tagsight_models.networks.registry import NETWORKS, network
from tagsight_models.search import WINDOW_NETWORKS, Choice, Found, Range, Space, Trial, Values, search, sizes
from tagsight_models.training import Progress

SPACE: Space = {"hidden": Choice((4, 8, 16, 32)), "rate": Range(1e-3, 1e-1)}
DEFAULTS: Values = {"hidden": 16, "rate": 6e-3}


class Killed(Exception):
    pass


def bowl(values: Values, _seconds: float, _progress: Progress) -> float:
    """Lowest at 8 and 0.02."""
    return abs(math.log(float(values["rate"]) / 0.02)) + abs(math.log2(float(values["hidden"]) / 8))


def run(objective: Callable[[Values, float, Progress], float] = bowl, trials: int = 12, **more: Any) -> Found:
    return search(SPACE, DEFAULTS, objective, trials=trials, seed=1, **{"at_most_seconds": 1e9, **more})


def test_a_search_finds_better_than_the_defaults_which_it_tries_first() -> None:
    found = run(trials=25)
    assert found.trials[0].values == DEFAULTS
    assert found.best.loss < 0.5 * found.trials[0].loss
    assert len(found.trials) == 25


def test_a_search_never_ends_worse_than_the_defaults() -> None:
    found = run(lambda values, *_: float(values != DEFAULTS))
    assert found.best.values == DEFAULTS
    assert "nothing better than the defaults" in found.words


def test_the_same_seed_gives_the_same_trials() -> None:
    assert run() == run()
    other = search(SPACE, DEFAULTS, bowl, trials=12, seed=2, at_most_seconds=1e9)
    assert other != run()


@pytest.mark.parametrize("kill_after", [0, 1, 4, 11])
def test_a_killed_search_goes_on_and_tries_what_an_uninterrupted_one_tries(tmp_path: Path, kill_after: int) -> None:
    kept = tmp_path / "state" / "search.json"
    calls: list[Values] = []

    def dying(values: Values, seconds: float, progress: Progress) -> float:
        if len(calls) == kill_after:
            raise Killed
        calls.append(values)
        return bowl(values, seconds, progress)

    with pytest.raises(Killed):
        run(dying, kept=kept, named="one")
    again: list[Values] = []

    def counted(values: Values, seconds: float, progress: Progress) -> float:
        again.append(values)
        return bowl(values, seconds, progress)

    assert run(counted, kept=kept, named="one") == run()
    assert len(calls) + len(again) <= 12


def test_what_a_search_of_other_data_has_left_is_ignored(tmp_path: Path) -> None:
    kept = tmp_path / "search.json"
    run(lambda *_: 7.0, kept=kept, named="one")
    assert run(kept=kept, named="other") == run()


def test_a_damaged_file_is_ignored(tmp_path: Path) -> None:
    kept = tmp_path / "search.json"
    run(kept=kept, named="one")
    kept.write_bytes(kept.read_bytes()[:50])
    assert run(kept=kept, named="one") == run()


def test_no_trial_starts_after_the_time_and_the_defaults_are_always_tried() -> None:
    clock = [0.0]
    shares: list[float] = []

    def slow(values: Values, seconds: float, progress: Progress) -> float:
        shares.append(seconds)
        clock.append(clock[-1] + 30.0)
        return bowl(values, seconds, progress)

    found = run(slow, at_most_seconds=60.0, now=lambda: clock[-1])
    assert len(found.trials) == 2
    assert shares == [60.0 / 12, 30.0 / 11]
    assert "2 trials of 12" in found.words
    assert len(run(slow, at_most_seconds=0.0).trials) == 1


def test_what_cannot_be_learned_from_is_never_the_best() -> None:
    found = run(lambda values, *_: math.inf if values["hidden"] == 32 else bowl(values, 0.0, lambda *_: None), 20)
    assert found.best.values["hidden"] != 32
    assert math.isfinite(found.best.loss)


def test_the_same_values_are_not_tried_twice() -> None:
    tried: list[Values] = []

    def objective(values: Values, *_: Any) -> float:
        tried.append(values)
        return 1.0

    found = search({"hidden": Choice((4, 8))}, {"hidden": 4}, objective, trials=8, seed=0, at_most_seconds=1e9)
    assert len(found.trials) == 8
    assert len(tried) <= 2


def test_progress_goes_up_to_the_end() -> None:
    shares: list[float] = []
    run(progress=lambda share, _words: shares.append(share))
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_the_words_name_the_values_and_both_losses() -> None:
    found = Found((Trial({"hidden": 16, "rate": 6e-3}, 0.5), Trial({"hidden": 8, "rate": 0.0123456}, 0.25)), 2)
    assert found.words == "Search, 2 trials: hidden 8, rate 0.0123; held-out loss 0.25 against 0.5 of the defaults"
    assert found.metrics["search_loss_of_best"] == 0.25


def test_every_network_of_the_search_can_be_made() -> None:
    kinds, widths = WINDOW_NETWORKS["network"], WINDOW_NETWORKS["size"]
    assert isinstance(kinds, Choice)
    assert isinstance(widths, Choice)
    assert set(kinds.values) == set(NETWORKS)
    for kind in NETWORKS:
        for size in widths.values:
            made = network(kind, 6, 3, 2, 0, **sizes(kind, int(size)))
            assert made(torch.zeros(1, 6, 3)).shape == (1, 2)
