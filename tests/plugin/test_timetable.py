import pytest
from apscheduler.triggers.cron import CronTrigger

from tagsight.timetable import parse_timetable


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("sun 03:30", {"day_of_week": "sun", "hour": "3", "minute": "30"}),
        ("Mon-Fri 2:00", {"day_of_week": "mon-fri", "hour": "2", "minute": "0"}),
        ("mon, thu 02:00", {"day_of_week": "mon,thu", "hour": "2", "minute": "0"}),
        ("daily 23:59", {"hour": "23", "minute": "59"}),
        ("monthly 1 04:00", {"day": "1", "hour": "4", "minute": "0"}),
        ("every 6h", {"hour": "*/6", "minute": "0"}),
        ("every 30m", {"minute": "*/30"}),
    ],
)
def test_a_schedule_becomes_fields_that_apscheduler_takes(text: str, fields: dict[str, str]) -> None:
    assert parse_timetable(text) == fields
    CronTrigger(timezone="UTC", **fields)


@pytest.mark.parametrize("text", ["", "sun", "sunday 03:30", "daily 24:00", "every 7h", "every 0h", "monthly 31 04:00"])
def test_what_the_calendar_cannot_say_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"schedule|evenly"):
        parse_timetable(text)
