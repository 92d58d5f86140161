"""Reading histories for a page: a connection for as long as one look takes, through the local history store."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tagsight.connections import Link
from tagsight.data_look import DataLook, looked_at, over, read_data
from tagsight.errors import NotReady
from tagsight.history_keeping import keep_histories, opened_store
from tagsight.opening import open_links
from tagsight.plan import ModelPlan, Plan
from tagsight.scoring_task import StorePlace
from tagsight.secrets import Secrets
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


@asynccontextmanager
async def linked(site: Site, plan: Plan, historian: str) -> AsyncIterator[Link]:
    """The historian, behind the local store where there is one.

    Raises:
        NotReady: TagSight has not run yet, or a password is missing.
    """
    with opened_store(plan, site.data, lambda _why: None) as store:
        links = open_links(plan, site.data, Secrets(site.data, os.environ), site.clock, site.ledger())
        keep_histories(plan, links, store)
        try:
            yield links[historian]
        finally:
            for link in links.values():
                await link.close()


async def look_at_data(site: Site, plan: Plan, model: ModelPlan, span: tuple[int, int] | None = None) -> DataLook:
    """What a training of the model would see, over its own period or another one.

    Raises:
        HistorianError, BindingError, ModelError: what went wrong, with its mend.
    """
    place = StorePlace(site.data.models, site.data.signing_key)
    async with linked(site, plan, model.historian) as link:
        results = plan.results.get(model.historian)
        binding, task = await read_data(over(model, span), link, place, results=results, ledger=site.ledger())
    return await asyncio.to_thread(looked_at, binding, task)
