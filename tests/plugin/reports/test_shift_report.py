"""Shift reports of a real ledger: what they say, in three languages, from the command line and by the schedule."""

import string
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tagsight.__main__ import run
from tagsight.clocks import SetClock
from tagsight.configuration import check_text, load
from tagsight.drift_outputs import DRIFT_PART
from tagsight.errors import StorageError
from tagsight.judged_alarms import Verdict
from tagsight.ledger.ledger import Ledger
from tagsight.ledger.records import OperatorAct, TickRecord
from tagsight.plan import Plan
from tagsight.reports.gathering import ShiftReport, gather
from tagsight.reports.sections import Wording, sections
from tagsight.reports.shift_page import shift_page
from tagsight.reports.words import catalogues, words
from tagsight.reports.writing import write_scheduled
from tagsight.results import OutputRow, OutputValue, Run
from tagsight_connectors.history import Span
from tagsight_connectors.quality import GOOD
from tagsight_explain.language import languages
from tests.plugin.small_site import MINUTE
from tests.plugin.web.small_plant import SmallPlant, calm, past, rising

NOW = 1_760_004_000_000_000_000
SHIFT = Span(NOW - 480 * MINUTE, NOW)
SCRIPT = "<script>alert(1)</script>"
FILE = """
timezone: Europe/Berlin
historian: {url: "memory://plant"}
models:
  - {name: Health, asset: P101, inputs: ["*"], score: {every: 1m}}
  - {name: Health, asset: P102, inputs: ["*"], score: {every: 1m}}
report: {every: ["daily 06:00", "daily 14:00"], last: 8h, to: told}
"""


@dataclass
class Told:
    """A plant with one alarm, judged, and what is reported of it."""

    plant: SmallPlant
    plan: Plan

    def report(self, span: Span = SHIFT) -> ShiftReport:
        return gather(self.plant.ledger, self.plan.models, span, NOW, self.plant.heartbeat.read())

    def page(self, code: str = "en") -> str:
        return shift_page(self.report(), Wording.of(ZoneInfo("Europe/Berlin"), code))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tagsight.yaml"
    path.write_text(FILE, encoding="utf-8")
    return path


@pytest.fixture
def told(tmp_path: Path, file: Path) -> Iterator[Told]:
    clock = SetClock(NOW)
    plant = SmallPlant(tmp_path / "data", clock, clock.now_ns, start_ns=past(60, NOW))
    plant.score(rising(60))
    plant.score([*calm(50), *[None] * 10], "P102")
    (alarm,) = plant.ledger.activations(0, NOW + 1)
    judged = OperatorAct("e1", alarm.model, "olga", NOW - MINUTE, feedback=1, acknowledge=alarm.announced_ns,
                         comment=SCRIPT)  # fmt: skip
    plant.ledger.act([judged])
    looks = [_look(NOW - 70 * MINUTE, 1.4), _look(NOW - 10 * MINUTE, 1.2)]
    plant.ledger.record(TickRecord(rows=looks))
    plant.ledger.audit("TagSight", "trained", "P101/Health version 2")
    yield Told(plant, load(file))
    plant.close()


def _look(due_ns: int, drift: float) -> OutputRow:
    values = (OutputValue("Drift", drift, GOOD), OutputValue("DriftRelations", 0.3, GOOD),
              OutputValue("DriftReason", "inputs are where the training data were not: Flow ↑", GOOD))  # fmt: skip
    return OutputRow("P101/Health", due_ns, DRIFT_PART, values)


