"""What a configuration may say, but seldom means: warnings that forbid nothing."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from tagsight.document import Node
from tagsight.errors import Fault
from tagsight.plan import HistorianPlan, Plan, ResultsPlan, Security

_LOOPBACK: Final = ("127.", "localhost", "::1")
_ADVISORY: Final = 400


def cautions(plan: Plan, root: Node) -> list[Fault]:
    """All warnings on a plan; `root` gives the lines."""
    used = {model.historian for model in plan.models}
    found: list[Fault] = []
    for name, historian in plan.historians.items():
        path = ("historian",) if root.at(("historian",)) is not root else ("historians", name)
        found += _of_historian(historian, root, path)
        if name not in used:
            found.append(
                _caution(root, path, name, "no model uses this historian", "Remove it, or name it in a model.")
            )
    for result in {plan.results[name].to: plan.results[name] for name in sorted(used)}.values():
        found += _of_results(result, root)
    if plan.web is not None and plan.web.plain_http and not plan.web.certificate:
        path, cause = ("web", "plain_http_readable_by_everyone"), "PASSWORDS ARE READABLE ON THE NETWORK"
        found.append(_caution(root, path, "true", cause, "Add `certificate: own` below `web`, and remove it."))
    for model in plan.models:
        if model.alarm.severity >= _ADVISORY:
            value = f"{model.key}: {model.alarm.severity}"
            found.append(
                _caution(root, ("models",), value, "TagSight's alarms are advisory: below 400", "Remove `severity`.")
            )
    return found


def _of_historian(historian: HistorianPlan, root: Node, path: tuple[str, ...]) -> Iterator[Fault]:
    if urlsplit(historian.url).scheme != "opc.tcp":
        return
    if historian.security is Security.NONE:
        cause = "EVERYTHING IS SENT READABLE, passwords too"
        yield _caution(root, (*path, "security"), "none", cause, "For commissioning only: remove it for operation.")
    if historian.security is Security.SIGN:
        cause = "where the server does not encrypt, everything but passwords is sent readable"
        yield _caution(root, (*path, "security"), "sign", cause, "Switch SignAndEncrypt on in the historian.")
    if historian.anonymous:
        yield _caution(
            root, path, historian.url, "connects anonymously", "Write `user:`, and `tagsight password set NAME`."
        )


def _of_results(result: ResultsPlan, root: Node) -> Iterator[Fault]:
    if result.in_historian:
        cause = "nothing is written until the list of tags is accepted"
        mend = "`tagsight writes show FILE`, then `tagsight writes accept FILE`."
        yield _caution(root, ("results",), result.address, cause, mend)
        return
    if result.listen_security is Security.SIGN:
        cause = "HMIs that do not encrypt are admitted: what they get is readable on the network"
        yield _caution(root, ("results", "listen_security"), "sign", cause, "Remove it where all HMIs encrypt.")
    if result.listen_host.startswith(_LOOPBACK):
        listen = f"{result.listen_host}:{result.listen_port}"
        mend = 'Where one shall: `listen: "0.0.0.0:4841"` below `results`.'
        yield _caution(root, ("results", "listen"), listen, "no HMI on another machine can connect", mend)


def _caution(root: Node, path: tuple[str, ...], value: str, cause: str, mend: str) -> Fault:
    node = root.at(path)
    return Fault(0 if node is root else node.line, ".".join(path), value, cause, mend)
