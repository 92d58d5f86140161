"""A tick gives a soft sensor the laboratory values that count, each with the inputs at the time of its sample."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tagsight.job_plans import QualityPlan
from tagsight.plan import Job
from tagsight.scoring_task import LabReading, ScoreTask
from tagsight.tick import Participant
from tagsight.workers import Task
from tagsight_connectors.tag import Tag
from tests.plugin.small_site import MINUTE, ROLES, START, OwnProcess, Site

LAB = "Lab/X"
BACK = 40 * MINUTE
SAMPLED = (-50, -35, -20, -5)


class Watched(OwnProcess):
    """Remembers what it was asked to score."""

    def __init__(self) -> None:
        super().__init__()
        self.tasks: list[ScoreTask] = []

    async def run(self, task: Task, _progress: Any = None) -> Any:
        if task.name == "score":
            self.tasks += task.argument[1]
        return await super().run(task)

    @property
    def readings(self) -> tuple[LabReading, ...]:
        return self.tasks[-1].laboratory


@pytest.fixture
def watched() -> Watched:
    return Watched()


@pytest.fixture
def site(tmp_path: Path, watched: Watched) -> Site:
    made = Site(tmp_path, assets=("P101",), worker=watched)
    made.store.add(Tag(LAB, LAB))
    times = START + MINUTE * np.array(SAMPLED, dtype=np.int64)
    made.store.append(LAB, times, np.array([1.0, 2.0, 3.0, 4.0]))
    one = made.participants[0]
    plan = replace(one.plan, job=Job.QUALITY, of_job=QualityPlan(LAB))
    asks = {"target_back_ns": BACK, "target_known_after_ns": 0, "target_values": 2}
    facts = replace(one.facts, card=replace(one.facts.card, job="quality", asks=asks))
    made.participants = [Participant.of(plan, replace(one.binding, beside={LAB: LAB}), facts)]
    return made


async def test_the_newest_values_that_count_come_with_the_inputs_before_them(site: Site, watched: Watched) -> None:
    await site.minutes(1)
    assert [(one.sampled_ns - START) // MINUTE for one in watched.readings] == [-20, -5]
    assert [one.value for one in watched.readings] == [3.0, 4.0]
    for one in watched.readings:
        assert set(one.history) == set(ROLES)
        times = one.history[ROLES[0]].times
        assert times[-1] == one.sampled_ns
        assert times[0] <= one.sampled_ns - 9 * MINUTE  # a whole window of ten steps


async def test_a_value_that_comes_later_counts_from_then_on(site: Site, watched: Watched) -> None:
    await site.minutes(1)
    site.store.append(LAB, np.array([START + MINUTE], dtype=np.int64), np.array([5.0]))
    await site.minutes(2)
    assert [one.value for one in watched.readings] == [4.0, 5.0]


async def test_a_laboratory_that_cannot_be_read_is_told_and_does_not_stop_the_soft_sensor(site: Site) -> None:
    one = site.participants[0]
    site.participants = [replace(one, binding=replace(one.binding, beside={LAB: "Lab/Gone"}))]
    await site.minutes(1)
    assert site.runs()[-1].score is not None
    assert any("laboratory" in what for what, _ in site.troubles)