class _Reader(HTMLParser):
    """Every tag, and whether each that was opened was closed."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.open: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href"}]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_an_alarm_stands_with_its_message_its_feedback_and_who_acknowledged_it(told: Told) -> None:
    (one,) = told.report().alarms
    assert one.verdict is Verdict.TRUE
    assert (one.judged_by, one.alarm.acknowledged_by) == ("olga", "olga")
    assert one.message.startswith("P101: ")
    assert [comment.comment for comment in one.comments] == [SCRIPT]
    assert told.report().kpis.acknowledged_share == 1.0


def test_an_alarm_of_an_earlier_shift_that_still_stands_is_told_and_one_of_a_later_is_not(told: Told) -> None:
    later = told.report(Span(NOW, NOW + MINUTE))
    assert (len(later.alarms), later.kpis.announced) == (1, 0)
    assert told.report(Span(NOW - 600 * MINUTE, NOW - 120 * MINUTE)).alarms == ()


def test_the_availability_counts_what_was_not_scored_and_what_nobody_looked_at(told: Told) -> None:
    report = told.report(Span(NOW - 120 * MINUTE, NOW))
    good, bad = (one.availability for one in report.models)
    assert (good.scored, bad.scored, bad.not_scored) == (60, 50, 10)
    assert bad.reasons == (("no fresh value", 10),)
    assert 57 <= good.not_looked_at <= 60  # the newest two are not counted as due yet


def test_drift_is_the_newest_and_the_highest_of_the_period(told: Told) -> None:
    first, second = told.report().models
    assert (first.drift, first.relations) == ((1.2, 1.4), (0.3, 0.3))
    assert second.drift is None


def test_versions_that_took_over_are_told_and_one_that_ran_throughout_is_not(told: Told) -> None:
    assert [len(one.versions) for one in told.report().models] == [1, 1]
    told.plant.ledger.record(TickRecord(runs=[Run("P101/Health", NOW, 2, 0.2, GOOD)]))
    first, _ = told.report(Span(SHIFT.start_ns, NOW + MINUTE)).models
    assert [version for version, _ in first.versions] == [1, 2]


def test_the_audit_of_another_period_is_left_out(told: Told) -> None:
    assert told.report().audit == ()  # written now, which is the end of the shift and not in it
    (entry,) = told.report(Span(NOW - MINUTE, NOW + MINUTE)).audit
    assert entry.what == "trained"


@pytest.mark.parametrize("code", catalogues())
def test_the_page_holds_everything_and_runs_nothing(told: Told, code: str) -> None:
    reader = _Reader()
    reader.feed(told.page(code))
    assert reader.open == []
    assert reader.addresses == []
    assert not reader.tags & {"script", "img", "iframe", "link", "object", "form"}
    assert words(code)["availability_note"] in told.page(code)


def test_what_an_operator_wrote_is_text(told: Told) -> None:
    assert SCRIPT not in told.page()
    assert "&lt;script&gt;" in told.page()


def test_a_report_without_any_model_or_alarm_is_made_too(told: Told) -> None:
    bare = gather(told.plant.ledger, (), Span(NOW - 900 * MINUTE, NOW - 800 * MINUTE), NOW, None)
    said = [note for one in sections(bare, Wording.of(ZoneInfo("UTC"), "en")) for note in one.notes]
    assert {words("en")[key] for key in ("no_alarms", "no_models", "no_drift", "no_events")} <= set(said)


def test_every_language_of_the_operators_has_a_catalogue_with_the_same_words_and_places() -> None:
    assert catalogues() == languages()
    for code in catalogues():
        assert words(code).keys() == words("en").keys()
        for key, text in words(code).items():
            assert _places(text) == _places(words("en")[key]), key


def _places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_the_command_writes_the_file(
    told: Told, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, data = tmp_path / "out" / "report.html", str(told.plant.folder)
    period = ["--from", "2025-10-09 08:00", "--to", "2025-10-09 14:00"]
    assert run(["report", str(file), "--data", data, *period, "--out", str(out), "--language", "de"]) == 0
    assert "2025-10-09 08:00:00 bis 2025-10-09 14:00:00 (Europe/Berlin)" in capsys.readouterr().out
    assert "Schichtbericht" in out.read_text(encoding="utf-8")
    assert "P101/Health" in out.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "wrong",
    [["--last", "soon"], ["--from", "yesterday"], ["--from", "2026-01-02", "--to", "2026-01-01"], ["--language", "xx"]],
    ids=["no-duration", "no-date", "backwards", "no-language"],
)
def test_a_wrong_period_is_a_fault_of_usage(told: Told, file: Path, wrong: list[str]) -> None:
    assert run(["report", str(file), "--data", str(told.plant.folder), *wrong]) == 2


def test_without_a_ledger_the_command_says_what_must_be_there_first(file: Path, tmp_path: Path) -> None:
    assert run(["report", str(file), "--data", str(tmp_path / "none")]) == 4


def test_the_schedule_writes_a_file_named_by_its_time(told: Told, tmp_path: Path) -> None:
    path = write_scheduled(told.plan, told.plant.data, SetClock(NOW))
    assert path == tmp_path / "told" / "tagsight-20251009-120000+0200.html"
    assert [one.name for one in (tmp_path / "told").iterdir()] == [path.name]
    assert "P101: " in path.read_text(encoding="utf-8")


def test_a_folder_that_cannot_be_written_is_told_and_not_half_written(told: Told, tmp_path: Path) -> None:
    (tmp_path / "told").write_text("a file", encoding="utf-8")
    with pytest.raises(StorageError, match="cannot be written"):
        write_scheduled(told.plan, told.plant.data, SetClock(NOW))


def test_without_the_setting_nothing_is_written(told: Told, tmp_path: Path) -> None:
    assert write_scheduled(replace(told.plan, report=None), told.plant.data, SetClock(NOW)) is None
    assert not (tmp_path / "told").exists()


@pytest.mark.parametrize("report", ["{}", '{every: ["sometimes"]}', '{every: "daily 06:00", last: 5m}'])
def test_a_wrong_schedule_is_a_fault_of_the_configuration(report: str, tmp_path: Path) -> None:
    text = FILE.replace('{every: ["daily 06:00", "daily 14:00"], last: 8h, to: told}', report)
    assert any(fault.setting.startswith("report") for fault in check_text(text, tmp_path / "tagsight.yaml").faults)


def test_making_a_report_needs_nothing_but_reading(told: Told) -> None:
    with Ledger.open_reader(told.plant.data.ledger, SetClock(NOW)) as reader:
        assert gather(reader, told.plan.models, SHIFT, NOW, None) == replace(told.report(), status=None, alive=False)
