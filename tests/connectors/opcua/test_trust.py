"""Which certificates are refused, and why."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from tagsight_connectors.errors import CertificateNotTrusted
from tagsight_connectors.opcua.certificates import ensure_certificate, thumbprint_of
from tagsight_connectors.opcua.trust import CertificateFileUnusable, TrustList
from tests.connectors.opcua.authority import (
    AUTHORITY,
    NOW_NS,
    OTHER_AUTHORITY,
    URI,
    Wanted,
    issued,
    key,
    revocations,
)

PAST, FUTURE = dt.datetime(2026, 5, 1, tzinfo=dt.UTC), dt.datetime(2026, 7, 1, tzinfo=dt.UTC)


@pytest.fixture
def trust(tmp_path: Path) -> TrustList:
    """Trusts the plant's authority, whose revocation list names serial 66."""
    trust = TrustList(tmp_path / "certificates")
    add(trust, AUTHORITY)
    file = tmp_path / "plant.crl"
    file.write_bytes(revocations("Plant CA", key(1), 66))
    trust.add_revocations(file)
    return trust


def add(trust: TrustList, wanted: Wanted, **options: bool) -> str:
    file = trust.folder.parent / "wanted.der"
    file.write_bytes(wanted.der())
    return trust.add(file, **options).thumbprint


def check(trust: TrustList, wanted: Wanted | bytes) -> None:
    der = wanted if isinstance(wanted, bytes) else wanted.der()
    trust.check(der, host="scada01", application_uri=URI, now_ns=NOW_NS)


def test_what_the_trusted_authority_issued_is_accepted(trust: TrustList) -> None:
    check(trust, issued())


def test_a_listed_certificate_is_accepted_without_an_authority(trust: TrustList) -> None:
    add(trust, Wanted())
    check(trust, Wanted())


@pytest.mark.parametrize(
    ("wanted", "cause"),
    [
        pytest.param(Wanted(), "not trusted", id="self-signed"),
        pytest.param(
            Wanted(issuer="Office CA", signer=key(2)), "its issuer 'CN=Office CA' is not known", id="wrong-authority"
        ),
        pytest.param(Wanted(issuer="Plant CA", signer=key(2)), "not known either", id="forged-issuer"),
        pytest.param(issued(end=PAST), "expired on 2026-05-01", id="expired"),
        pytest.param(issued(start=FUTURE), "not valid before 2026-07-01", id="not-yet-valid"),
        pytest.param(issued(serial=66), "revoked by its issuer", id="revoked"),
        pytest.param(issued(uri="urn:plant:other"), "the peer says it is 'urn:plant:scada01'", id="wrong-uri"),
        pytest.param(issued(uri=""), "names no application URI", id="no-uri"),
        pytest.param(issued(hosts=("scada02",)), "it is for scada02, not for 'scada01'", id="wrong-host"),
        pytest.param(issued(usable=False), "does not allow to sign and encrypt", id="wrong-usage"),
        pytest.param(issued(key=key(3, 1024)), "1024 bits, at least 2048", id="short-key"),
    ],
)
def test_a_certificate_is_refused_when_it_is(trust: TrustList, wanted: Wanted, cause: str) -> None:
    with pytest.raises(CertificateNotTrusted) as refusal:
        check(trust, wanted)
    assert cause in refusal.value.cause
    assert refusal.value.thumbprint == thumbprint_of(wanted.der())


def test_the_serial_number_of_another_authoritys_list_revokes_nothing(trust: TrustList, tmp_path: Path) -> None:
    file = tmp_path / "office.crl"
    file.write_bytes(revocations("Office CA", key(2), 7))
    trust.add_revocations(file)
    check(trust, issued(serial=7))


def test_another_serial_number_of_the_same_authority_is_refused_where_only_one_is_listed(tmp_path: Path) -> None:
    trust = TrustList(tmp_path / "certificates")
    add(trust, issued(serial=7))
    check(trust, issued(serial=7))
    with pytest.raises(CertificateNotTrusted, match="not trusted"):
        check(trust, issued(serial=8))


def test_an_authority_without_a_revocation_list_vouches_for_nobody(trust: TrustList) -> None:
    add(trust, OTHER_AUTHORITY)
    with pytest.raises(CertificateNotTrusted, match="no revocation list of its issuer 'CN=Office CA'"):
        check(trust, Wanted(issuer="Office CA", signer=key(2)))


def test_a_revocation_list_that_the_authority_did_not_sign_does_not_count(trust: TrustList, tmp_path: Path) -> None:
    add(trust, OTHER_AUTHORITY)
    file = tmp_path / "forged.crl"
    file.write_bytes(revocations("Office CA", key(1)))
    trust.add_revocations(file)
    with pytest.raises(CertificateNotTrusted, match="no revocation list"):
        check(trust, Wanted(issuer="Office CA", signer=key(2)))


