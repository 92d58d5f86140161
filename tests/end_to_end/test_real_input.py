"""A real historian export through the whole chain over OPC UA. What it says of the fault is reported, not tested.

`python -m tests.benchmarks.petrobras` prints that; docs/real-input.md states it.
"""

import csv
import math
from pathlib import Path

import numpy as np
import pytest

from tagsight.results import Run
from tagsight_connectors.history import Span
from tagsight_connectors.quality import GOOD, UNCERTAIN, Quality, quality_of
from tagsight_connectors.reading import read_history
from tests.end_to_end.petrobras import (
    EXPORT,
    GRID,
    RUN_END,
    RUN_START,
    TRAIN_START,
    Rig,
    replayed,
    rig,
    scoring_worker,
    trained,
    utc_ns,
)

EXPLAINED = 3


@pytest.mark.slow
async def test_a_real_export_goes_through_the_whole_chain_over_opc_ua(tmp_path: Path) -> None:
    worker = scoring_worker()
    explained: list[int] = []

    def wanted(one: object) -> bool:
        explained.append(0)
        return len(explained) <= EXPLAINED

    async with rig(tmp_path) as one:
        states = await _text_states_are_bad_and_no_numbers(one)
        model = await trained(one, worker)
        found = await replayed(one, model, worker, tmp_path / "ledger.sqlite", wanted)
    await worker.close()

    card = model.facts.card
    assert len(card.roles) + len(card.dropped) == 108
    assert TRAIN_START < card.start_ns <= TRAIN_START + GRID
    assert found.troubles == ()
    assert [run.due_ns for run in found.runs] == list(range(RUN_START, RUN_END, GRID))
    for run in found.runs:
        assert (run.version, run.trial) == (1, card.trial)
        _says_what_it_rests_on(run, len(card.roles))
        if run.reason.startswith("bad quality: "):
            named = run.reason.removeprefix("bad quality: ").removesuffix(" ...").split(", ")
            assert set(named) <= states
    assert any(run.score is not None for run in found.runs)
    assert any("replaced by its estimate: bad quality" in run.reason for run in found.runs)
    if card.trial:
        assert found.activations == ()
    _contributions_add_up([run for run in found.runs if run.explanation is not None])


async def _text_states_are_bad_and_no_numbers(one: Rig) -> set[str]:
    """Every cell of the file against what the OPC UA client reads; the tags that have text states."""
    with EXPORT.open(newline="", encoding="utf-8") as file:
        header, *rows = list(csv.reader(file))
    times = [utc_ns(row[0]) for row in rows]
    await one.link.use(_nothing)
    tags = {tag.name: tag.address async for tag in one.link.historian.browse("Process/*")}
    history = await read_history(one.link.historian, list(tags.values()), Span(0, 2**62))
    assert set(tags) == set(header[1:])
    with_states: set[str] = set()
    for column, name in enumerate(header[1:], 1):
        read = history.tags[tags[name]]
        by_time = {time: n for n, time in enumerate(read.times.tolist())}
        assert read.values.dtype == np.float64
        for time, row in zip(times, rows, strict=True):
            number = _number(row[column])
            if number is not None:
                assert read.values[by_time[time]] == number
                assert read.status[by_time[time]] == GOOD
            elif row[column]:
                with_states.add(name)
                assert math.isnan(read.values[by_time[time]])
                assert quality_of(int(read.status[by_time[time]])) is Quality.BAD
    assert with_states == {"tag2", "tag34", "tag36", "tag70", "tag72"}
    return with_states


def _says_what_it_rests_on(run: Run, roles: int) -> None:
    if run.score is None:
        assert run.reason
        assert quality_of(run.quality) is Quality.BAD
        return
    assert math.isfinite(run.score)
    assert run.quality in (GOOD, UNCERTAIN)
    assert bool(run.reason) == (run.quality == UNCERTAIN)
    assert len(run.roles) == roles
    assert all(math.isfinite(value) for role in run.roles for value in (role.actual, role.expected))
    assert all(role.lower <= role.expected <= role.upper for role in run.roles)


def _contributions_add_up(explained: list[Run]) -> None:
    assert len(explained) == EXPLAINED
    for run in explained:
        assert run.explanation is not None
        assert run.explanation.failure == ""
        assert run.score is not None
        assert set(run.explanation.contributions) == {role.role for role in run.roles}
        total = run.explanation.base + sum(run.explanation.contributions.values())
        assert abs(total - run.score) <= 1e-4 * max(1.0, abs(run.score))


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


async def _nothing(_historian: object) -> None:
    """Connects."""
