"""The certificates that we make for ourselves."""

import stat
import sys
from pathlib import Path

import pytest
from cryptography import x509

from tagsight_connectors.opcua.certificates import ensure_certificate

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
