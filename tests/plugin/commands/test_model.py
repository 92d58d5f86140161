from pathlib import Path

import pytest

from tagsight.__main__ import run
from tagsight.clocks import SystemClock
from tagsight.data_folder import DataFolder
from tagsight.drift_outputs import drift_row
from tagsight.drift_task import DriftFound
from tagsight.ledger.ledger import Ledger
from tagsight.ledger.records import TickRecord
from tagsight_models.drift import Drift, RoleDrift
from tagsight_models.jobs import train
from tagsight_models.model_store import ModelStore
from tagsight_models.trained import Trained
from tagsight_models.training_data import TrainingData
from tagsight_models.training_settings import TrainingSettings
from tests.models.plants import frame_of, linear_plant

NAME = "P101/Health"


@pytest.fixture(scope="module")
def trained() -> Trained:
    return train("health", TrainingData(frame_of(linear_plant(900))), TrainingSettings())


@pytest.fixture
def data(tmp_path: Path, trained: Trained) -> Path:
    """Version 1 runs, version 2 waits."""
    folder = DataFolder(tmp_path)
    folder.create()
    store = ModelStore(folder.models, folder.signing_key)
    store.approve(NAME, store.add(NAME, trained.model, trained.card), "trainer")
    store.add(NAME, trained.model, trained.card)
    return tmp_path


def tagsight(*arguments: str, data: Path) -> int:
    return run(["model", *arguments, "--data", str(data)])


def test_the_list_marks_the_version_that_runs(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tagsight("list", data=data) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{NAME}\t1\truns")
    assert second.startswith(f"{NAME}\t2\tstands by")
    assert "limit provisional" in first


def test_an_empty_folder_says_how_to_make_the_first_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tagsight("list", data=tmp_path) == 0
    assert "tagsight train" in capsys.readouterr().out


def test_a_model_is_shown_approved_and_rolled_back(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tagsight("approve", NAME, "2", data=data) == 0
    assert tagsight("show", NAME, data=data) == 0
    assert "version 2, runs" in capsys.readouterr().out
    assert tagsight("rollback", NAME, data=data) == 0
    assert tagsight("show", NAME, "--version", "1", data=data) == 0
    said = capsys.readouterr().out
    assert "version 1, runs" in said
    assert "rolled back to 1" in said
    assert "Cannot see" in said


def test_the_drift_of_the_version_that_runs_is_shown_with_its_card(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Ledger.open(DataFolder(data).ledger, SystemClock()) as ledger:
        drifted = Drift((RoleDrift("role2", 1.25, 0.5, up=True, at_once=False),))
        ledger.record(TickRecord(rows=[drift_row(DriftFound(NAME, 1_760_000_040_000_000_000, drifted))]))
    assert tagsight("show", NAME, data=data) == 0
    words = (
        "drift of inputs 1.25 of 1.00, of relations 0.50 of 1.00: inputs are where the training data were not: role2 ↑"
    )
    assert f"Now            {words}" in capsys.readouterr().out
    assert tagsight("show", NAME, "--version", "2", data=data) == 0
    assert "drift of inputs" not in capsys.readouterr().out


def test_a_damaged_version_is_listed_as_damaged_and_cannot_be_approved(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (DataFolder(data).models / NAME / "2" / "card.json").write_text("{}")
    assert tagsight("list", data=data) == 0
    assert "damaged: its hash differs" in capsys.readouterr().out
    assert tagsight("approve", NAME, "2", data=data) == 8
    assert "not loaded" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [("show", "P9/X"), ("approve", NAME, "7"), ("rollback", NAME)], ids=" ".join)
def test_what_is_not_there_is_an_error_with_its_mend(
    data: Path, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert tagsight(*arguments, data=data) == 8
    assert "tagsight model list" in capsys.readouterr().err
