"""The settings of shift reports: a part of the specification of the configuration file."""

from typing import Final

from tagsight.duration import UNITS_NS
from tagsight.setting import Setting, setting
from tagsight.setting_types import Duration, Line, Timetable

REPORTS_LIMIT: Final = 24
HOUR: Final = UNITS_NS["h"]


class Report(Setting):
    """Shift reports that the service writes by the calendar (docs/report.md)."""

    every: list[Timetable] = setting(
        "When: one or more times.", example=["daily 06:00", "daily 14:00", "daily 22:00"], max_length=REPORTS_LIMIT
    )
    last: Duration = setting(
        "How much time before that it tells of.", default=8 * HOUR, example="8h", ge=HOUR, le=366 * UNITS_NS["d"]
    )
    to: Line = setting(
        "Folder of the reports, made if it is not there; relative to the folder of this file.",
        default="reports",
        example="reports",
    )
