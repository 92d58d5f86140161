"""The examples of docs/jobs.md are configurations without a fault."""

import re
from pathlib import Path

import pytest

from tagsight.configuration import check_text
from tagsight.plan import Job

PAGE = (Path(__file__).parents[2] / "docs" / "jobs.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=[Job(re.search(r"job: (\w+)", one)[1]).value for one in EXAMPLES])  # type: ignore[index]
def test_an_example_of_a_job_loads_without_fault(example: str, tmp_path: Path) -> None:
    checked = check_text(example, tmp_path / "tagsight.yaml")
    assert not checked.faults, [str(fault) for fault in checked.faults]
    assert checked.plan is not None
    assert checked.plan.models[0].of_job is not None


def test_every_job_beside_health_has_an_example() -> None:
    assert {Job(re.search(r"job: (\w+)", one)[1]) for one in EXAMPLES} == set(Job) - {Job.HEALTH}  # type: ignore[index]
