"""The certificates that we make for ourselves."""

import stat
import sys
from pathlib import Path

import pytest
from cryptography import x509

from tagsight_connectors.opcua.certificates import ensure_certificate, renew_certificate
from tests.connectors.opcua.authority import issued

URI = "urn:tagsight:plant"


def test_a_certificate_is_made_once_and_then_kept(tmp_path: Path) -> None:
    first = ensure_certificate(tmp_path / "own", "client", URI, ["localhost"])
    assert ensure_certificate(tmp_path / "own", "client", URI, ["localhost"]) == first
    assert first.application_uri == URI


@pytest.mark.skipif(sys.platform == "win32", reason="file modes are POSIX")
def test_nobody_else_can_read_the_key(tmp_path: Path) -> None:
    own = ensure_certificate(tmp_path, "client", URI, [])
    assert stat.S_IMODE(own.key.stat().st_mode) == 0o600


def test_it_names_its_hosts_and_lasts_as_long_as_asked(tmp_path: Path) -> None:
    own = ensure_certificate(tmp_path, "client", URI, ["scada01", "10.0.0.5", "scada01"], valid_days=30)
    certificate = x509.load_der_x509_certificate(own.certificate.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["scada01"]
    assert [str(each) for each in names.get_values_for_type(x509.IPAddress)] == ["10.0.0.5"]
    assert (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days == 30


def test_a_renewed_certificate_is_new_for_the_same_application_and_hosts(tmp_path: Path) -> None:
    old = ensure_certificate(tmp_path, "client", URI, ["scada01", "10.0.0.5"], valid_days=3)
    before = old.certificate.read_bytes(), old.key.read_bytes()
    new = renew_certificate(old, valid_days=30)
    certificates = [x509.load_der_x509_certificate(der) for der in (before[0], new.certificate.read_bytes())]
    names = [each.extensions.get_extension_for_class(x509.SubjectAlternativeName).value for each in certificates]
    assert names[0] == names[1]
    assert certificates[0].public_key() != certificates[1].public_key()
    assert new.expires_ns > old.expires_ns
    assert ensure_certificate(tmp_path, "client", URI, []) == new
    kept = [tmp_path / "replaced" / f"client-{old.thumbprint[:8]}{suffix}" for suffix in (".der", ".pem")]
    assert tuple(file.read_bytes() for file in kept) == before
    assert sorted(file.name for file in tmp_path.glob("*.*")) == ["client.der", "client.pem"]


@pytest.mark.skipif(sys.platform == "win32", reason="file modes are POSIX")
def test_nobody_else_can_read_a_renewed_or_a_replaced_key(tmp_path: Path) -> None:
    renew_certificate(ensure_certificate(tmp_path, "client", URI, []))
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.rglob("*.pem")} == {0o600}


def test_what_an_authority_issued_is_not_renewed_behind_its_back(tmp_path: Path) -> None:
    own = ensure_certificate(tmp_path, "client", URI, [])
    own.certificate.write_bytes(issued().der())
    with pytest.raises(ValueError, match="CN=Plant CA"):
        renew_certificate(own)
