"""The output tags of a plan as lines of a table, for people and for import into a historian."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from tagsight.clocks import SystemClock
from tagsight.fence import address_of
from tagsight.ledger.ledger import Ledger
from tagsight.output_tags import PLUGIN, OutputTag, RoleLike, identifier_of, output_tags, plugin_tags
from tagsight.plan import Detail, Plan, ResultsPlan
from tagsight_connectors.tag import DataType
from tagsight_models.job_output import JobOutput

HEADER: Final = ("name", "NodeId", "type", "unit", "low", "high", "description", "access")
SERVER_NAMESPACE: Final = "urn:tagsight:results"
SERVER_INDEX: Final = 2
"""Index of `SERVER_NAMESPACE` in TagSight's own server, for programs that know no namespace by its URI."""

NOTHING: Final[Mapping[str, Sequence[JobOutput]]] = MappingProxyType({})


def known_roles(ledger: Path) -> dict[str, Sequence[RoleLike]]:
    """Model key -> roles, of the models that have been bound; empty before the first start."""
    if not ledger.exists():
        return {}
    with Ledger.open_reader(ledger, SystemClock()) as opened:
        return {bound.model: bound.binding.roles for bound in opened.bindings() if bound.binding}


def known_outputs(ledger: Path) -> dict[str, Sequence[JobOutput]]:
    """Model key -> what its job says beside the score, of the models that have been trained."""
    if not ledger.exists():
        return {}
    with Ledger.open_reader(ledger, SystemClock()) as opened:
        return {bound.model: bound.outputs for bound in opened.bindings() if bound.outputs}


def known_addresses(ledger: Path) -> frozenset[str]:
    """Every address that a bound model reads, of any historian; empty before the first start."""
    if not ledger.exists():
        return frozenset()
    with Ledger.open_reader(ledger, SystemClock()) as opened:
        return frozenset(one for bound in opened.bindings() if bound.binding for one in bound.binding.all_addresses)


@dataclass(frozen=True, slots=True)
class ListedTag:
    """One output tag and where it is.

    Attributes:
        historian: name of the historian whose results it is among.
        model: key of the model, or `TagSight` for the plugin's own.
        tag: what it is.
        node_id: its NodeId, or an address of the historian.
    """

    historian: str
    model: str
    tag: OutputTag
    node_id: str

    @property
    def name(self) -> str:
        """`<asset>/<model>/<output>`."""
        return identifier_of(self.model, self.tag.output)

    @property
    def kind(self) -> str:
        """OPC UA data type."""
        if self.tag.data_type is DataType.TEXT:
            return "String"
        return "Int32" if self.tag.integer else "Double"

    @property
    def line(self) -> tuple[str, ...]:
        """As `HEADER` says."""
        tag = self.tag
        low, high = (f"{tag.eu_range.low:g}", f"{tag.eu_range.high:g}") if tag.eu_range else ("", "")
        access = "read and write" if tag.writable_by is not None else "read"
        return self.name, self.node_id, self.kind, tag.unit, low, high, tag.description, access


def listed_tags(
    plan: Plan, roles: Mapping[str, Sequence[RoleLike]], outputs: Mapping[str, Sequence[JobOutput]] = NOTHING
) -> Iterator[ListedTag]:
    """Every output tag of a plan; outputs per role, and of a job, only of models that are bound and trained."""
    for historian in sorted({model.historian for model in plan.models}):
        results = plan.results.get(historian)
        for model, tag in _of_historian(plan, historian, roles, outputs):
            yield ListedTag(historian, model, tag, _node_id(results, model, tag))


def tag_lines(
    plan: Plan, roles: Mapping[str, Sequence[RoleLike]], outputs: Mapping[str, Sequence[JobOutput]] = NOTHING
) -> list[tuple[str, ...]]:
    """One line a tag, as `HEADER` says."""
    return [one.line for one in listed_tags(plan, roles, outputs)]


def _of_historian(
    plan: Plan, historian: str, roles: Mapping[str, Sequence[RoleLike]], outputs: Mapping[str, Sequence[JobOutput]]
) -> Iterator[tuple[str, OutputTag]]:
    for tag in plugin_tags():
        yield PLUGIN, tag
    for model in plan.models:
        if model.historian == historian:
            known = roles.get(model.key, ())
            detail = model.outputs is Detail.DETAIL and bool(known)
            of_job, groups = outputs.get(model.key, ()), model.explain_groups
            for tag in output_tags(model.key, known, detail=detail, outputs=of_job, groups=groups):
                yield model.key, tag


def _node_id(results: ResultsPlan | None, model: str, tag: OutputTag) -> str:
    if results and results.in_historian:
        return address_of(results.address, model, tag.output)
    return f"nsu={SERVER_NAMESPACE};s={identifier_of(model, tag.output)}"
