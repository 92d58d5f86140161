"""What the page Connect does, without the page."""

from pathlib import Path

import pytest

from tagsight.applied import AppliedFolder
from tagsight.clocks import SECOND, SystemClock
from tagsight.configuration import load
from tagsight.errors import ConfigurationError, NotReady
from tagsight.probing import Weight
from tagsight.secrets import Secrets
from tagsight.web import connecting
from tagsight.web.site import Site
from tagsight_connectors.errors import CertificateNotTrusted
from tagsight_connectors.opcua.certificates import ensure_certificate, thumbprint_of
from tagsight_connectors.opcua.trust import TrustList
from tests.connectors.opcua.plant_server import free_port, plant_server
from tests.plugin.web.edited_site import noted, site_with, written

FILE = """\
timezone: UTC
historians:
  export: {url: "file:export.csv"}          # what IT sent
  scada: {url: "opc.tcp://127.0.0.1:4999", user: tagsight}
results: {to: server}
models:
  - {name: Health, asset: P101, historian: export, inputs: ["*"]}
"""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    (tmp_path / "export.csv").write_text("time,Flow\n2026-01-01T00:00:00,1\n2026-01-01T00:01:00,2\n", encoding="utf-8")
    return site_with(tmp_path, FILE)


def rejected(site: Site, folder: Path) -> str:
    own = ensure_certificate(folder, "server", "urn:server", ("scada01",))
    content = own.certificate.read_bytes()
    with pytest.raises(CertificateNotTrusted):
        TrustList(site.data.certificates).check(content, now_ns=own.expires_ns - 400 * 86_400 * SECOND)
    return thumbprint_of(content)


async def test_an_export_that_is_there_connects_and_has_no_certificate(site: Site) -> None:
    found = await connecting.attempt(site, load(site.file or Path()), "export")
    assert found.connected
    assert found.certificate is None


async def test_a_historian_without_a_password_says_which_command_and_one_that_is_down_what_to_look_at(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = load(site.file or Path())
    with pytest.raises(NotReady, match="no password is stored"):
        await connecting.attempt(site, plan, "scada")
    monkeypatch.setenv("TAGSIGHT_PASSWORD_SCADA", "secret")
    found = await connecting.attempt(site, plan, "scada")
    (finding,) = found.findings
    assert (found.connected, finding.weight) == (False, Weight.BLOCKS)
    assert "firewall" in finding.mend


def test_a_certificate_is_shown_trusted_by_a_click_and_noted(site: Site, tmp_path: Path) -> None:
    thumbprint = rejected(site, tmp_path / "elsewhere")
    entry = connecting.certificate_of(site, thumbprint)
    assert entry is not None
    assert entry.place == "rejected"
    lines = dict(connecting.certificate_lines(entry, entry.expires_ns - 86_400 * SECOND))
    assert lines["Thumbprint (SHA-1)"].replace(" ", "") == thumbprint
    assert lines["Valid"].endswith("1 days left")
    assert "expired" in dict(connecting.certificate_lines(entry, entry.expires_ns + SECOND))["Valid"]
    assert connecting.trust(site, thumbprint, "emil").place == "trusted"
    connecting.distrust(site, thumbprint, "emil")
    assert connecting.certificate_of(site, thumbprint) is None
    assert noted(site) == [("emil", "certificate trusted"), ("emil", "certificate removed")]


def test_a_password_is_stored_and_never_told(site: Site) -> None:
    planned = load(site.file or Path()).historians["scada"]
    connecting.store_password(site, "scada", "very secret", "emil", to_file=True)
    assert Secrets(site.data, {}).password("scada") == "very secret"
    assert connecting.password_words(site, planned) == "stored"
    assert noted(site) == [("emil", "password stored")]
    assert b"very secret" not in site.data.inbox.read_bytes()


def test_a_new_address_changes_that_line_alone(site: Site) -> None:
    assert site.file is not None
    planned = load(site.file).historians["scada"]
    given = {**connecting.shown_settings(planned), "url": "opc.tcp://scada02:4840", "security": "sign"}
    applied = connecting.change_connection(site, planned, given, "emil")
    now = load(site.file).historians["scada"]
    assert (now.url, now.security.value, now.user) == ("opc.tcp://scada02:4840", "sign", "tagsight")
    changed = set(written(site).splitlines()) ^ set(FILE.splitlines())
    assert len(changed) == 2
    assert AppliedFolder(site.data.applied).request() == applied


def test_an_address_that_is_none_is_refused_and_nothing_is_written(site: Site) -> None:
    assert site.file is not None
    planned = load(site.file).historians["scada"]
    with pytest.raises(ConfigurationError):
        connecting.change_connection(site, planned, {**connecting.shown_settings(planned), "url": "scada02"}, "emil")
    assert written(site) == FILE


async def test_a_server_is_refused_until_its_certificate_is_trusted_by_a_click(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    site = site_with(tmp_path, FILE.replace("4999", str(port)))
    site.clock = SystemClock()
    plan = load(site.file or Path())
    monkeypatch.setenv("TAGSIGHT_PASSWORD_SCADA", "secret")
    async with plant_server(port, tmp_path, values=10):
        first = await connecting.attempt(site, plan, "scada")
        assert (first.connected, first.certificate is not None and first.certificate.place) == (False, "rejected")
        assert "tagsight trust add" in first.findings[0].mend
        assert first.certificate is not None
        connecting.trust(site, first.certificate.thumbprint, "emil")
        second = await connecting.attempt(site, plan, "scada")
        assert second.connected
        assert second.certificate is not None
        assert second.certificate.place == "trusted"
