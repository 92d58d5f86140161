"""Lists of tags that may be written to, as an engineer accepted them."""

from collections.abc import Sequence

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from tagsight.ledger.audit import append_audit
from tagsight.ledger.encoding import decode_addresses, encode_addresses
from tagsight.ledger.records import AcceptedTargets
from tagsight.ledger.schema import accepted_targets


def store_accepted(
    connection: Connection, historian: str, digest: str, addresses: Sequence[str], *, who: str, now_ns: int
) -> None:
    """Replace the list of one historian, with an entry in the audit trail."""
    fields = {
        "historian": historian,
        "digest": digest,
        "addresses": encode_addresses(addresses),
        "accepted_by": who,
        "accepted_ns": now_ns,
    }
    statement = insert(accepted_targets).values(fields)
    connection.execute(statement.on_conflict_do_update(index_elements=["historian"], set_=fields))
    append_audit(connection, now_ns, who, "writes accepted", f"{historian}: {len(addresses)} tags, {digest}")


def accepted_of(connection: Connection, historian: str) -> AcceptedTargets | None:
    """None before the first acceptance."""
    query = select(accepted_targets).where(accepted_targets.c.historian == historian)
    found = connection.execute(query).first()
    if found is None:
        return None
    addresses = decode_addresses(found.addresses)
    return AcceptedTargets(historian, found.digest, addresses, found.accepted_by, found.accepted_ns)
