from pathlib import Path

import pytest

from tagsight.certificate_watch import DAY_NS, CertificateWatch
from tagsight.clocks import SetClock
from tagsight.connections import Link
from tagsight_connectors.historian import Description
from tagsight_connectors.memory.historian import MemoryHistorian
from tagsight_connectors.memory.store import MemoryStore
from tagsight_connectors.opcua.certificates import ensure_certificate

NOW = 1_800_000_000_000_000_000


def link(name: str, days: int | None) -> Link:
    made = Link(name, MemoryHistorian(MemoryStore(name)), SetClock(NOW))
    made.description = Description("memory://x", certificate_expires_ns=None if days is None else NOW + days * DAY_NS)
    return made


def test_without_any_certificate_there_are_no_days(tmp_path: Path) -> None:
    assert CertificateWatch(tmp_path / "own", {"a": link("a", None)}).days(NOW) is None


def test_the_first_to_expire_counts_be_it_ours_or_a_historians(tmp_path: Path) -> None:
    own = ensure_certificate(tmp_path, "client", "urn:one", ["localhost"], valid_days=90)
    expires = own.expires_ns
    assert CertificateWatch(tmp_path, {}).days(expires - 12 * DAY_NS) == 12
    assert CertificateWatch(tmp_path, {"a": link("a", 5)}).days(NOW) == 5
    assert CertificateWatch(tmp_path, {}).days(expires + DAY_NS) == -1


def test_the_certificate_of_a_user_of_ours_counts_too(tmp_path: Path) -> None:
    user = ensure_certificate(tmp_path, "tagsight-user", "urn:user", [], valid_days=20)
    watch = CertificateWatch(tmp_path / "own", {}, {"north": user.certificate, "south": tmp_path / "missing.der"})
    assert watch.days(user.expires_ns - 12 * DAY_NS) == 12
    assert [which for which, _ in watch.warnings(user.expires_ns - 6 * DAY_NS)] == [
        "user certificate of historian north"
    ]


@pytest.mark.parametrize(("days", "heard"), [(40, 0), (31, 0), (29, 1), (6, 1), (-1, 1)])
def test_a_certificate_that_expires_soon_is_told_once(tmp_path: Path, days: int, heard: int) -> None:
    watch = CertificateWatch(tmp_path, {"a": link("a", days)})
    assert len([*watch.warnings(NOW), *watch.warnings(NOW + DAY_NS // 100)]) == heard


def test_it_is_told_again_when_it_becomes_urgent_and_when_it_is_over(tmp_path: Path) -> None:
    watch = CertificateWatch(tmp_path, {"a": link("a", 31)})
    told = [(day, what) for day in range(40) for _which, what in watch.warnings(NOW + day * DAY_NS)]
    assert [day for day, _ in told] == [2, 25, 32]
    assert "expires in 29 days" in told[0][1]
    assert "expired 1 days ago" in told[2][1]


def test_a_renewed_certificate_is_told_of_anew(tmp_path: Path) -> None:
    soon = link("a", 3)
    watch = CertificateWatch(tmp_path, {"a": soon})
    assert len(list(watch.warnings(NOW))) == 1
    soon.description = Description("memory://x", certificate_expires_ns=NOW + 400 * DAY_NS)
    assert list(watch.warnings(NOW)) == []
    assert len(list(watch.warnings(NOW + 398 * DAY_NS))) == 1
