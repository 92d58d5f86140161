"""Tasks that the pages give to a process of their own: training and rehearsing one model, as the command line does it.

Each opens its own connection and ends it. The pages name these functions; what computes is imported inside.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tagsight.clocks import SystemClock
from tagsight.configuration import load
from tagsight.data_folder import DataFolder
from tagsight.errors import NotReady
from tagsight.ledger.ledger import Ledger
from tagsight.linking import linked
from tagsight.scoring_task import StorePlace, Unloadable
from tagsight.selection import chosen_models
from tagsight.workers import Task, TaskFunction
from tagsight_connectors.history import History, Span

if TYPE_CHECKING:
    from tagsight.connections import Link
    from tagsight.plan import ModelPlan, Plan
    from tagsight.rehearsal import Rehearsal
    from tagsight.training import TrainOutcome

Progress = Callable[[float, str], None]

DAY_S: Final = 86_400.0
READING: Final = 0.1
"""Share of a training's progress that its reading is."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page asks for.

    Attributes:
        file: of the configuration.
        data: the data folder.
        model: key.
        who: asks.
        span: of a rehearsal, UTC ns.
    """

    file: Path
    data: Path
    model: str
    who: str
    span: tuple[int, int] = (0, 0)


def training(asked: Asked, at_most_s: float) -> Task:
    """Train a model; the result is a `TrainOutcome`."""
    return Task("train here", asked, at_most_s)


def rehearsing(asked: Asked) -> Task:
    """Replay a span; the result is a `Rehearsal`."""
    return Task("rehearse here", asked, DAY_S)


def page_tasks() -> Mapping[str, TaskFunction]:
    """Called once in the process that computes."""
    import torch  # noqa: PLC0415 - only the process that computes pays for it

    torch.set_num_threads(1)

    def train_here(asked: Any, progress: Progress) -> Any:
        return asyncio.run(_train(asked, progress))

    def rehearse_here(asked: Any, progress: Progress) -> Any:
        return asyncio.run(_rehearse(asked, progress))

    return {"train here": train_here, "rehearse here": rehearse_here}


@asynccontextmanager
async def _at_work(asked: Asked) -> "AsyncIterator[tuple[Plan, ModelPlan, Link, Ledger]]":
    """The plan of the file as it is now, one model of it, its historian, and the ledger."""
    plan, data, clock = load(asked.file), DataFolder(asked.data), SystemClock()
    (model,) = chosen_models(plan, (asked.model,))
    with Ledger.open(data.ledger, clock) as ledger:
        async with linked(plan, data, clock, ledger) as links:
            yield plan, model, links[model.historian], ledger


async def _train(asked: Asked, progress: Progress) -> "TrainOutcome":
    from tagsight.fitting import compute  # noqa: PLC0415 - imports torch
    from tagsight.training import gather, keep_binding, watched_while  # noqa: PLC0415 - beside it

    read = 0

    def reading(count: int) -> None:
        nonlocal read
        read += count
        progress(READING / 2, f"{read:,} values read")

    def computing(share: float, words: str) -> None:
        progress(READING + (1.0 - READING) * share, words)

    data = DataFolder(asked.data)
    async with _at_work(asked) as (plan, model, link, ledger):
        place = StorePlace(data.models, data.signing_key)
        results = plan.results.get(model.historian)
        progress(0.0, "reading")
        binding, task = await gather(
            model,
            link,
            place,
            plan.digest,
            progress=reading,
            results=results,
            ledger=ledger,
            language=plan.language,
        )
        work = asyncio.to_thread(compute, task, computing)
        outcome, (bound,) = await watched_while(work, link, [(model, binding)])
        keep_binding(ledger, model, bound, outcome.outputs)
        ledger.audit(asked.who, "trained", f"{outcome.model} version {outcome.version}")
        return outcome


async def _rehearse(asked: Asked, progress: Progress) -> "Rehearsal":
    from tagsight.averages import read_sources  # noqa: PLC0415 - beside what imports torch
    from tagsight.rehearsal import rehearse  # noqa: PLC0415 - beside it
    from tagsight.scoring import Scorer  # noqa: PLC0415 - imports torch
    from tagsight.tick import Participant  # noqa: PLC0415 - beside it

    data = DataFolder(asked.data)
    async with _at_work(asked) as (plan, model, link, ledger):
        scorer = Scorer(StorePlace(data.models, data.signing_key))
        facts = scorer.facts([model.key])
        binding = ledger.binding(model.key)
        if not facts or binding is None or binding.binding is None:
            raise NotReady(f"{model.key} has no approved version", "Train it first.")  # noqa: EM102 - two words
        if isinstance(facts[0], Unloadable):
            raise NotReady(f"no version of {model.key} can be loaded: {facts[0].why}", "Train a new one.")  # noqa: EM102

        async def read(sources: Sequence[str], part: Span) -> History:
            return await link.use_stored(lambda historian: read_sources(sources, part, historian))

        def told(done: int, of: int) -> None:
            progress(done / max(of, 1), f"{done:,} of {of:,} due times")

        participant = Participant.of(model, binding.binding, facts[0])
        span = Span(*asked.span)
        return await rehearse(participant, span, read, scorer, plan.timezone, told, plan.language)
