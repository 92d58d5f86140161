from dataclasses import replace
from pathlib import Path

import pytest

from tagsight.configuration import check_text
from tagsight.plan import Job, ModelPlan
from tagsight.sisters import sister_key
from tagsight.validation import SettingFault
from tests.end_to_end.plant import model_plan

P101 = replace(model_plan(), asset="P101", name="Health")
P102 = replace(P101, asset="P102")
FILE = """
timezone: UTC
historian: {url: "memory:plant"}
models:
  - {name: Health, asset: P101, inputs: ["P101/*"], SISTER}
  - {name: Health, asset: P102, inputs: ["P102/*"]}
"""


def among(*models: ModelPlan) -> dict[str, ModelPlan]:
    return {one.key.casefold(): one for one in models}


@pytest.mark.parametrize("said", ["P102 Health", "P102/Health", "p102 health"])
def test_a_sister_is_named_by_asset_and_name(said: str) -> None:
    assert sister_key(replace(P101, sister=said), among(P101, P102)) == "P102/Health"


def test_a_model_that_names_itself_starts_from_nothing() -> None:
    assert sister_key(replace(P101, sister="P101 Health"), among(P101, P102)) == ""
    assert sister_key(P101, among(P101, P102)) == ""


def test_a_sister_of_another_file_is_named_by_her_key() -> None:
    assert sister_key(replace(P101, sister="P900/Health"), among(P101)) == "P900/Health"


@pytest.mark.parametrize("said", ["P900 Health", "P900", "a/b/c", "/Health"])
def test_a_sister_that_is_not_there_is_a_fault(said: str) -> None:
    found = sister_key(replace(P101, sister=said), among(P101, P102))
    assert isinstance(found, SettingFault)
    assert "no model of this name" in found.cause


def test_a_sister_of_another_job_is_a_fault() -> None:
    quality = replace(P102, job=Job.QUALITY)
    found = sister_key(replace(P101, sister="P102/Health"), among(P101, quality))
    assert isinstance(found, SettingFault)
    assert "quality" in found.cause


def test_the_plan_has_the_key_of_a_sister_that_stands_further_down() -> None:
    checked = check_text(FILE.replace("SISTER", 'from: "P102 Health", train: {search: 20 trials}'), Path("plant.yaml"))
    assert checked.plan is not None
    assert checked.plan.models[0].sister == "P102/Health"
    assert checked.plan.models[0].train.search == 20


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        pytest.param('from: "P109 Health"', "from", id="no such sister"),
        pytest.param("train: {search: 20}", "search", id="trials without unit"),
        pytest.param("train: {search: 1 trials}", "search", id="one trial"),
        pytest.param("train: {search: 900 trials}", "search", id="too many trials"),
        pytest.param('job: production, production: {target: T}, from: "P102 Health"', "from", id="job without sisters"),
        pytest.param(
            "job: production, production: {target: T}, train: {search: 9 trials}", "train", id="job without search"
        ),
    ],
)
def test_what_cannot_be_is_a_fault_of_the_file(setting: str, named: str) -> None:
    checked = check_text(FILE.replace("SISTER", setting), Path("plant.yaml"))
    assert checked.plan is None
    assert any(named in fault.setting for fault in checked.faults)
