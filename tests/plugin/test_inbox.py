"""What operators write is on the disk before they are told so, and has its effect once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tagsight import inbox as module
from tagsight.clocks import SetClock
from tagsight.errors import StorageError
from tagsight.inbox import Inbox, InboxEntry, act_of, fits
from tagsight.ledger.ledger import Ledger
from tagsight_connectors.serving import ClientWrite


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Inbox]:
    with Inbox.open(tmp_path / "inbox.sqlite") as opened:
        yield opened


def off(value: float | str = 1, model: str = "P101/Health") -> ClientWrite:
    return ClientWrite(f"{model}/Off", value, "otto", 100)


def test_another_process_finds_what_was_appended_in_order(inbox: Inbox, tmp_path: Path) -> None:
    ids = [inbox.append(off()), inbox.append(ClientWrite("P101/Health/Feedback", 2, "otto", 200))]
    with Inbox.open(tmp_path / "inbox.sqlite") as service:
        found = service.unread()
        assert [one.id for one in found] == ids
        assert found[0].write == off()
        assert [one.id for one in service.unread(found[0].number)] == ids[1:]


def test_the_service_acts_exactly_once_even_if_it_dies_before_it_tidies_up(inbox: Inbox, tmp_path: Path) -> None:
    inbox.append(ClientWrite("P101/Health/Feedback", 1, "otto", 200))
    with Ledger.open(tmp_path / "ledger.sqlite", SetClock()) as ledger:
        for _ in range(2):
            ledger.act([act for one in inbox.unread() if (act := act_of(one))])
        assert ledger.operator_state("P101/Health").feedback_count == 1
    inbox.remove(inbox.unread()[-1].number)
    assert inbox.unread() == ()


def test_numbers_are_never_used_again(inbox: Inbox) -> None:
    inbox.append(off())
    first = inbox.unread()[0].number
    inbox.remove(first)
    inbox.append(off())
    assert inbox.unread()[0].number > first


def test_a_full_inbox_refuses_and_says_why(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_UNREAD", 1)
    inbox.append(off())
    with pytest.raises(StorageError, match="inbox is full"):
        inbox.append(off())


def test_endless_texts_are_refused(inbox: Inbox) -> None:
    with pytest.raises(StorageError, match="characters"):
        inbox.append(off("x" * 1_001))


@pytest.mark.parametrize(
    ("identifier", "value", "good"),
    [
        ("P101/Health/Feedback", 3, True),
        ("P101/Health/Feedback", 4, False),
        ("P101/Health/Feedback", -1, False),
        ("P101/Health/Feedback", 1.5, False),
        ("P101/Health/Feedback", float("nan"), False),
        ("P101/Health/Off", 1, True),
        ("P101/Health/Off", True, True),
        ("P101/Health/Off", 2, False),
        ("P101/Health/Off", "1", False),
        ("TagSight/Off", 1, True),
        ("TagSight/Feedback", 1, False),
        ("P101/Health/Score", 1, False),
        ("Off", 1, False),
    ],
)
def test_feedback_is_0_to_3_and_off_0_or_1_and_nothing_else_is_written(
    identifier: str,
    value: float | str,
    good: bool,  # noqa: FBT001
) -> None:
    assert fits(identifier, value) is good
    entry = InboxEntry(1, "id", ClientWrite(identifier, value, "otto", 1))
    assert (act_of(entry) is not None) is good


def test_off_of_the_plugin_is_off_of_everything() -> None:
    act = act_of(InboxEntry(1, "id", off(0, "TagSight")))
    assert act is not None
    assert (act.model, act.off) == ("TagSight", False)
