"""Periods marked on a trend."""

from pathlib import Path

import pytest

from tagsight.applied import AppliedFolder
from tagsight.clocks import SetClock
from tagsight.configuration import load
from tagsight.data_folder import DataFolder
from tagsight.errors import ConfigurationError, NotAllowed, NotReady
from tagsight.inbox import Inbox
from tagsight.plan import WebPlan
from tagsight.web import marking
from tagsight.web.site import Site

FILE = """
timezone: Europe/Berlin    # of the plant
historian: {url: "memory://plant"}
results: {to: server}
templates:
  pump: {name: Health, inputs: ["{asset}/*"]}
models:
  - {name: Health, asset: P101, inputs: ["P101/*"]}
  - name: Faults
    asset: P101
    inputs: ["P101/*"]
    job: diagnosis
    diagnosis: {labels: {file: faults.csv}}
  - {template: pump, asset: P102}
"""
SPAN = ("2026-01-01 06:00:00", "2026-01-02 07:00:00")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    file = tmp_path / "tagsight.yaml"
    file.write_text(FILE, encoding="utf-8")
    (tmp_path / "faults.csv").write_text("from,to,label\n2025-01-01,2025-01-02,bearing\n", encoding="utf-8")
    data = DataFolder(tmp_path / "data")
    data.create()
    return Site(data, WebPlan(), SetClock(1_790_000_000_000_000_000), Inbox.open(data.inbox), file)


def test_a_period_that_is_left_out_stands_in_the_configuration_with_its_author_and_is_applied(site: Site) -> None:
    assert site.file is not None
    model = load(site.file).models[0]
    applied = marking.leave_out(site, model, SPAN, "seal replaced", "emil")
    plan = load(site.file)
    (period,) = plan.models[0].train.exclude
    assert (period.start_ns, period.reason) == (1_767_243_600_000_000_000, "seal replaced")
    assert marking.shown(period.start_ns, plan.timezone) == SPAN[0]
    assert "# of the plant" in site.file.read_text(encoding="utf-8")
    assert AppliedFolder(site.data.applied).request() == applied
    assert applied.who == "emil"


def test_a_period_beyond_the_data_is_taken_and_one_that_ends_before_it_begins_is_refused(site: Site) -> None:
    assert site.file is not None
    model = load(site.file).models[0]
    marking.leave_out(site, model, ("2031-01-01", "2031-02-01"), "", "emil")
    before = site.file.read_text(encoding="utf-8")
    with pytest.raises(ConfigurationError):
        marking.leave_out(site, model, (SPAN[1], SPAN[0]), "", "emil")
    assert site.file.read_text(encoding="utf-8") == before


def test_a_model_of_a_template_is_refused(site: Site) -> None:
    assert site.file is not None
    model = next(one for one in load(site.file).models if one.asset == "P102")
    with pytest.raises(NotAllowed, match="template"):
        marking.leave_out(site, model, SPAN, "", "emil")


def test_a_label_is_a_row_of_the_table_of_the_diagnosis(site: Site) -> None:
    assert site.file is not None
    health, faults, _ = load(site.file).models
    assert marking.label_table(site, health) is None
    table = marking.label_table(site, faults)
    assert table == site.file.parent / "faults.csv"
    marking.label(table, SPAN, "seal")
    (_, added) = load(site.file).models[1].of_job.labels.periods  # type: ignore[union-attr]
    assert added.label == "seal"


def test_pages_without_a_configuration_say_so(site: Site) -> None:
    assert site.file is not None
    model = load(site.file).models[0]
    site.file = None
    with pytest.raises(NotReady, match="without a configuration"):
        marking.leave_out(site, model, SPAN, "", "emil")
