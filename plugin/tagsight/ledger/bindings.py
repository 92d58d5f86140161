"""What each model reads, kept from its training: a service starts without browsing, the tag server knows the roles."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, replace

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.sqlite import insert

from tagsight.binding import Binding
from tagsight.ledger.encoding import decode_binding, encode_binding
from tagsight.ledger.schema import bindings
from tagsight_models.job_output import JobOutput


@dataclass(frozen=True, slots=True)
class BoundModel:
    """A model of the plan.

    Attributes:
        model: its key.
        binding: None while it has not been bound.
        detail: it has outputs for each role.
        severity: of its alarm, 1 to 1,000.
        outputs: what its job says beside the score, once trained.
        groups: names and roles of groups that are explained as one.
    """

    model: str
    binding: Binding | None
    detail: bool = False
    severity: int = 300
    outputs: tuple[JobOutput, ...] = ()
    groups: tuple[tuple[str, tuple[str, ...]], ...] = ()


def store_binding(connection: Connection, bound: BoundModel) -> None:
    """Insert or replace; a model without a binding replaces all but that of one that has it."""
    if bound.binding is None:
        before = binding_of(connection, bound.model)
        if before is not None:
            bound = replace(bound, binding=before.binding, outputs=before.outputs)
    text = encode_binding(
        bound.binding, detail=bound.detail, severity=bound.severity, outputs=bound.outputs, groups=bound.groups
    )
    fields = {"model": bound.model, "binding": text}
    statement = insert(bindings).values(fields)
    connection.execute(statement.on_conflict_do_update(index_elements=["model"], set_=fields))


def keep_only(connection: Connection, models: Collection[str]) -> None:
    """Forget the models that the plan no longer has."""
    known = list(connection.execute(select(bindings.c.model)).scalars())
    for model in known:
        if model not in models:
            connection.execute(delete(bindings).where(bindings.c.model == model))


def binding_of(connection: Connection, model: str) -> BoundModel | None:
    """None for a model that is not known."""
    query = select(bindings.c.binding).where(bindings.c.model == model)
    text = connection.execute(query).scalar_one_or_none()
    return None if text is None else BoundModel(model, *decode_binding(text))


def all_bindings(connection: Connection) -> tuple[BoundModel, ...]:
    """Of every model, by key."""
    found = connection.execute(select(bindings).order_by(bindings.c.model))
    return tuple(BoundModel(one.model, *decode_binding(one.binding)) for one in found)


def bindings_digest(connection: Connection) -> str:
    """Changes when any binding changes."""
    digest = hashlib.sha256()
    for model, text in connection.execute(select(bindings.c.model, bindings.c.binding).order_by(bindings.c.model)):
        digest.update(f"{model}\0{text}\0".encode())
    return digest.hexdigest()
