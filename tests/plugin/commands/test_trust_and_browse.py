from pathlib import Path

import pytest

from tagsight.__main__ import run
from tagsight_connectors.errors import CertificateNotTrusted
from tagsight_connectors.memory.store import MemoryStore
from tagsight_connectors.opcua.certificates import OwnCertificate, ensure_certificate
from tagsight_connectors.opcua.trust import TrustList
from tagsight_connectors.tag import Range, Tag


@pytest.fixture
def rejected(tmp_path: Path) -> OwnCertificate:
    """A server's certificate that was refused at the first attempt to connect."""
    own = ensure_certificate(tmp_path / "server", "scada01", "urn:plant:scada01", ["scada01"])
    with pytest.raises(CertificateNotTrusted):
        TrustList(tmp_path / "data" / "certificates").check(own.certificate.read_bytes(), now_ns=own.expires_ns - 1)
    return own


def test_a_refused_certificate_is_listed_trusted_and_removed_by_its_thumbprint(
    tmp_path: Path, rejected: OwnCertificate, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ["--data", str(tmp_path / "data")]
    assert run(["trust", "list", *data]) == 0
    assert "rejected" in capsys.readouterr().out
    assert run(["trust", "add", rejected.thumbprint, *data]) == 0
    assert rejected.thumbprint in capsys.readouterr().out
    assert run(["trust", "show", rejected.thumbprint[:6], *data]) == 0
    shown = capsys.readouterr().out
    assert "trusted" in shown
    assert "urn:plant:scada01" in shown
    assert run(["trust", "remove", rejected.thumbprint, *data]) == 0
    assert TrustList(tmp_path / "data" / "certificates").list() == ()


def test_a_certificate_is_trusted_from_its_file(tmp_path: Path, rejected: OwnCertificate) -> None:
    data = ["--data", str(tmp_path / "data")]
    assert run(["trust", "add", str(rejected.certificate), *data]) == 0
    assert [entry.place for entry in TrustList(tmp_path / "data" / "certificates").list()] == ["trusted"]


def test_a_thumbprint_that_nobody_has_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["trust", "show", "abcdef", "--data", str(tmp_path)]) == 7
    assert "no certificate in abcdef" in capsys.readouterr().err


def test_without_certificates_the_list_says_where_they_come_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["trust", "list", "--data", str(tmp_path)]) == 0
    assert "after the first attempt" in capsys.readouterr().out


def test_tags_are_listed_with_unit_and_range(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = MemoryStore.named("browse-command")
    store.add(Tag("speed", "Plant/P101/Speed", unit="1/min", eu_range=Range(0, 3000), description="[red] pump"))
    store.add(Tag("level", "Plant/T1/Level"))
    data = ["--data", str(tmp_path)]
    assert run(["browse", "memory://browse-command", "Plant/P101/*", *data]) == 0
    shown = capsys.readouterr().out
    assert "1 tag" in shown
    assert "Plant/T1/Level" not in shown
    assert run(["browse", "memory://browse-command", "--addresses", *data]) == 0
    assert capsys.readouterr().out == "speed\nlevel\n"


def test_nothing_found_ends_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["browse", "memory://browse-nothing", "--data", str(tmp_path)]) == 0
    assert "0 tags" in capsys.readouterr().out


@pytest.mark.parametrize("columns", ["80", "300"])
def test_paths_and_addresses_are_whole_however_wide_the_terminal_is(
    columns: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    path = "Plant/" + "/".join(f"Area{number}" for number in range(12)) + "/Discharge pressure"
    address = f"nsu=urn:plant:historian;s={path.replace('/', '.')}"
    store = MemoryStore.named("browse-narrow")
    store.add(Tag(address, path, unit="bar", description="red\x1b[31m"))
    assert run(["browse", "memory://browse-narrow", "**", "--data", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert path in shown
    assert address in shown
    assert "\x1b" not in shown
