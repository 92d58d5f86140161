"""Logs: lines that can be read, bounded, and without secrets."""

import json
import logging
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagsight import logs
from tagsight.clocks import SetClock
from tagsight.logs import PER_MINUTE, Echo, Logger, logger_to, open_log, redact


class Lines:
    def __init__(self) -> None:
        self.texts: list[str] = []

    def msg(self, text: str) -> None:
        self.texts.append(text)

    debug = info = warning = error = msg

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(text) for text in self.texts]


def logged(clock: SetClock | None = None) -> tuple[Logger, Lines]:
    lines = Lines()
    return logger_to(lines, clock or SetClock(5)), lines


def test_a_line_has_event_level_time_and_what_was_bound() -> None:
    log, lines = logged()
    log.bind(model="P101/Health").warning("late", seconds=3)
    expected = {"event": "late", "level": "warning", "time_ns": 5, "model": "P101/Health", "seconds": 3}
    assert lines.events == [expected | {"time": "1970-01-01T00:00:00.000+00:00"}]


def test_debug_lines_need_to_be_asked_for() -> None:
    log, lines = logged()
    log.debug("detail")
    assert lines.texts == []


def test_an_event_that_repeats_is_held_back_and_counted_later() -> None:
    clock = SetClock()
    log, lines = logged(clock)
    for _ in range(PER_MINUTE + 7):
        log.info("again")
    log.info("other")
    assert len(lines.texts) == PER_MINUTE + 1
    clock.advance(60.0)
    log.info("again")
    assert lines.events[-1]["left_out"] == 7


SECRET = "h1dden-s3cret"


@pytest.mark.parametrize(
    "fields",
    [
        {"password": SECRET},
        {"Passwd": SECRET},
        {"client_secret": SECRET},
        {"access_token": SECRET},
        {"private_key": SECRET},
        {"nested": {"inner": [{"password": SECRET}]}},
        {"url": f"opc.tcp://anna:{SECRET}@scada01:4840"},
        {"cause": f"login with password={SECRET} refused"},
        {"cause": ValueError(f"password: {SECRET}")},
    ],
)
def test_secrets_are_never_logged(fields: dict[str, Any]) -> None:
    log, lines = logged()
    log.info("connecting", **fields)
    assert SECRET not in lines.texts[0]


VALUES = st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5)


@settings(max_examples=30, deadline=None)
@given(value=VALUES)
def test_whatever_stands_under_a_secret_name_is_not_logged(value: Any) -> None:
    assert redact(None, "", {"password": value}) == {"password": "(not logged)"}


def test_files_rotate_and_never_exceed_their_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "FILE_BYTES", 2_000)
    clock = SetClock()
    with open_log(tmp_path, "service", clock=clock) as log:
        for number in range(200):
            clock.advance(10.0)
            log.info("event", number=number, text="x" * 100)
    files = list(tmp_path.iterdir())
    assert {file.name for file in files} == {"service.log", "service.log.1"}
    assert all(file.stat().st_size <= 2_000 for file in files)


def test_logs_of_all_processes_together_stay_below_50_mb() -> None:
    assert logs.FILE_BYTES * logs.FILES <= 50_000_000
    assert max(2, logs.FILES // logs.PROCESSES) * logs.PROCESSES <= logs.FILES


def test_people_read_the_same_lines_in_their_own_time_and_without_secrets() -> None:
    said: list[str] = []
    clock = SetClock(1_767_225_600_000_000_000)
    log = logger_to(Lines(), clock, echo=Echo(said.append, ZoneInfo("Europe/Berlin")))
    log.warning("tag server", message="ended\nwith password=h1dden", code=1)
    assert said == ["2026-01-01 01:00:00 CET warning tag server: ended with password=(not logged); code=1"]
    for _ in range(2 * PER_MINUTE):
        log.info("again")
    assert len(said) == 1 + PER_MINUTE


def test_a_console_that_is_gone_loses_its_lines_and_stops_nothing() -> None:
    def gone(_line: str) -> None:
        raise BrokenPipeError

    lines = Lines()
    logger_to(lines, SetClock(), echo=Echo(gone)).info("alarm")
    assert len(lines.texts) == 1


def test_what_libraries_warn_of_goes_to_the_log_as_long_as_it_is_open(tmp_path: Path) -> None:
    library = logging.getLogger("some.library")
    with open_log(tmp_path, "tag-server") as log:
        log.info("serving")
        library.info("not worth a line")
        library.warning("port %d: token=%s", 4841, SECRET)
    library.warning("afterwards")
    events = [json.loads(line) for line in (tmp_path / "tag-server.log").read_text(encoding="utf-8").splitlines()]
    assert [(one["event"], one.get("message")) for one in events] == [
        ("serving", None),
        ("some.library", "port 4841: token=(not logged)"),
    ]
