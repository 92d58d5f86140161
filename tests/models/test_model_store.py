import json
import pickle
import shutil
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tagsight_models.card import ModelCard
from tagsight_models.errors import ModelFileDamaged, NoSuchModel
from tagsight_models.model_store import ModelStore
from tagsight_models.trained import Trained
from tests.models.plants import linear_plant, windows_of

NAME = "P101/Health"
FILES = ("weights.safetensors", "model.json", "card.json", "manifest.json", "manifest.signature")
WINDOWS = windows_of(linear_plant(100, seed=3))


@pytest.fixture
def store(tmp_path: Path, linear: Trained) -> ModelStore:
    """Version 1 approved, then 2 approved."""
    made = ModelStore(tmp_path / "models", tmp_path / "keys" / "models.key")
    for who in ("first", "second"):
        made.approve(NAME, made.add(NAME, linear.model, linear.card), who)
    return made


def version_folder(store: ModelStore, version: int) -> Path:
    return store.folder(NAME) / str(version)


def test_a_model_comes_back_as_it_was(store: ModelStore, linear: Trained) -> None:
    loaded = store.load_approved(NAME)
    assert (loaded.version, loaded.refused) == (2, ())
    np.testing.assert_array_equal(loaded.model.score(WINDOWS), linear.model.score(WINDOWS))
    assert loaded.card == linear.card
    assert loaded.model.roles == linear.model.roles


def test_a_nonlinear_model_comes_back_as_it_was(store: ModelStore, nonlinear: Trained) -> None:
    version = store.add("P102/Health", nonlinear.model, nonlinear.card)
    loaded = store.load("P102/Health", version).model
    np.testing.assert_array_equal(loaded.score(WINDOWS), nonlinear.model.score(WINDOWS))


def test_the_key_is_made_once_and_is_private(store: ModelStore, tmp_path: Path) -> None:
    key = tmp_path / "keys" / "models.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = key.read_bytes()
    assert ModelStore(tmp_path / "models", key).load_approved(NAME).version == 2
    assert key.read_bytes() == before


@pytest.mark.parametrize("file", FILES)
def test_a_flipped_bit_in_any_file_is_refused_and_the_previous_version_runs(store: ModelStore, file: str) -> None:
    path = version_folder(store, 2) / file
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(ModelFileDamaged):
        store.load(NAME, 2)
    loaded = store.load_approved(NAME)
    assert loaded.version == 1
    assert len(loaded.refused) == 1
    assert "not loaded" in loaded.refused[0]


@pytest.mark.parametrize("file", FILES)
def test_a_missing_or_truncated_file_is_refused(store: ModelStore, file: str) -> None:
    path = version_folder(store, 2) / file
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ModelFileDamaged):
        store.load(NAME, 2)
    path.unlink()
    with pytest.raises(ModelFileDamaged, match=file):
        store.load(NAME, 2)


def test_files_signed_by_another_installation_are_refused(store: ModelStore, linear: Trained, tmp_path: Path) -> None:
    other = ModelStore(tmp_path / "other", tmp_path / "other.key")
    other.add(NAME, linear.model, linear.card)
    other.add(NAME, linear.model, linear.card)
    shutil.rmtree(version_folder(store, 2))
    shutil.copytree(other.folder(NAME) / "2", version_folder(store, 2))
    with pytest.raises(ModelFileDamaged, match="signature"):
        store.load(NAME, 2)


class Exploit:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (eval, ("open('exploited', 'w')",))


