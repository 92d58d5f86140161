"""Gathers the facts of a probe through the seam: connects, browses, reads, watches. It writes nothing."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tagsight.arrival import Arrivals
from tagsight.averages import averaged_roles, read_averages
from tagsight.binding import Binding, BindingError, bind, patterns_of
from tagsight.clocks import Clock
from tagsight.extent import extent
from tagsight.fence import Target, is_result
from tagsight.output_tags import OPERATORS_OUTPUTS
from tagsight.plan import ModelPlan, ResultsPlan
from tagsight.probing import HistorianFacts, ModelFacts, TagFacts, TargetFacts
from tagsight.sampling import Sampling
from tagsight.training import training_span
from tagsight_connectors.aggregates import Computer
from tagsight_connectors.errors import HistorianError, NotConnected
from tagsight_connectors.historian import Historian
from tagsight_connectors.history import Span
from tagsight_connectors.patterns import matches
from tagsight_connectors.tag import Access, Tag

VALUES_PER_TAG: Final = 1_000_000
"""Of a longer history the newest part is looked at, so that a probe takes minutes and not hours."""

_PARTS: Final = 32

_AVERAGES: Final = 10
"""Steps of the grid for which averages are asked."""


@dataclass(frozen=True)
class Examination:
    """One historian under examination.

    Attributes:
        name: in the plan.
        url: from the plan.
        historian: not connected yet.
        clock: of this machine.
        pause: awaited between two looks at live values.
        looks: how often to look at live values; 0: not at all.
        values_per_tag: see `VALUES_PER_TAG`.
        progress: called with a line for people.
    """

    name: str
    url: str
    historian: Historian
    clock: Clock
    pause: Callable[[], Awaitable[None]]
    looks: int = 10
    values_per_tag: int = VALUES_PER_TAG
    progress: Callable[[str], None] = lambda _line: None

    async def connect(self) -> HistorianFacts:
        """Connect and ask who is there; a failure is a fact."""
        facts = HistorianFacts(self.name, self.url, self.clock.now_ns())
        try:
            await self.historian.connect()
            before = self.clock.now_ns()
            description = await self.historian.describe()
        except HistorianError as error:
            return replace(facts, failure=error)
        return replace(facts, description=description, now_ns=(before + self.clock.now_ns()) // 2)

    async def model(self, model: ModelPlan, results: ResultsPlan | None, now_ns: int) -> ModelFacts:
        """Browse, bind, read and watch for one model. Raises NotConnected if the connection is lost."""
        span = training_span(model, now_ns)
        facts = ModelFacts(model, span, span, now_ns)
        self.progress(f"{model.key}: looking for tags")
        try:
            tags = await self._tags(patterns_of(model))
        except NotConnected:
            raise
        except HistorianError as error:
            return replace(facts, failure=error)
        plant = [tag for tag in tags if not is_result(results, tag)]
        matched = {one: sum(matches(one, tag) for tag in plant) for one in patterns_of(model)}
        facts = replace(facts, matched=matched)
        try:
            binding = bind(model, plant)
        except BindingError as error:
            return replace(facts, failure=error)
        bound = _bound(binding, plant)
        looked_at = await self._affordable(bound, span)
        found = [await self._tag(tag, span, looked_at) for tag in bound]
        empty = [
            one.tag.address for one in found if _readable(one.tag) and one.failure is None and not one.sampling.count
        ]
        return replace(
            facts,
            looked_at=looked_at,
            binding=binding,
            tags=await self._watched(found),
            elsewhere=await extent(self.historian, empty) if empty else None,
            computed_by=await self._averages(model, binding, looked_at.end_ns),
        )

    async def _averages(self, model: ModelPlan, binding: Binding, end_ns: int) -> Mapping[str, Computer]:
        """Who computes the averages that the model reads: the newest ones are asked for."""
        wanted = {role: binding.addresses[role] for role in sorted(averaged_roles(model, binding))}
        grid_ns = model.score.grid_ns
        if not wanted or grid_ns is None:
            return {}
        self.progress(f"{model.key}: asking for averages")
        span = Span(end_ns - _AVERAGES * grid_ns, end_ns)
        try:
            _, computed_by = await read_averages(self.historian, list(wanted.values()), span, grid_ns)
        except NotConnected:
            raise
        except HistorianError:  # the tag at fault has a finding of its own
            return {}
        return {role: computed_by[address] for role, address in wanted.items()}

    async def targets(self, targets: Sequence[Target]) -> list[TargetFacts]:
        """Look at every tag that results go to."""
        facts = []
        for target in targets:
            found = [tag async for tag in self.historian.browse(target.address)]
            by_operators = target.tag.output in OPERATORS_OUTPUTS
            facts.append(TargetFacts(target.address, found[0] if found else None, by_operators))
        return facts

    async def _tags(self, patterns: Sequence[str]) -> list[Tag]:
        tags: dict[str, Tag] = {}
        for pattern in patterns:
            async for tag in self.historian.browse(pattern):
                tags.setdefault(tag.address, tag)
        return list(tags.values())

    async def _affordable(self, bound: Sequence[TagFacts], span: Span) -> Span:
        """The newest part of the span that is not more than the values allowed, judged by its last piece."""
        piece = max((span.end_ns - span.start_ns) // _PARTS, 1)
        counts = [(await self._sampled(facts.tag, Span(max(span.end_ns - piece, span.start_ns), span.end_ns))).count
                  for facts in bound if _readable(facts.tag)]  # fmt: skip
        most = max(counts, default=0)
        if most * _PARTS <= self.values_per_tag:
            return span
        pieces = max(1, self.values_per_tag // most)
        return Span(max(span.start_ns, span.end_ns - pieces * piece), span.end_ns)

    async def _tag(self, facts: TagFacts, span: Span, looked_at: Span) -> TagFacts:
        if not _readable(facts.tag):
            return facts
        self.progress(f"{facts.tag.path}: reading history")
        try:
            sampling = await self._sampled(facts.tag, looked_at, fail=True)
            begins = await self._begins(facts.tag, span, looked_at, sampling)
        except NotConnected:
            raise
        except HistorianError as error:
            return replace(facts, failure=error)
        return replace(facts, sampling=sampling, begins_ns=begins)

    async def _sampled(self, tag: Tag, span: Span, *, fail: bool = False) -> Sampling:
        sampling = Sampling()
        try:
            async for page in self.historian.read_raw([tag.address], span):
                sampling.add(page.history)
        except NotConnected:
            raise
        except HistorianError:
            if fail:
                raise
        return sampling

    async def _begins(self, tag: Tag, span: Span, looked_at: Span, sampling: Sampling) -> int | None:
        """The earliest value; of a span that is not read whole, its first piece tells."""
        if looked_at.start_ns == span.start_ns:
            return sampling.first_ns
        piece = Span(span.start_ns, min(span.start_ns + (span.end_ns - span.start_ns) // _PARTS, looked_at.start_ns))
        return (await self._sampled(tag, piece, fail=True)).first_ns or sampling.first_ns

    async def _watched(self, found: Sequence[TagFacts]) -> list[TagFacts]:
        """Newest values, and how long those took that came while watching."""
        addresses = [facts.tag.address for facts in found]
        arrivals = Arrivals()
        arrivals.look(await self.historian.read_current(addresses), None)
        for look in range(self.looks):
            self.progress(f"watching new values arrive ({look + 1} of {self.looks})")
            await self.pause()
            samples = await self.historian.read_current(addresses)
            server_now = (await self.historian.describe()).server_time_ns
            if server_now is None:  # a file: nothing arrives
                break
            arrivals.look(samples, server_now)
        return [
            replace(
                facts,
                newest_ns=arrivals.newest.get(facts.tag.address),
                delays_ns=tuple(arrivals.delays.get(facts.tag.address, ())),
            )
            for facts in found
        ]


def _readable(tag: Tag) -> bool:
    return Access.READ_HISTORY in tag.access


def _bound(binding: Binding, tags: Sequence[Tag]) -> list[TagFacts]:
    names: dict[str, list[str]] = {}
    for name, address in [*binding.addresses.items(), *binding.operands.items()]:
        names.setdefault(address, []).append(name)
    by_address = {tag.address: tag for tag in tags}
    return [TagFacts(by_address[address], tuple(own)) for address, own in names.items()]
