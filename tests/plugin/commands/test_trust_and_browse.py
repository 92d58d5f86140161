from pathlib import Path

import pytest

from tagsight.__main__ import run
from tagsight_connectors.errors import CertificateNotTrusted
from tagsight_connectors.memory.store import MemoryStore
from tagsight_connectors.opcua.certificates import OwnCertificate, ensure_certificate
from tagsight_connectors.opcua.trust import TrustList
from tagsight_connectors.tag import Range, Tag
from tests.connectors.opcua.authority import issued


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


def test_own_certificates_are_shown_and_renewed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, folder = ["--data", str(tmp_path)], tmp_path / "certificates" / "own"
    assert run(["trust", "own", *data]) == 4
    assert "no certificate of its own yet" in capsys.readouterr().err
    old = [ensure_certificate(folder, name, f"urn:{name}", ["scada01"]) for name in ("server", "tagsight-client")]
    assert run(["trust", "own", *data]) == 0
    shown = capsys.readouterr().out
    assert all(one.thumbprint in shown for one in old)
    assert run(["trust", "renew", "server", "--days", "90", *data]) == 0
    new = ensure_certificate(folder, "server", "", [])
    assert new.thumbprint != old[0].thumbprint
    assert new.thumbprint in capsys.readouterr().out
    assert ensure_certificate(folder, "tagsight-client", "", []) == old[1]
    assert run(["trust", "renew", *data]) == 0
    assert ensure_certificate(folder, "tagsight-client", "", []) != old[1]
    assert run(["trust", "renew", "client", *data]) == 4
    assert "Choose of: server, tagsight-client" in capsys.readouterr().err


def test_what_an_authority_issued_is_not_renewed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = ensure_certificate(tmp_path / "certificates" / "own", "server", "urn:server", [])
    own.certificate.write_bytes(issued().der())
    assert run(["trust", "renew", "--data", str(tmp_path)]) == 3
    assert "issued by the authority CN=Plant CA" in capsys.readouterr().err
