"""From a plan and a data folder to open links: what `train`, `run`, `rehearse` and `probe` begin with."""

from tagsight.clocks import Clock
from tagsight.connections import Link
from tagsight.data_folder import DataFolder
from tagsight.fence import allowed_addresses, checked_targets
from tagsight.historians import open_plan_historian
from tagsight.ledger.ledger import Ledger
from tagsight.plan import Plan
from tagsight.secrets import Secrets


def open_links(plan: Plan, data: DataFolder, secrets: Secrets, clock: Clock, ledger: Ledger) -> dict[str, Link]:
    """One link for each historian of the plan; nothing is connected yet.

    Raises:
        NotReady: a password is missing.
        FenceError: results would go where they must not.
    """
    bound = {one.model: one.binding for one in ledger.bindings() if one.binding is not None}
    return {
        name: Link(
            name,
            open_plan_historian(historian, data, secrets, _accepted(plan, name, bound, ledger), plan.timezone.key),
            clock,
        )
        for name, historian in plan.historians.items()
    }


def _accepted(plan: Plan, name: str, bound: dict, ledger: Ledger) -> frozenset[str]:  # type: ignore[type-arg]
    accepted = ledger.accepted_targets(name)
    if accepted is None:
        return frozenset()
    roles = {key: binding.roles for key, binding in bound.items()}
    reads = [address for binding in bound.values() for address in binding.all_addresses]
    return allowed_addresses(name, checked_targets(plan, name, roles, reads), accepted)
