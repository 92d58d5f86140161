"""From pages to a `History`, with progress."""

from collections.abc import Callable, Sequence
from typing import cast

import numpy as np

from tagsight_connectors.historian import Historian
from tagsight_connectors.history import History, Span, TagHistory, Values, empty_history


async def read_history(
    historian: Historian,
    addresses: Sequence[str],
    span: Span,
    progress: Callable[[int], None] = lambda _count: None,
) -> History:
    """Read all of `span` for `addresses` into memory.

    `progress` is called with the number of values of each page as it arrives. Raises what `read_raw` raises;
    never returns a part of what was asked.
    """
    pages: dict[str, list[TagHistory]] = {address: [] for address in addresses}
    async for page in historian.read_raw(addresses, span):
        pages[page.address].append(page.history)
        progress(len(page.history))
    return History(span, {address: join(parts) for address, parts in pages.items()})


def join(parts: Sequence[TagHistory]) -> TagHistory:
    """Concatenate in order; text wins where a tag changed between text and numbers."""
    if not parts:
        return empty_history()
    if len(parts) == 1:
        return parts[0]
    return TagHistory(
        np.concatenate([part.times for part in parts]),
        _joined_values([part.values for part in parts]),
        np.concatenate([part.status for part in parts]),
    )


def _joined_values(parts: Sequence[Values]) -> Values:
    if any(part.dtype == object for part in parts):
        return np.concatenate([part.astype(object) for part in parts])
    return cast("Values", np.concatenate(parts))
