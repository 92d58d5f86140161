"""What the page Connect does: connection, certificate and password of a historian, as the command line does it."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from tagsight.applied import Applied
from tagsight.clocks import SECOND
from tagsight.editing import Path, plain_tree, with_setting, without_setting
from tagsight.examination import Examination
from tagsight.historians import open_plan_historian
from tagsight.plan import HistorianPlan, Plan
from tagsight.probing import Finding, Weight, judge_historian
from tagsight.secrets import Secrets, variable_of
from tagsight.web.saving import change
from tagsight.web.site import Site
from tagsight_connectors.errors import CertificateNotTrusted
from tagsight_connectors.opcua.trust import CertificateFileUnusable, TrustEntry, TrustList

DEFAULT: Final = {"user": "", "security": "sign_and_encrypt"}


@dataclass(frozen=True, slots=True)
class Tried:
    """One attempt to connect.

    Attributes:
        findings: what `tagsight probe` says of the historian.
        certificate: of the server, as the trust list has it; None for files, and where none was shown.
    """

    findings: tuple[Finding, ...]
    certificate: TrustEntry | None

    @property
    def connected(self) -> bool:
        """There was a session."""
        return not any(one.weight is Weight.BLOCKS for one in self.findings)


async def _nothing() -> None:
    """No live values are looked at here."""


async def attempt(site: Site, plan: Plan, name: str) -> Tried:
    """Connect, ask who is there, and close. Raises what keeps it from being tried: a missing password."""
    planned = plan.historians[name]
    opened = open_plan_historian(planned, site.data, Secrets(site.data, os.environ), timezone=plan.timezone.key)
    try:
        facts = await Examination(name, planned.url, opened, site.clock, _nothing, 0).connect()
    finally:
        await opened.close()
    thumbprint = facts.description.certificate if facts.description is not None else ""
    if isinstance(facts.failure, CertificateNotTrusted):
        thumbprint = facts.failure.thumbprint
    return Tried(tuple(judge_historian(facts)), certificate_of(site, thumbprint))


def certificate_of(site: Site, thumbprint: str) -> TrustEntry | None:
    """What the trust list knows of a certificate."""
    if not thumbprint:
        return None
    try:
        return TrustList(site.data.certificates).show(thumbprint)
    except CertificateFileUnusable:
        return None


def trust(site: Site, thumbprint: str, who: str) -> TrustEntry:
    """As `tagsight trust add THUMBPRINT`. Raises CertificateFileUnusable, StorageError."""
    entry = TrustList(site.data.certificates).add(thumbprint)
    site.note(who, "certificate trusted", f"{entry.thumbprint} {entry.subject}")
    return entry


def distrust(site: Site, thumbprint: str, who: str) -> TrustEntry:
    """As `tagsight trust remove THUMBPRINT`. Raises CertificateFileUnusable, StorageError."""
    entry = TrustList(site.data.certificates).remove(thumbprint)
    site.note(who, "certificate removed", f"{entry.thumbprint} {entry.subject}")
    return entry


def certificate_lines(entry: TrustEntry, now_ns: int) -> list[tuple[str, str]]:
    """Name and value, for people; the validity says when it is over."""
    start, end = (datetime.fromtimestamp(ns // SECOND, UTC).strftime("%Y-%m-%d") for ns in
                  (entry.starts_ns, entry.expires_ns))  # fmt: skip
    days = (entry.expires_ns - now_ns) // (86_400 * SECOND)
    left = f"{days} days left" if days >= 0 else f"⚠ expired {-days} days ago"
    begins = "⚠ not valid yet" if entry.starts_ns > now_ns else left
    return [
        ("Subject", entry.subject),
        ("Issued by", "itself" if entry.issuer == entry.subject else entry.issuer),
        ("Thumbprint (SHA-1)", " ".join(entry.thumbprint[at : at + 4] for at in range(0, len(entry.thumbprint), 4))),
        ("Valid", f"{start} to {end}, {begins}"),
        ("Hosts", ", ".join(entry.hosts) or "-"),
        ("Application", entry.application_uri or "-"),
    ]


def store_password(site: Site, name: str, password: str, who: str, *, to_file: bool) -> str:
    """As `tagsight password set NAME`; where it is kept. Raises NotReady, NotAllowed, StorageError."""
    secrets = Secrets(site.data, os.environ)
    if to_file:
        secrets.store_in_file(name, password)
    else:
        secrets.store_in_key_store(name, password)
    site.note(who, "password stored", f"historian {name}")
    return "a private file of the data folder" if to_file else "the key store of this system"


def password_words(site: Site, planned: HistorianPlan) -> str:
    """Whether there is a password; never which. Raises NotReady, NotAllowed, StorageError."""
    if not planned.user and not planned.user_certificate:
        return "none needed"
    if variable_of(planned.name) in os.environ:
        return f"given by the environment variable {variable_of(planned.name)}"
    return "stored" if Secrets(site.data, os.environ).password(planned.name) is not None else "⚠ not stored yet"


def is_opc_ua(url: str) -> bool:
    """It has users, security and certificates."""
    return urlsplit(url).scheme == "opc.tcp"


def shown_settings(planned: HistorianPlan) -> dict[str, str]:
    """What the page lets change, as the plan has it."""
    return {"url": planned.url, "user": planned.user, "security": planned.security.value}


def change_connection(site: Site, planned: HistorianPlan, given: dict[str, str], who: str) -> Applied:
    """New address, user or security of a historian; applied at once, and what stayed as it was is not touched.

    Raises as `apply_text`.
    """

    def edit(text: str) -> str:
        path = _place(plain_tree(text), planned.name)
        for setting, before in shown_settings(planned).items():
            value = given[setting].strip()
            if value == before:
                continue
            if value == DEFAULT.get(setting):
                text = without_setting(text, (*path, setting))
            else:
                text = with_setting(text, (*path, setting), value)
        return text

    return change(site, edit, who)


def _place(tree: dict[str, object], name: str) -> Path:
    return ("historian",) if name == "default" and "historian" in tree else ("historians", name)