@pytest.mark.parametrize("file", ["weights.safetensors", "model.json", "extra.pkl", "last.ckpt"])
def test_a_pickle_is_refused_and_not_run(store: ModelStore, file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(store.root)
    (version_folder(store, 2) / file).write_bytes(pickle.dumps(Exploit()))
    with pytest.raises(ModelFileDamaged):
        store.load(NAME, 2)
    assert not (store.root / "exploited").exists()


def test_an_old_version_in_the_place_of_a_newer_one_is_refused(store: ModelStore) -> None:
    shutil.rmtree(version_folder(store, 2))
    shutil.copytree(version_folder(store, 1), version_folder(store, 2))
    with pytest.raises(ModelFileDamaged, match="version 1: a copy or a replay"):
        store.load(NAME, 2)


def test_the_files_of_another_machine_are_refused(store: ModelStore, linear: Trained) -> None:
    store.add("P102/Health", linear.model, linear.card)
    shutil.rmtree(version_folder(store, 1))
    shutil.copytree(store.folder("P102/Health") / "1", version_folder(store, 1))
    with pytest.raises(ModelFileDamaged, match="P102/Health"):
        store.load(NAME, 1)


def test_a_symbolic_link_is_not_followed(store: ModelStore, tmp_path: Path) -> None:
    path = version_folder(store, 2) / "card.json"
    path.rename(tmp_path / "card.json")
    path.symlink_to(tmp_path / "card.json")
    with pytest.raises(ModelFileDamaged, match="not a regular file"):
        store.load(NAME, 2)


def test_a_file_that_is_too_large_is_refused_before_it_is_read_whole(store: ModelStore) -> None:
    with (version_folder(store, 2) / "card.json").open("r+b") as file:
        file.truncate(5_000_001)
    with pytest.raises(ModelFileDamaged, match="larger than"):
        store.load(NAME, 2)


@pytest.mark.parametrize("name", ["../P101", "P101", "P101/../x", "/etc/x", "a/b/c", "..\\x/y", "P101/", "a /b", "."])
def test_a_name_that_is_no_two_plain_levels_does_not_exist(store: ModelStore, name: str, linear: Trained) -> None:
    with pytest.raises(NoSuchModel):
        store.load(name, 1)
    with pytest.raises(NoSuchModel):
        store.add(name, linear.model, linear.card)


def test_an_approval_that_was_edited_or_copied_is_refused(store: ModelStore, linear: Trained) -> None:
    path = store.folder(NAME) / "approved.json"
    said = json.loads(path.read_text())
    said["approvals"]["history"].append({"version": 1, "who": "mallory", "rollback": False})
    path.write_text(json.dumps(said))
    with pytest.raises(ModelFileDamaged, match="signature"):
        store.load_approved(NAME)
    store.approve("P102/Health", store.add("P102/Health", linear.model, linear.card), "me")
    shutil.copy(store.folder("P102/Health") / "approved.json", path)
    with pytest.raises(ModelFileDamaged):
        store.approved(NAME)


def test_a_retrained_model_waits_for_approval(store: ModelStore, linear: Trained) -> None:
    assert store.add(NAME, linear.model, linear.card) == 3
    assert store.approved(NAME) == 2
    assert store.load_approved(NAME).version == 2


def test_a_rollback_goes_back_step_by_step(store: ModelStore, linear: Trained) -> None:
    store.approve(NAME, store.add(NAME, linear.model, linear.card), "third")
    assert store.rollback(NAME, "me") == 2
    assert store.rollback(NAME, "me") == 1
    assert store.approved(NAME) == 1
    with pytest.raises(NoSuchModel, match="no version was approved before 1"):
        store.rollback(NAME, "me")


def test_a_damaged_version_after_a_rollback_does_not_bring_back_what_was_rolled_back(
    store: ModelStore, linear: Trained
) -> None:
    store.approve(NAME, store.add(NAME, linear.model, linear.card), "third")
    store.rollback(NAME, "me")
    (version_folder(store, 2) / "card.json").write_text("{}")
    assert store.load_approved(NAME).version == 1


def test_a_damaged_version_cannot_be_approved(store: ModelStore) -> None:
    (version_folder(store, 1) / "card.json").write_text("{}")
    with pytest.raises(ModelFileDamaged):
        store.approve(NAME, 1, "me")
    with pytest.raises(ModelFileDamaged):
        store.rollback(NAME, "me")
    assert store.approved(NAME) == 2


def test_a_version_number_never_comes_back(store: ModelStore, linear: Trained) -> None:
    shutil.rmtree(version_folder(store, 2))
    assert store.add(NAME, linear.model, linear.card) == 3
    assert store.names() == [NAME]
    assert store.versions(NAME) == [1, 3]


def test_all_versions_damaged_is_an_error_that_names_them(store: ModelStore) -> None:
    for version in (1, 2):
        shutil.rmtree(version_folder(store, version))
    with pytest.raises(ModelFileDamaged, match="version 2"):
        store.load_approved(NAME)


def test_a_model_that_nobody_approved_is_not_there(store: ModelStore) -> None:
    with pytest.raises(NoSuchModel, match="P999/Health"):
        store.load_approved("P999/Health")


def test_a_crash_while_storing_leaves_no_version(
    store: ModelStore, linear: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_arguments: object, **_options: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("tagsight_models.model_file.write_signed", fails)
        with pytest.raises(OSError, match="No space"):
            store.add(NAME, linear.model, linear.card)
    assert store.versions(NAME) == [1, 2]
    assert sorted(entry.name for entry in store.folder(NAME).iterdir()) == ["1", "2", "approved.json"]


def test_a_card_survives_json_and_reads_as_a_page(linear: Trained) -> None:
    assert ModelCard.from_json(linear.card.to_json()) == linear.card
    page = replace(linear.card, dropped={"x": "constant (1)"}, trial=True).words()
    for said in (
        "limit provisional",
        "Left out       x: constant (1)",
        "trial: it does not alarm",
        "Cannot see",
        "CVA",
    ):
        assert said in page


def test_a_card_in_short_says_what_it_is_worth_and_leaves_the_hashes_out(linear: Trained) -> None:
    short = replace(linear.card, dropped={"x": "constant (1)"}).in_short()
    assert all(said in short for said in ("x: constant (1)", "limit provisional", linear.card.comparison["verdict"]))
    assert linear.card.data_hash not in short
    assert len(short.splitlines()) <= 7


@pytest.mark.parametrize(
    "text",
    ["[]", "{}", '{"format": 2}', '{"format": 1, "job": "health"}'],
    ids=["list", "empty", "other-format", "keys-missing"],
)
def test_what_is_not_a_card_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="card"):
        ModelCard.from_json(text)


def test_cards_and_approvals_are_read_without_torch() -> None:
    code = "import sys, tagsight_models.model_register; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
