"""The output tags of a plan as lines of a table, for people and for import into a historian."""

from collections.abc import Iterator, Mapping, Sequence
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


def tag_lines(
    plan: Plan, roles: Mapping[str, Sequence[RoleLike]], outputs: Mapping[str, Sequence[JobOutput]] = NOTHING
) -> list[tuple[str, ...]]:
    """One line a tag, as `HEADER` says; outputs per role, and of a job, only of models that are bound and trained."""
    return [_line(plan.results.get(historian), model, tag) for historian, model, tag in _all(plan, roles, outputs)]


def _all(
    plan: Plan, roles: Mapping[str, Sequence[RoleLike]], outputs: Mapping[str, Sequence[JobOutput]]
) -> Iterator[tuple[str, str, OutputTag]]:
    for historian in sorted({model.historian for model in plan.models}):
        for tag in plugin_tags():
            yield historian, PLUGIN, tag
        for model in plan.models:
            if model.historian == historian:
                known = roles.get(model.key, ())
                detail = model.outputs is Detail.DETAIL and bool(known)
                of_job, groups = outputs.get(model.key, ()), model.explain_groups
                for tag in output_tags(model.key, known, detail=detail, outputs=of_job, groups=groups):
                    yield historian, model.key, tag


def _line(results: ResultsPlan | None, model: str, tag: OutputTag) -> tuple[str, ...]:
    name = identifier_of(model, tag.output)
    written = results is not None and results.in_historian
    node_id = (
        address_of(results.address, model, tag.output) if results and written else f"nsu={SERVER_NAMESPACE};s={name}"
    )
    low, high = (f"{tag.eu_range.low:g}", f"{tag.eu_range.high:g}") if tag.eu_range else ("", "")
    access = "read and write" if tag.writable_by is not None else "read"
    return name, node_id, _type_of(tag), tag.unit, low, high, tag.description, access


def _type_of(tag: OutputTag) -> str:
    if tag.data_type is DataType.TEXT:
        return "String"
    return "Int32" if tag.integer else "Double"
