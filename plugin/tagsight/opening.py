"""From a plan and a data folder to open links: what `train`, `run`, `rehearse` and `probe` begin with."""

from tagsight.clocks import Clock
from tagsight.connections import Link
from tagsight.data_folder import DataFolder
from tagsight.fence import allowed_addresses, checked_targets
from tagsight.historians import live_of, open_plan_historian
from tagsight.ledger.ledger import Ledger
from tagsight.plan import Plan
from tagsight.secrets import Secrets


def open_links(plan: Plan, data: DataFolder, secrets: Secrets, clock: Clock, ledger: Ledger) -> dict[str, Link]:
    """One link for each historian of the plan; nothing is connected yet.

    Raises:
        NotReady: a password is missing.
        FenceError: results would go where they must not.
    """
    return {
        name: Link(
            name,
            live_of(
                historian,
                open_plan_historian(
                    historian,
                    data,
                    secrets,
                    accepted_now(plan, name, ledger),
                    plan.timezone.key,
                    plan.results.get(name),
                ),
            ),
            clock,
        )
        for name, historian in plan.historians.items()
    }


def accepted_now(plan: Plan, historian: str, ledger: Ledger) -> frozenset[str]:
    """The addresses of a historian that may be written to now; none while its list is not the accepted one.

    Raises:
        FenceError: results would go where they must not.
    """
    accepted = ledger.accepted_targets(historian)
    if accepted is None:
        return frozenset()
    bound = {one.model: one.binding for one in ledger.bindings() if one.binding is not None}
    roles = {key: binding.roles for key, binding in bound.items()}
    reads = [address for binding in bound.values() for address in binding.all_addresses]
    outputs = {one.model: one.outputs for one in ledger.bindings() if one.outputs}
    return allowed_addresses(historian, checked_targets(plan, historian, roles, reads, outputs), accepted)
