"""Dated copies of configurations, and requests to the service."""

import json
from pathlib import Path

import pytest

from tagsight.applied import Answer, Applied, AppliedFolder
from tagsight.applying import EditedMeanwhile, apply_file, apply_text
from tagsight.errors import ConfigurationError, StorageError

FILE = """# kept as it is written
timezone: UTC
historian: {url: "memory://plant"}
models: [{name: Health, asset: P101, inputs: ["*"]}]
results: {to: server}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "tagsight.yaml"
    made.write_text(FILE, encoding="utf-8")
    return made


def applied(file: Path, folder: AppliedFolder, now_ns: int = 1_760_000_000_123_456_789, who: str = "olga") -> Applied:
    return apply_file(file, folder, who, now_ns)


def test_a_copy_keeps_the_text_with_its_comments_the_author_the_time_and_the_plan(file: Path, tmp_path: Path) -> None:
    folder = AppliedFolder(tmp_path / "applied")
    made = applied(file, folder)
    assert (made.who, made.name, made.file) == ("olga", "2025-10-09T085320.123456Z", str(file))
    assert folder.text(made.name) == FILE
    assert folder.copies() == (made,)
    assert folder.request() == made
    said = json.loads((folder.root / f"{made.name}.json").read_text(encoding="utf-8"))
    assert said["plan"]["models"][0]["asset"] == "P101"


def test_a_file_with_faults_leaves_no_trace(file: Path, tmp_path: Path) -> None:
    folder = AppliedFolder(tmp_path / "applied")
    file.write_text(FILE.replace("asset: P101", "aset: P101"), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="aset"):
        applied(file, folder)
    assert folder.request() is None
    assert not folder.root.exists()


def test_the_newest_of_several_is_the_request_and_all_stay(file: Path, tmp_path: Path) -> None:
    folder = AppliedFolder(tmp_path / "applied")
    made = [applied(file, folder, 1_760_000_000_000_000_000 + number * 10**9) for number in range(3)]
    assert folder.request() == made[-1]
    assert folder.copies() == tuple(reversed(made))


def test_the_oldest_copies_go_when_there_are_too_many(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tagsight.applied.MOST_COPIES", 2)
    folder = AppliedFolder(tmp_path / "applied")
    made = [applied(file, folder, 1_760_000_000_000_000_000 + number * 10**9) for number in range(3)]
    assert folder.copies() == (made[2], made[1])
    with pytest.raises(StorageError, match="no configuration was applied as"):
        folder.text(made[0].name)


def test_a_name_that_is_a_path_is_no_copy(file: Path, tmp_path: Path) -> None:
    folder = AppliedFolder(tmp_path / "applied")
    applied(file, folder)
    with pytest.raises(StorageError):
        folder.text("../tagsight")


def test_an_answer_comes_back_as_given_and_a_damaged_one_is_none(tmp_path: Path) -> None:
    folder = AppliedFolder(tmp_path)
    assert folder.answer() is None
    folder.give(Answer("2025", taken=True, words="1 unchanged"))
    assert folder.answer() == Answer("2025", taken=True, words="1 unchanged")
    (tmp_path / "answer.json").write_text('{"name": 1', encoding="utf-8")
    (tmp_path / "request.json").write_text('["no"]', encoding="utf-8")
    assert folder.answer() is None
    assert folder.request() is None


def test_an_edited_text_is_saved_and_applied(file: Path, tmp_path: Path) -> None:
    folder = AppliedFolder(tmp_path / "applied")
    text = FILE.replace("P101", "P102")
    made = apply_text(text, FILE, file, folder, who="olga", now_ns=1_760_000_000_000_000_000)
    assert file.read_text(encoding="utf-8") == text == folder.text(made.name)
    assert folder.request() == made


def test_of_two_who_save_at_once_the_second_sees_the_difference_and_nothing_is_lost(file: Path, tmp_path: Path) -> None:
    folder = AppliedFolder(tmp_path / "applied")
    apply_text(FILE.replace("P101", "P102"), FILE, file, folder, who="olga", now_ns=1_760_000_000_000_000_000)
    with pytest.raises(EditedMeanwhile, match="somebody else") as told:
        apply_text(FILE.replace("P101", "P103"), FILE, file, folder, who="max", now_ns=1_760_000_001_000_000_000)
    assert "+models: [{name: Health, asset: P102" in told.value.difference
    assert "P102" in file.read_text(encoding="utf-8")
    assert len(folder.copies()) == 1


def test_an_edit_with_a_fault_writes_nothing(file: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        apply_text("nonsense: 1", FILE, file, AppliedFolder(tmp_path / "applied"), who="olga", now_ns=1)
    assert file.read_text(encoding="utf-8") == FILE


def test_an_edit_of_a_file_that_went_away_is_told(file: Path, tmp_path: Path) -> None:
    file.unlink()
    with pytest.raises(StorageError, match="cannot be written"):
        apply_text(FILE, FILE, file, AppliedFolder(tmp_path / "applied"), who="olga", now_ns=1)


def test_a_configuration_that_is_a_link_stays_one(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.yaml"
    try:
        link.symlink_to(file)
    except OSError:
        pytest.skip("this user may not make links here")
    text = FILE.replace("P101", "P102")
    apply_text(text, FILE, link, AppliedFolder(tmp_path / "applied"), who="olga", now_ns=1)
    assert link.is_symlink()
    assert file.read_text(encoding="utf-8") == text