def test_an_unreadable_revocation_list_refuses_everybody(trust: TrustList) -> None:
    (trust.folder / "revoked" / "broken.crl").write_bytes(b"nonsense")
    with pytest.raises(CertificateNotTrusted, match="cannot be read"):
        check(trust, issued())


def test_a_chain_that_runs_in_a_circle_is_refused(trust: TrustList) -> None:
    one = Wanted(subject="One", issuer="Two", authority=True, key=key(4), signer=key(5))
    two = Wanted(subject="Two", issuer="One", authority=True, key=key(5), signer=key(4))
    add(trust, one, issuer=True)
    add(trust, two, issuer=True)
    with pytest.raises(CertificateNotTrusted, match="chain of issuers does not end"):
        check(trust, Wanted(issuer="One", signer=key(4)))


def test_an_authority_among_the_issuers_completes_a_chain_but_vouches_for_nothing(tmp_path: Path) -> None:
    trust = TrustList(tmp_path / "certificates")
    add(trust, AUTHORITY, issuer=True)
    with pytest.raises(CertificateNotTrusted, match="not trusted"):
        check(trust, issued())


def test_every_reason_is_told_at_once(trust: TrustList) -> None:
    with pytest.raises(CertificateNotTrusted) as refusal:
        check(trust, Wanted(end=PAST, hosts=("other",)))
    assert refusal.value.cause.count(";") == 2


def test_a_refused_certificate_is_kept_and_can_be_trusted_by_its_thumbprint(trust: TrustList) -> None:
    with pytest.raises(CertificateNotTrusted) as refusal:
        check(trust, Wanted())
    assert trust.show(refusal.value.thumbprint[:8]).place == "rejected"
    trust.add(refusal.value.thumbprint)
    assert trust.show(refusal.value.thumbprint).place == "trusted"
    check(trust, Wanted())


def test_a_removed_certificate_is_refused_again(trust: TrustList) -> None:
    thumbprint = add(trust, Wanted())
    trust.remove(thumbprint)
    with pytest.raises(CertificateNotTrusted):
        check(trust, Wanted())


def test_only_so_many_rejected_certificates_are_kept_the_newest(tmp_path: Path) -> None:
    trust = TrustList(tmp_path / "certificates", kept_rejected=2)
    for serial in (1, 2, 3):
        with pytest.raises(CertificateNotTrusted):
            check(trust, Wanted(serial=serial))
    assert len([entry for entry in trust.list() if entry.place == "rejected"]) == 2
    assert trust.show(thumbprint_of(Wanted(serial=3).der())[:12])


@pytest.mark.parametrize("content", [b"", b"nonsense", b"0" * 100_000], ids=["empty", "nonsense", "huge"])
def test_bytes_that_are_no_certificate_are_refused(trust: TrustList, content: bytes) -> None:
    with pytest.raises(CertificateNotTrusted):
        check(trust, content)


def test_what_is_not_in_the_folder_cannot_be_shown(trust: TrustList) -> None:
    with pytest.raises(CertificateFileUnusable, match="no certificate in 0000"):
        trust.show("0000")


@pytest.mark.parametrize("host", ["SCADA01", "scada01.", "10.0.0.5"], ids=["case", "root-dot", "address"])
def test_a_host_is_compared_as_a_name_and_not_as_text(trust: TrustList, host: str) -> None:
    trust.check(issued().der(), host=host, application_uri=URI, now_ns=NOW_NS)


def test_our_own_certificate_passes_the_check_of_a_peer_that_trusts_it(tmp_path: Path) -> None:
    own = ensure_certificate(tmp_path / "own", "client", "urn:tagsight:here", ["localhost", "127.0.0.1"])
    trust = TrustList(tmp_path)
    trust.add(own.certificate)
    now_ns = own.expires_ns - 10**15
    trust.check(own.certificate.read_bytes(), host="127.0.0.1", application_uri="urn:tagsight:here", now_ns=now_ns)


def test_a_key_longer_than_the_policies_allow_is_refused(trust: TrustList) -> None:
    with pytest.raises(CertificateNotTrusted, match="4104 bits, at most 4096"):
        check(trust, issued(key=key(9, 4104)))


def test_an_authority_that_may_have_none_below_it_vouches_for_none_below_another(tmp_path: Path) -> None:
    trust = TrustList(tmp_path / "certificates")
    add(trust, replace(AUTHORITY, path_length=0))
    add(trust, Wanted(subject="Line CA", issuer="Plant CA", authority=True, key=key(4), signer=key(1)), issuer=True)
    with pytest.raises(CertificateNotTrusted, match="1 authorities stand below it, it allows 0"):
        check(trust, Wanted(issuer="Line CA", signer=key(4)))
