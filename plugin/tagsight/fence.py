"""The write fence (design law 3): which tags of a historian TagSight may write to. Pure.

A target is allowed only if it lies below the historian's `results.root`, is nothing that a model reads, and stands in
the list that an engineer accepted; the list as a whole, by its digest: a changed list is not written until accepted.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from types import MappingProxyType
from typing import Final

from tagsight.errors import NotAllowed, NotReady
from tagsight.ledger.records import AcceptedTargets
from tagsight.output_tags import PLUGIN, PLUGIN_MODEL, OutputTag, RoleLike, output_tags, plugin_tags
from tagsight.plan import Detail, Job, Plan, ResultsPlan
from tagsight_connectors.opcua.selection import selection_of
from tagsight_connectors.patterns import matches
from tagsight_connectors.tag import Tag
from tagsight_models.job_output import JobOutput

NOTHING: Final[Mapping[str, Sequence[JobOutput]]] = MappingProxyType({})

LONGEST_ADDRESS: Final = 512
_NAMESPACE: Final = re.compile(r"(?:ns=(?P<index>\d+)|nsu=(?P<uri>[^;]*));", re.ASCII)
_IDENTIFIER: Final = re.compile(r"(?P<kind>[sigb])=", re.ASCII)
_OPC_FOUNDATION: Final = "opcfoundation.org/ua"
_SERVER_NAMES: Final = frozenset({"root", "objects", "types", "views", "server"})


@dataclass(frozen=True, slots=True)
class Target:
    """One tag of a historian that TagSight writes to. `model` is its key; the plugin's own: `TagSight`."""

    address: str
    model: str
    tag: OutputTag


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a target is refused."""

    address: str
    cause: str

    def __str__(self) -> str:
        return f"{self.address}: {self.cause}"


@dataclass
class FenceError(NotAllowed):
    """Targets that must not be written to; all of them at once."""

    what: str = "TagSight must not write there"
    mend: str = "Correct `results: address` and `root`, so that results have a place of their own."
    refusals: Sequence[Refusal] = ()

    def __str__(self) -> str:
        shown = [f"  {refusal}" for refusal in self.refusals[:20]]
        more = [f"  and {len(self.refusals) - 20} more"] if len(self.refusals) > 20 else []
        return "\n".join([self.what, *shown, *more])


def address_of(pattern: str, model: str, output: str) -> str:
    """Address of an output by the pattern of `results: address`.

    With {role} in the pattern, `Expected/speed` is split into {output} and {role} (empty for other outputs; a separator
    left at the end goes too). Without it, the levels of an output are joined by the character before {output}.
    """
    asset, _, name = model.partition("/")
    level, _, role = output.partition("/")
    parts = {"asset": asset, "model": name or PLUGIN_MODEL}
    if "{role}" in pattern:
        filled = _fill(pattern, parts | {"output": level, "role": role})
        return filled if role else filled.rstrip("./_-")
    return _fill(pattern, parts | {"output": output.replace("/", _separator(pattern))})


def _separator(pattern: str) -> str:
    before = pattern.partition("{output}")[0][-1:]
    return before if before and not before.isalnum() and before not in "{}=;" else "/"


def _fill(pattern: str, parts: Mapping[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: parts.get(found[1], found[0]), pattern)


def targets_of(
    plan: Plan,
    historian: str,
    roles: Mapping[str, Sequence[RoleLike]],
    outputs: Mapping[str, Sequence[JobOutput]] = NOTHING,
) -> tuple[Target, ...]:
    """Everything that would be written to one historian; empty when its results go to our own server.

    Args:
        plan: the configuration.
        historian: its name.
        roles: model key -> roles, of the models that are bound.
        outputs: model key -> what its job says beside the score, of the models that are trained.

    Raises:
        NotReady: a model with detailed outputs, or with a job beside `health`, has not been trained, so what it writes
            is not known.
    """
    results = plan.results.get(historian)
    if results is None or not results.in_historian:
        return ()
    found = [Target(address_of(results.address, PLUGIN, tag.output), PLUGIN, tag) for tag in plugin_tags()]
    for model in plan.models:
        if model.historian == historian:
            detail = model.outputs is Detail.DETAIL
            if detail and model.key not in roles:
                raise NotReady(
                    what=f"the roles of {model.key} are not known yet", mend="Run `tagsight train FILE` first."
                )
            if model.job is not Job.HEALTH and model.key not in outputs:
                raise NotReady(
                    what=f"the outputs of {model.key} are not known yet", mend="Run `tagsight train FILE` first."
                )
            of_job = outputs.get(model.key, ())
            known, groups = roles.get(model.key, ()), model.explain_groups
            tags = output_tags(model.key, known, detail=detail, outputs=of_job, groups=groups)
            found += [Target(address_of(results.address, model.key, tag.output), model.key, tag) for tag in tags]
    return tuple(found)


def reads_of(plan: Plan, historian: str, addresses: Iterable[str]) -> frozenset[str]:
    """Everything that models read from a historian: patterns and operands of the plan, and addresses of bindings."""
    found = set(addresses)
    for model in plan.models:
        if model.historian == historian:
            found.update(model.inputs)
            found.update(model.beside_inputs)
            found.update(model.running.operands if model.running else ())
    return frozenset(found)


def check_targets(targets: Sequence[Target], results: ResultsPlan, reads: Iterable[str]) -> None:
    """Hold the targets against rules (a) and (b).

    Args:
        targets: what would be written.
        results: with the root.
        reads: `reads_of` the historian.

    Raises:
        FenceError: with every refused target and its cause.
    """
    cause = root_fault(results.root)
    refusals = [Refusal(results.root or '""', cause)] if cause else []
    reading = _Reading(reads)
    seen: set[str] = set()
    for target in targets:
        cause = _fault(target, results.root, reading) or (
            "two outputs have this address" if target.address in seen else ""
        )
        seen.add(target.address)
        if cause:
            refusals.append(Refusal(target.address, cause))
    if refusals:
        raise FenceError(refusals=tuple(refusals))


def root_fault(root: str) -> str:
    """Why this cannot be the root of results; "" if it can."""
    namespace = _NAMESPACE.match(root)
    rest = root[namespace.end() :] if namespace else root
    if namespace and _is_of_the_server(namespace):
        return "it is the OPC UA server's own namespace"
    kind = _IDENTIFIER.match(rest)
    if kind and kind["kind"] != "s":
        return "only tags with string identifiers can be below a root"
    if rest.startswith(("ns=", "nsu=")) or (namespace and not kind):
        return "it is not the beginning of an address"
    name = (rest[kind.end() :] if kind else rest).strip(" ./\\|:_-*?")
    if not name:
        return "it would allow writing to every tag of the historian"
    if name.casefold() in _SERVER_NAMES:
        return "it is the server's own root"
    return ""


def _is_of_the_server(namespace: re.Match[str]) -> bool:
    if namespace["index"] is not None:
        return int(namespace["index"]) == 0
    return not namespace["uri"].strip() or _OPC_FOUNDATION in namespace["uri"].casefold()


def _fault(target: Target, root: str, reading: "_Reading") -> str:
    address = target.address
    if not address.startswith(root) or len(address) == len(root):
        return f"it is not below the root {root}"
    if len(address) > LONGEST_ADDRESS or not address.isprintable() or "{" in address or "}" in address:
        return "it is not a usable address"
    if ".." in address.replace("\\", "/").split("/") or any(sign in identifier_of_address(address) for sign in "*?"):
        return "it is not a plain address"
    return "a model reads it" if reading.has(address) else ""


def identifier_of_address(address: str) -> str:
    """An address without namespace and kind: an index and a URI of the same namespace cannot be told apart here."""
    address = selection_of(address).node  # an element, or the number of a state, is the same tag
    namespace = _NAMESPACE.match(address)
    rest = address[namespace.end() :] if namespace else address
    return rest.removeprefix("s=")


def is_result(results: ResultsPlan | None, tag: Tag) -> bool:
    """Whether a tag lies below the root of the results: TagSight writes it, so no model may read it (rule b)."""
    if results is None or not results.in_historian:
        return False
    root = results.root or results.address.partition("{")[0]
    return identifier_of_address(tag.address).startswith(identifier_of_address(root))


class _Reading:
    """What models read, in the forms in which a target could be the same tag."""

    def __init__(self, reads: Iterable[str]) -> None:
        known = tuple(reads)
        self._exact = {_plain(one) for one in known}
        self._patterns: dict[tuple[str, ...], list[str]] = {}
        for pattern in dict.fromkeys(one for one in known if _is_pattern(one) and one.strip("*/")):
            self._patterns.setdefault(_plain_levels(pattern), []).append(pattern)

    def has(self, address: str) -> bool:
        """The same identifier in any namespace and any letter case, or a path that a pattern names.

        A pattern that names everything (`*`, `**`) is meant for the plant, not for us: reading our own results is
        prevented where inputs are bound.
        """
        if _plain(address) in self._exact:
            return True
        identifier = identifier_of_address(address)
        paths = {identifier, identifier.replace(".", "/")}
        return any(matches(pattern, Tag(address, path)) for path in paths for pattern in self._that_begin_like(path))

    def _that_begin_like(self, path: str) -> Iterator[str]:
        """Of many thousands, the few that can name the path: those whose levels before the first sign are its own."""
        levels = tuple(path.split("/"))
        for count in range(len(levels) + 1):
            yield from self._patterns.get(levels[:count], ())


def _is_pattern(text: str) -> bool:
    return "*" in text or "?" in text


def _plain_levels(pattern: str) -> tuple[str, ...]:
    return tuple(takewhile(lambda level: not _is_pattern(level), pattern.split("/")))


def _plain(address: str) -> str:
    return identifier_of_address(address).replace(".", "/").casefold().strip("/ ")


def checked_targets(
    plan: Plan,
    historian: str,
    roles: Mapping[str, Sequence[RoleLike]],
    addresses: Iterable[str],
    outputs: Mapping[str, Sequence[JobOutput]] = NOTHING,
) -> tuple[Target, ...]:
    """`targets_of` a historian, held against rules (a) and (b); `addresses`: what bindings read.

    Raises:
        NotReady: see `targets_of`.
        FenceError: with every refused target and its cause.
    """
    targets = targets_of(plan, historian, roles, outputs)
    if targets:
        check_targets(targets, plan.results[historian], reads_of(plan, historian, addresses))
    return targets


def list_digest(historian: str, targets: Sequence[Target]) -> str:
    """SHA-256, hex, of what is accepted: the historian and its addresses, in any order."""
    text = "\n".join([historian, *sorted(target.address for target in targets)])
    return hashlib.sha256(text.encode()).hexdigest()


def allowed_addresses(historian: str, targets: Sequence[Target], accepted: AcceptedTargets | None) -> frozenset[str]:
    """What may be written now: rule (c); nothing at all while the list is not the accepted one."""
    if accepted is None or accepted.digest != list_digest(historian, targets):
        return frozenset()
    return frozenset(target.address for target in targets) & frozenset(accepted.addresses)
