"""Open links for as long as one piece of work takes: what every command that reads histories begins and ends with."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from tagsight.clocks import Clock
from tagsight.connections import Link
from tagsight.data_folder import DataFolder
from tagsight.history_keeping import keep_histories, opened_store
from tagsight.ledger.ledger import Ledger
from tagsight.opening import open_links
from tagsight.plan import Plan
from tagsight.secrets import Secrets


@asynccontextmanager
async def linked(
    plan: Plan, data: DataFolder, clock: Clock, ledger: Ledger, *, tell: Callable[[str], None] = lambda _why: None
) -> AsyncIterator[dict[str, Link]]:
    """One link for each historian of the plan, behind the local history store; closed in the end.

    `tell` hears of a store that cannot be used; the historian is then asked for everything.

    Raises:
        NotReady: a password is missing.
        FenceError: results would go where they must not.
    """
    with opened_store(plan, data, tell) as store:
        links = open_links(plan, data, Secrets(data, os.environ), clock, ledger)
        keep_histories(plan, links, store)
        try:
            yield links
        finally:
            for link in links.values():
                await link.close()
