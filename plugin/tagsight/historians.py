"""From the plan of a historian to the historian: its password and certificates added, not yet connected."""

from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from tagsight.data_folder import DataFolder
from tagsight.errors import NotAllowed, NotReady
from tagsight.plan import Destination, HistorianPlan, LiveMode, ResultsPlan
from tagsight.platform import is_private
from tagsight.secrets import Secrets, variable_of
from tagsight_connectors.connection import Connection, MessageSecurity, WriteService
from tagsight_connectors.historian import Historian
from tagsight_connectors.live_values import Live, LiveValues, as_source
from tagsight_connectors.redundant import RedundantHistorian
from tagsight_connectors.registry import open_historian


def open_plan_historian(  # noqa: PLR0917 - what a connection is made of
    plan: HistorianPlan,
    data_folder: DataFolder,
    secrets: Secrets,
    accepted: frozenset[str] = frozenset(),
    timezone: str = "UTC",
    results: ResultsPlan | None = None,
) -> Historian:
    """The historian of a plan; `connect` comes next. `accepted`: the addresses it may write to, as `results` says.

    Raises:
        NotReady: a user is configured and no password is stored, or a user certificate without its key.
        NotAllowed: others can read that key, or the file of passwords.
        Unsupported: no connector for the URL.
    """
    connection = connection_of(plan, data_folder, secrets, accepted, timezone, results)
    if not plan.redundant:
        return open_historian(connection)
    return RedundantHistorian([open_historian(replace(connection, url=url)) for url in (plan.url, *plan.redundant)])


def live_of(plan: HistorianPlan, historian: Historian) -> Historian:
    """The historian as live scoring reads it: with a subscription where the plan and the kind of historian have one."""
    if plan.live is LiveMode.HISTORY or urlsplit(plan.url).scheme != "opc.tcp":
        return historian
    mode = Live.SUBSCRIPTION if plan.live is LiveMode.SUBSCRIPTION else Live.AUTO
    return LiveValues(as_source(historian), mode)


def connection_of(  # noqa: PLR0917 - what a connection is made of
    plan: HistorianPlan,
    data_folder: DataFolder,
    secrets: Secrets,
    accepted: frozenset[str] = frozenset(),
    timezone: str = "UTC",
    results: ResultsPlan | None = None,
) -> Connection:
    """What `open_plan_historian` opens; `timezone` is for files whose times have no offset."""
    is_opc_ua = urlsplit(plan.url).scheme == "opc.tcp"
    by_history = results is not None and results.to is Destination.HISTORY
    password = secrets.password(plan.name) if plan.user or plan.user_certificate else ""
    if password is None and plan.user:
        raise NotReady(
            what=f"no password is stored for user {plan.user!r} of historian {plan.name!r}",
            mend=f"`tagsight password set {plan.name}`, or the environment variable {variable_of(plan.name)}.",
        )
    if is_opc_ua:
        _check_own_keys(data_folder.certificates)
    return Connection(
        url=plan.url,
        user=plan.user,
        password=password or "",
        security=MessageSecurity(plan.security.value),
        certificates=data_folder.certificates if is_opc_ua else None,
        timeout_s=plan.timeout_s,
        accepted=accepted,
        writes_by=WriteService.HISTORY_UPDATE if by_history else WriteService.WRITE,
        timezone=timezone,
        anonymous=plan.anonymous,
        user_certificate=Path(plan.user_certificate) if plan.user_certificate else None,
        user_key=_user_key(plan, data_folder) if plan.user_certificate else None,
    )


def _check_own_keys(folder: Path) -> None:
    for key in sorted((folder / "own").glob("*.pem")):
        _check_private(key)


def _user_key(plan: HistorianPlan, data_folder: DataFolder) -> Path:
    key = Path(plan.user_key) if plan.user_key else data_folder.certificates / "users" / f"{plan.name}.pem"
    if not key.is_file():
        raise NotReady(
            what=f"the key of the user certificate of historian {plan.name!r} is not there: {key}",
            mend="Put it there (DER or PEM), or name its file: `user_key:`.",
        )
    _check_private(key)
    return key


def _check_private(key: Path) -> None:
    if not is_private(key):
        raise NotAllowed(what=f"the key {key} can be read by other users", mend=f"`chmod 600 {key}`")
