"""Reading histories for a page: a connection for as long as one look takes, through the local history store."""

import asyncio

from tagsight.data_look import DataLook, looked_at, over, read_data
from tagsight.errors import NotReady
from tagsight.linking import linked
from tagsight.plan import ModelPlan, Plan
from tagsight.scoring_task import StorePlace
from tagsight.web.site import Site


def plan_of(site: Site) -> Plan:
    """The configuration as the file has it now. Raises NotReady, with what `tagsight check` would say first."""
    checked = site.checked()
    if checked is None:
        raise NotReady("these pages were started without a configuration", "`tagsight web serve FILE` takes one.")
    if checked.plan is None:
        first = checked.faults[0]
        what = f"the configuration has {len(checked.faults)} faults; the first: {first}"
        raise NotReady(what, "Correct the file.")
    return checked.plan


async def look_at_data(site: Site, plan: Plan, model: ModelPlan, span: tuple[int, int] | None = None) -> DataLook:
    """What a training of the model would see, over its own period or another one.

    Raises:
        HistorianError, BindingError, ModelError: what went wrong, with its mend.
    """
    place = StorePlace(site.data.models, site.data.signing_key)
    ledger, results = site.ledger(), plan.results.get(model.historian)
    async with linked(plan, site.data, site.clock, ledger) as links:
        link = links[model.historian]
        binding, task = await read_data(over(model, span), link, place, results=results, ledger=ledger)
    return await asyncio.to_thread(looked_at, binding, task)
