"""`tagsight probe`: connects to every historian of a configuration and says what would not work, and its mend."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tagsight.commands.options import data_option, file_argument
from tagsight.data_folder import DataFolder

if TYPE_CHECKING:
    from tagsight.clocks import Clock
    from tagsight.examination import Examination
    from tagsight.plan import Plan
    from tagsight.probing import Finding, ModelFacts


@click.command()
@file_argument
@data_option
@click.option("--watch", "seconds", type=click.IntRange(0, 3600), default=10, show_default=True,
              help="Seconds to watch new values arrive; the arrival delay comes from them.")  # fmt: skip
@click.option("--values", type=click.IntRange(1_000, 1_000_000_000), default=1_000_000, show_default=True,
              help="Values of each tag to look at; of a longer history the newest part.")  # fmt: skip
def command(file: Path, data: DataFolder, seconds: int, values: int) -> None:
    """Connect and examine: certificate, clock, rights, history of each tag. Writes nothing to any historian."""
    from tagsight.clocks import SystemClock
    from tagsight.configuration import load
    from tagsight.errors import CheckFailed
    from tagsight.probing import Weight

    plan = load(file)
    data.create()

    async def second() -> None:
        await asyncio.sleep(1.0)

    blocking = asyncio.run(probe(plan, data, SystemClock(), pause=second, looks=seconds, values=values))
    if blocking:
        msg = f"{blocking} finding{'s' if blocking != 1 else ''} marked {Weight.BLOCKS.value!r}"
        raise CheckFailed(msg, "Each stands above with its mend.")


async def probe(
    plan: "Plan", data: DataFolder, clock: "Clock", *, pause: Callable[[], Awaitable[None]], looks: int, values: int
) -> int:
    """Examine and print; how many findings prevent running."""
    from tagsight.errors import TagSightError
    from tagsight.examination import Examination
    from tagsight.historians import open_plan_historian
    from tagsight.probing import Finding, Weight
    from tagsight.secrets import Secrets
    from tagsight_connectors.errors import HistorianError

    secrets, blocking = Secrets(data, os.environ), 0
    for name, historian in plan.historians.items():
        try:
            opened = open_plan_historian(historian, data, secrets, timezone=plan.timezone.key)
        except (TagSightError, HistorianError) as error:
            blocking += _show([Finding(Weight.BLOCKS, f"historian {name}", str(error), error.mend)])
            continue
        live = 0 if historian.url.startswith("file:") else looks  # nothing arrives in an export
        examination = Examination(name, historian.url, opened, clock, pause, live, values, _progress)
        try:
            blocking += await _historian(plan, examination, data)
        except HistorianError as error:
            blocking += _show([Finding(Weight.BLOCKS, f"historian {name}", str(error), error.mend)])
        finally:
            await opened.close()
    return blocking


async def _historian(plan: "Plan", examination: "Examination", data: DataFolder) -> int:
    from tagsight.probing import judge_historian, judge_model

    facts = await examination.connect()
    blocking = _show(judge_historian(facts))
    if facts.description is None:
        return blocking
    now_ns = facts.description.server_time_ns or facts.now_ns
    bound = []
    for model in plan.models:
        if model.historian == examination.name:
            found = await examination.model(model, plan.results.get(examination.name), now_ns)
            blocking += _show(judge_model(found, live=not facts.is_file))
            _table(found)
            bound.append(found)
    return blocking + await _results(plan, examination, data, bound, creates=facts.is_file)


async def _results(
    plan: "Plan", examination: "Examination", data: DataFolder, bound: "Sequence[ModelFacts]", *, creates: bool
) -> int:
    from tagsight.errors import NotAllowed, NotReady
    from tagsight.fence import checked_targets
    from tagsight.probing import Finding, Weight, judge_targets
    from tagsight.tag_list import known_outputs

    results = plan.results.get(examination.name)
    if results is None or not results.in_historian:
        return 0
    where = f"results in {examination.name}"
    bindings = {one.model.key: one.binding for one in bound if one.binding is not None}
    roles = {key: binding.roles for key, binding in bindings.items()}
    reads = [address for binding in bindings.values() for address in binding.all_addresses]
    try:
        targets = checked_targets(plan, examination.name, roles, reads, known_outputs(data.ledger))
    except (NotAllowed, NotReady) as error:
        return _show([Finding(Weight.BLOCKS, where, str(error), error.mend)])
    if creates:
        return _show([Finding(Weight.FINE, where, f"{len(targets)} tags will be made in a file beside the export")])
    return _show(judge_targets(examination.name, await examination.targets(targets), results.to))


def _show(findings: "Iterator[Finding] | Sequence[Finding]") -> int:
    from tagsight.probing import Weight

    blocking = 0
    for finding in findings:
        blocking += finding.weight is Weight.BLOCKS
        click.echo(f"{finding.weight.value}: {finding.where}: {finding.what}")
        if finding.mend:
            click.echo(f"    {finding.mend}")
    return blocking


def _table(facts: "ModelFacts") -> None:
    from tagsight.probing import tag_line

    if facts.tags:
        click.echo("  tag | values | usual gap | 99.9 % of gaps | bad | newest | arrives after")
    for tag in facts.tags:
        click.echo("  " + " | ".join(tag_line(tag, facts.now_ns)))


def _progress(line: str) -> None:
    """One line that is overwritten, and only on a terminal."""
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{line}\r", err=True, nl=False)
