"""What the page Pick does: tags of a historian, their trends, and the pick as inputs of a model."""

import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from tagsight.applied import Applied
from tagsight.connections import Link
from tagsight.editing import place_of_model, plain_tree, with_item, with_setting
from tagsight.errors import NotAllowed
from tagsight.framing import series_of
from tagsight.historians import open_plan_historian
from tagsight.history_keeping import keep_histories, opened_store
from tagsight.plan import Plan
from tagsight.secrets import Secrets
from tagsight.tag_tree import TagTree
from tagsight.trends import thinned
from tagsight.web.known_tags import Browsed
from tagsight.web.saving import change
from tagsight.web.site import Site
from tagsight_connectors.historian import Historian
from tagsight_connectors.history import Span, TagHistory
from tagsight_connectors.tag import DataType, Tag
from tagsight_models.frame import Floats, Times

MOST_TAGS: Final = 100_000
MOST_PICKED: Final = 100
"""Tags at once; a whole folder is better named by a pattern."""

BUCKETS: Final = 500
TOLD_EVERY: Final = 500
_HELD: Final = 200_000
"""Values of one tag in memory before they are thinned."""

_BAD: Final = 2
_WILD: Final = frozenset("*?")

Tell = Callable[[str], None]


@asynccontextmanager
async def reading(site: Site, plan: Plan, name: str) -> AsyncIterator[Link]:
    """The historian behind the local store where there is one; writes nothing. Raises NotReady, NotAllowed."""
    with opened_store(plan, site.data, lambda _why: None) as store:
        secrets = Secrets(site.data, os.environ)
        historian = open_plan_historian(plan.historians[name], site.data, secrets, timezone=plan.timezone.key)
        link = Link(name, historian, site.clock)
        keep_histories(plan, {name: link}, store)
        try:
            yield link
        finally:
            await link.close()


async def browse(site: Site, plan: Plan, name: str, pattern: str, tell: Tell, *, most: int = MOST_TAGS) -> Browsed:
    """Tags that a pattern names, at most `most`. Raises HistorianError."""
    tell(f"connecting to {plan.historians[name].url}")

    async def work(historian: Historian) -> Browsed:
        tags: list[Tag] = []
        tell("looking for tags")
        async for tag in historian.browse(pattern):
            if len(tags) == most:
                return Browsed(TagTree(tags), pattern, complete=False)
            tags.append(tag)
            if len(tags) % TOLD_EVERY == 0:
                tell(f"{len(tags):,} tags so far")
        return Browsed(TagTree(tags), pattern, complete=True)

    async with reading(site, plan, name) as link:
        return await link.use(work)


@dataclass(frozen=True, slots=True)
class Trend:
    """One tag's values for a picture: times ascending, UTC ns; NaN is a hole. `stored`: how many there were."""

    tag: Tag
    times: Times
    values: Floats
    stored: int


async def trends(  # noqa: PLR0917 - what is read, and from where
    site: Site, plan: Plan, name: str, tags: Sequence[Tag], span: tuple[int, int], tell: Tell
) -> list[Trend]:
    """Thinned histories, page by page, so that memory does not grow with the span. Raises HistorianError."""
    by_address = {tag.address: tag for tag in tags if tag.data_type in {DataType.NUMBER, DataType.BOOLEAN}}

    async def work(historian: Historian) -> list[Trend]:
        kept = {address: _Thinning(span) for address in by_address}
        count = 0
        async for page in historian.read_raw(list(by_address), Span(*span)):
            kept[page.address].add(page.history)
            count += len(page.history)
            tell(f"{count:,} values read")
        return [Trend(tag, *kept[address].outline(), kept[address].stored) for address, tag in by_address.items()]

    if not by_address:
        return []
    tell("connecting")
    async with reading(site, plan, name) as link:
        return await link.use_stored(work)


@dataclass
class _Thinning:
    """Values as they come; thinned whenever there are many: what is left has the same outline as all."""

    span: tuple[int, int]
    stored: int = 0
    _times: list[Times] = field(default_factory=list)
    _values: list[Floats] = field(default_factory=list)
    _held: int = 0

    def add(self, history: TagHistory) -> None:
        series = series_of(history)
        self.stored += len(series.times)
        self._times.append(series.times)
        self._values.append(np.where(series.quality == _BAD, np.nan, series.values))
        self._held += len(series.times)
        if self._held > _HELD:
            self.outline()

    def outline(self) -> tuple[Times, Floats]:
        times = np.concatenate([np.empty(0, np.int64), *self._times])
        values = np.concatenate([np.empty(0, np.float64), *self._values])
        order = np.argsort(times, kind="stable")
        times, values = thinned(times[order], values[order], self.span, BUCKETS)
        self._times, self._values, self._held = [times], [values], len(times)
        return times, values


def as_input(tag: Tag) -> str:
    """How a tag is named in `inputs`: by its path, or by its address where the path would be a pattern."""
    return tag.address if _WILD & set(tag.path) else tag.path


def models_of(text: str) -> list[str]:
    """Keys of the models that are written one by one in the file."""
    return [
        f"{one['asset']}/{one['name']}"
        for one in _list(plain_tree(text), "models")
        if isinstance(one, Mapping) and "asset" in one and "name" in one and "template" not in one
    ]


def add_to_model(site: Site, key: str, inputs: Sequence[str], who: str) -> Applied:
    """More inputs of a model that is there; those it has already are not named twice. Raises as `apply_text`."""
    asset, _, name = key.partition("/")

    def edit(text: str) -> str:
        models = _list(plain_tree(text), "models")
        place = place_of_model(models, asset, name)
        there = _list(models[place], "inputs")
        new = [one for one in inputs if one not in there]
        if not new:
            raise NotAllowed(what=f"{key} has all of these inputs already", mend="Pick others.")
        for one in new:
            text = with_item(text, ("models", place, "inputs"), one)
        return text

    return change(site, edit, who)


def add_model(site: Site, historian: str, asset: str, name: str, inputs: Sequence[str], *, who: str) -> Applied:
    """A new model of these inputs, everything else as it is by default. Raises as `apply_text`."""
    settings: dict[str, Any] = {"name": name, "asset": asset}
    if historian != "default":
        settings["historian"] = historian
    settings["inputs"] = list(inputs)

    def edit(text: str) -> str:
        if plain_tree(text).get("models") is None:
            return with_setting(text, ("models",), [settings])
        return with_item(text, ("models",), settings)

    return change(site, edit, who)


def _list(tree: Any, key: str) -> list[Any]:
    found = tree.get(key) if isinstance(tree, Mapping) else None
    return found if isinstance(found, list) else []
