from pathlib import Path

import pytest

from tagsight.configuration import Checked, check_text
from tagsight.templates import _NOT_TEXT

TEXT = """\
timezone: UTC
historian: {url: "opc.tcp://a:4840", user: x}
templates:
  pump:
    name: Health
    asset: "{machine}"
    inputs: ["Plant/{machine}/*"]
    running: "[{speed}] > 100"
    alarm: {at_most: 2 per month, on_delay: 5m}
models:
  - {template: pump, machines: pumps.csv}
"""


def checked(folder: Path, table: str, text: str = TEXT) -> Checked:
    (folder / "pumps.csv").write_text(table, encoding="utf-8")
    return check_text(text, folder / "tagsight.yaml")


def test_one_template_and_one_table_make_many_models(tmp_path: Path) -> None:
    plan = checked(tmp_path, "machine,speed\nP101,P101/S\nP102,P102/S\n").plan
    assert plan is not None
    assert [model.key for model in plan.models] == ["P101/Health", "P102/Health"]
    assert plan.models[1].inputs == ("Plant/P102/*",)
    assert plan.models[1].running is not None
    assert plan.models[1].running.text == "[P102/S] > 100"


def test_a_column_overrides_its_setting_where_the_cell_is_not_empty(tmp_path: Path) -> None:
    table = "machine;speed;alarm.at_most;roles.flow.smallest_deviation;score.window\nP1;S;1 per week;0.5;30\nP2;S;;;\n"
    plan = checked(tmp_path, table).plan
    assert plan is not None
    first, second = plan.models
    assert first.alarm.at_most == 1.0
    assert first.alarm.on_delay_ns == second.alarm.on_delay_ns == 300 * 10**9
    assert first.input_settings["flow"].smallest_deviation == 0.5
    assert first.score.window_steps == 30
    assert second.alarm.at_most == 2.0


def test_settings_beside_a_template_win(tmp_path: Path) -> None:
    text = TEXT.replace("machines: pumps.csv", "asset: P7, inputs: [a], running: '[b] > 1', alarm: {on_delay: 1m}")
    plan = checked(tmp_path, "", text).plan
    assert plan is not None
    assert plan.models[0].asset == "P7"
    assert plan.models[0].alarm.on_delay_ns == 60 * 10**9
    assert plan.models[0].alarm.at_most == 2.0


@pytest.mark.parametrize(
    ("table", "words"),
    [
        pytest.param("", "has no lines", id="empty"),
        pytest.param("machine,speed\n", "has no lines", id="header-only"),
        pytest.param("machine,machine\na,b\n", "twice", id="column-twice"),
        pytest.param("machine,speed\nP1\n", "1 cells, but 2 columns (pumps.csv line 2)", id="short-line"),
        pytest.param("machine\nP1\n", "no column 'speed'", id="missing-column"),
        pytest.param("machine,speed\nP1,\n", "{speed} has no value (pumps.csv line 2)", id="empty-cell"),
        pytest.param("machine,speed,alram.at_most\nP1,S,1\n", "unknown setting", id="typo"),
        pytest.param("machine,speed,alarm.at_mst\nP1,S,1 per day\n", "Did you mean `at_most`?", id="unknown-setting"),
        pytest.param("machine,speed,alarm.at_most\nP1,S,1\n", "(pumps.csv line 2)", id="bad-cell"),
        pytest.param("machine,speed\nP/1,S\n", "cannot be part of a name", id="bad-name"),
        pytest.param("machine,speed\nP1,S\nP1,S\n", "second model", id="machine-twice"),
        pytest.param('machine,speed\n"P1,S\n', "not CSV", id="quote"),
    ],
)
def test_a_fault_of_a_table_is_named_with_its_line(tmp_path: Path, table: str, words: str) -> None:
    found = [str(fault) for fault in checked(tmp_path, table).faults]
    assert any(words in fault for fault in found), found


def test_a_fault_of_the_template_is_reported_once(tmp_path: Path) -> None:
    table = "machine,speed\n" + "".join(f"P{number},S\n" for number in range(50))
    found = checked(tmp_path, table, TEXT.replace("on_delay: 5m", "on_delay: 5")).faults
    assert len(found) == 1
    assert found[0].line == 9


def test_cells_of_numbers_and_flags_are_read_as_such() -> None:
    of_every_job = {"window", "seed", "severity", "latch", "smallest_deviation", "seconds", "substitute"}
    of_some = {"feedback", "coverage", "sure_from", "above", "below", "low", "high", "false", "missed"}
    assert of_every_job | of_some == _NOT_TEXT
