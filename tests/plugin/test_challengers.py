"""A later version scores in the shadow of the one that runs."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from tagsight.clocks import SetClock
from tagsight.ledger.ledger import Ledger
from tagsight.ledger.records import TickRecord
from tagsight.results import Run
from tagsight.scoring import _scored
from tagsight.scoring_task import ScoreTask
from tagsight_connectors.history import TagHistory
from tagsight_connectors.quality import GOOD
from tagsight_models.errors import TooLittleData
from tagsight_models.frame import Floats, Role
from tagsight_models.model_store import Loaded
from tests.plugin.small_site import MINUTE, NORMAL, ROLES, START, Arithmetic, card, plan_of

STEPS = 10


class Twice(Arithmetic):
    """Scores twice what `Arithmetic` does."""

    def score(self, windows: Floats) -> Floats:
        return 2.0 * super().score(windows)


class Broken(Arithmetic):
    """Cannot score."""

    def score(self, windows: Floats) -> Floats:
        raise TooLittleData("scoring", len(windows), 9)


def task() -> ScoreTask:
    times = START + np.arange(-STEPS, 1, dtype=np.int64) * MINUTE
    values = np.full(len(times), NORMAL + 1.0) + np.arange(len(times)) % 2
    history = TagHistory(times, values, np.full(len(times), GOOD, dtype=np.uint32))
    return ScoreTask(plan_of("P101"), tuple(Role(role) for role in ROLES), dict.fromkeys(ROLES, history), {}, (START,))


def run_of(challenger: Loaded | None) -> Run:
    (one,) = _scored(task(), Loaded(Arithmetic(), card(), 1), challenger)  # type: ignore[arg-type]
    assert one.run.score is not None
    return one.run


def test_the_challenger_scores_the_same_window_and_changes_nothing_of_the_run() -> None:
    alone, watched = run_of(None), run_of(Loaded(Twice(), card(), 2))  # type: ignore[arg-type]
    assert alone.score is not None
    assert watched.shadow == (2, 2.0 * alone.score)
    assert replace(watched, shadow=None) == alone


def test_a_challenger_that_fails_harms_nobody() -> None:
    assert run_of(Loaded(Broken(), card(), 2)) == run_of(None)  # type: ignore[arg-type]


def test_what_challengers_scored_is_kept_beside_the_scores_of_the_version_that_ran(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "ledger.sqlite", SetClock(START)) as ledger:
        runs = [
            Run("P101/Health", START, 1, 0.5, GOOD, shadow=(2, 0.25)),
            Run("P101/Health", START + MINUTE, 1, 0.5, GOOD),
            Run("P101/Health", START + 2 * MINUTE, 1, None, GOOD, shadow=(2, 0.75)),
            Run("P101/Health", START + 3 * MINUTE, 1, 0.5, GOOD, shadow=(3, 0.25)),
        ]
        ledger.record(TickRecord(runs=runs))
        times, champion, challenger = ledger.shadows("P101/Health", 1, 2)
        assert times.tolist() == [START, START + 2 * MINUTE]
        np.testing.assert_array_equal(champion, [0.5, np.nan])
        assert challenger.tolist() == [0.25, 0.75]
        assert ledger.shadows("P101/Health", 1, 9)[0].size == 0
        assert ledger.newest_run("P101/Health") == runs[-1]
