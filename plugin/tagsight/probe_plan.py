"""The probe of a whole configuration: findings as they come, for the command line and for the pages."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

from tagsight.clocks import Clock
from tagsight.data_folder import DataFolder
from tagsight.errors import NotAllowed, NotReady, TagSightError
from tagsight.examination import VALUES_PER_TAG, Examination
from tagsight.fence import checked_targets
from tagsight.historians import open_plan_historian
from tagsight.plan import Plan
from tagsight.probing import Finding, ModelFacts, Weight, judge_historian, judge_model, judge_targets
from tagsight.secrets import Secrets
from tagsight.tag_list import known_outputs
from tagsight_connectors.errors import HistorianError


@dataclass(frozen=True)
class PlanProbe:
    """One probe.

    Attributes:
        plan: what is examined.
        data: folder with passwords, certificates and ledger.
        clock: of this machine.
        pause: awaited between two looks at live values.
        looks: how often to look at live values; 0: not at all.
        values: of each tag; of a longer history the newest part is looked at.
        progress: called with a line for people.
    """

    plan: Plan
    data: DataFolder
    clock: Clock
    pause: Callable[[], Awaitable[None]]
    looks: int = 10
    values: int = VALUES_PER_TAG
    progress: Callable[[str], None] = lambda _line: None

    async def found(self, only: str = "") -> AsyncIterator[Finding | ModelFacts]:
        """Findings, and after those of a model its facts; of all historians, or of one. Writes nothing to any."""
        secrets = Secrets(self.data, os.environ)
        for name, historian in self.plan.historians.items():
            if only and name != only:
                continue
            where = f"historian {name}"
            try:
                opened = open_plan_historian(historian, self.data, secrets, timezone=self.plan.timezone.key)
            except (TagSightError, HistorianError) as error:
                yield Finding(Weight.BLOCKS, where, str(error), error.mend)
                continue
            looks = 0 if historian.url.startswith("file:") else self.looks  # nothing arrives in an export
            examination = Examination(
                name, historian.url, opened, self.clock, self.pause, looks, self.values, self.progress
            )
            try:
                async for one in self._historian(examination):
                    yield one
            except HistorianError as error:
                yield Finding(Weight.BLOCKS, where, str(error), error.mend)
            finally:
                await opened.close()

    async def _historian(self, examination: Examination) -> AsyncIterator[Finding | ModelFacts]:
        facts = await examination.connect()
        for finding in judge_historian(facts):
            yield finding
        if facts.description is None:
            return
        now_ns = facts.description.server_time_ns or facts.now_ns
        bound = []
        for model in self.plan.models:
            if model.historian == examination.name:
                found = await examination.model(model, self.plan.results.get(examination.name), now_ns)
                for finding in judge_model(found, live=not facts.is_file):
                    yield finding
                yield found
                bound.append(found)
        for finding in await self._results(examination, bound, creates=facts.is_file):
            yield finding

    async def _results(self, examination: Examination, bound: Sequence[ModelFacts], *, creates: bool) -> list[Finding]:
        results = self.plan.results.get(examination.name)
        if results is None or not results.in_historian:
            return []
        where = f"results in {examination.name}"
        bindings = {one.model.key: one.binding for one in bound if one.binding is not None}
        roles = {key: binding.roles for key, binding in bindings.items()}
        reads = [address for binding in bindings.values() for address in binding.all_addresses]
        try:
            targets = checked_targets(self.plan, examination.name, roles, reads, known_outputs(self.data.ledger))
        except (NotAllowed, NotReady) as error:
            return [Finding(Weight.BLOCKS, where, str(error), error.mend)]
        if creates:
            return [Finding(Weight.FINE, where, f"{len(targets)} tags will be made in a file beside the export")]
        return list(judge_targets(examination.name, await examination.targets(targets), results.to))
