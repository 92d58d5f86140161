"""A challenger takes over by itself only where the configuration says so and the contest holds."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tagsight.clocks import SECOND, SetClock
from tagsight.ledger.ledger import Ledger
from tagsight.ledger.records import Activation, OperatorAct, TickRecord
from tagsight.promotion import WHO, challenge, promoted
from tagsight.results import Run
from tagsight_connectors.quality import GOOD
from tagsight_models.jobs import train
from tagsight_models.model_store import ModelStore
from tagsight_models.trained import Trained
from tagsight_models.training_data import TrainingData
from tagsight_models.training_settings import TrainingSettings
from tests.models.plants import frame_of, linear_plant

MODEL = "P101/Health"
HOUR = 3600 * SECOND
START = 1_760_000_400 * SECOND // HOUR * HOUR


@dataclass
class Site:
    """A ledger and a store with version 1 approved and version 2 in its shadow."""

    ledger: Ledger
    store: ModelStore

    def scored(self, hours: int, champion: Collection[int] = (), version: int = 2) -> None:
        """Both scored every hour; the champion above the limit at these."""
        runs = [
            Run(MODEL, START + n * HOUR, 1, 1.5 if n in champion else 0.2, GOOD, shadow=(version, 0.2))
            for n in range(hours)
        ]
        self.ledger.record(TickRecord(runs=runs))


@pytest.fixture(scope="module")
def made() -> Trained:
    return train("health", TrainingData(frame_of(linear_plant(900))), TrainingSettings())


@pytest.fixture
def site(tmp_path: Path, made: Trained) -> Iterator[Site]:
    store = ModelStore(tmp_path / "models", tmp_path / "key")
    trained = replace(made, card=replace(made.card, trial=False))
    for _ in range(2):
        store.add(MODEL, trained.model, trained.card)
    store.approve(MODEL, 1, "anna")
    with Ledger.open(tmp_path / "ledger.sqlite", SetClock(START)) as ledger:
        yield Site(ledger, store)


def test_a_challenger_that_holds_takes_over_with_an_entry_in_the_audit_trail(site: Site) -> None:
    site.scored(240)
    found = promoted(site.ledger, site.store, MODEL)
    assert found is not None
    assert site.store.approved(MODEL) == 2
    assert site.store.approvals(MODEL).history[-1].who == WHO
    assert site.ledger.audit_entries()[-1].what == "promoted"
    assert site.store.rollback(MODEL, "anna") == 1


@pytest.mark.parametrize("hours", [0, 100])
def test_nothing_takes_over_before_both_have_scored_long_enough(site: Site, hours: int) -> None:
    site.scored(hours)
    assert promoted(site.ledger, site.store, MODEL) is None
    assert site.store.approved(MODEL) == 1


def test_a_challenger_that_misses_an_alarm_called_true_does_not_take_over(site: Site) -> None:
    alarm = set(range(50, 60))
    site.scored(240, alarm)
    at = START + 51 * HOUR
    site.ledger.record(TickRecord(activations=(Activation(MODEL, at - HOUR, at, at + 9 * HOUR),)))
    site.ledger.act([OperatorAct("1", MODEL, "otto", at + HOUR, feedback=1)])
    found = challenge(site.ledger, site.store, MODEL)
    assert found is not None
    assert (found.contest.true_alarms, found.holds) == (1, False)
    assert promoted(site.ledger, site.store, MODEL) is None


@pytest.mark.parametrize(
    ("changes", "against"),
    [
        ({"trial": True}, "on trial"),
        ({"doubts": ("version 1 calls 30 % of the data abnormal",)}, "abnormal"),
        ({"window_steps": 7}, "another window"),
    ],
)
def test_a_challenger_with_something_against_it_waits_for_an_engineer(
    site: Site, made: Trained, changes: dict[str, object], against: str
) -> None:
    site.store.add(MODEL, made.model, replace(made.card, **{"trial": False, **changes}))  # type: ignore[arg-type]
    site.scored(240, version=3)
    found = challenge(site.ledger, site.store, MODEL)
    assert found is not None
    assert found.contest.holds
    assert against in found.against
    assert promoted(site.ledger, site.store, MODEL) is None


def test_without_a_later_version_there_is_no_challenge(site: Site) -> None:
    site.store.approve(MODEL, 2, "anna")
    assert challenge(site.ledger, site.store, MODEL) is None
