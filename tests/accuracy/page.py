"""The page of accuracy, made of what the suites measured."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.accuracy.result import Result


def page(measured: Sequence[Mapping[str, Any]]) -> str:
    """Markdown: a section for each suite, a table for each set in it; ours in bold."""
    return "\n".join(line for one in measured for line in _section(one)) + "\n"


def _section(one: Mapping[str, Any]) -> Iterator[str]:
    results = [Result(**result) for result in one["results"]]
    yield f"## {one['job']}: {one['name']}\n"
    yield f"{one['protocol']}\n"
    yield f"Seeds {one['seeds']}; {one['seconds']:.0f} s, {one['peak_mb']:.0f} MB for the whole suite.\n"
    for data in dict.fromkeys(result.data for result in results):
        yield from _table(data, [result for result in results if result.data == data], one["aims"])
        yield ""
    notes = [f"- {result.method} ({result.data}): {result.note}" for result in results if result.note]
    if notes:
        yield "\n".join(notes) + "\n"


def _table(data: str, results: Sequence[Result], aims: Mapping[str, str]) -> Iterator[str]:
    metrics = list(dict.fromkeys(metric for result in results for metric in result.metrics))
    yield f"| {data} | {' | '.join(metrics)} |"
    yield f"|---|{'---|' * len(metrics)}"
    for result in results:
        cells = [result.shown(metric) if metric in result.metrics else "" for metric in metrics]
        strong = "**" if result.ours else ""
        yield f"| {strong}{result.method}{strong} | {' | '.join(f'{strong}{c}{strong}' if c else '' for c in cells)} |"
    if any(metric in aims for metric in metrics):
        yield f"| aim | {' | '.join(aims.get(metric, '') for metric in metrics)} |"
