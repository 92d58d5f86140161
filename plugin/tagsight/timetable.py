"""When trainings run, as people write it: "sun 03:30", "mon-fri 02:00", "daily 02:00", "monthly 1 04:00", "every 6h".

The result is what APScheduler's CronTrigger takes; what the calendar cannot say evenly ("every 7h") is refused.
"""

import re
from typing import Final

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

EXAMPLES: Final = '"sun 03:30", "mon-fri 02:00", "daily 02:00", "monthly 1 04:00" or "every 6h"'

_TIME: Final = r"(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)"
_DAY: Final = f"(?:{'|'.join(DAYS)})"
_DAYS: Final = re.compile(rf"(?P<days>{_DAY}(?:-{_DAY})?(?:, ?{_DAY}(?:-{_DAY})?)*) {_TIME}", re.ASCII)
_DAILY: Final = re.compile(rf"daily {_TIME}", re.ASCII)
_MONTHLY: Final = re.compile(rf"monthly (?P<day>[1-9]|1\d|2[0-8]) {_TIME}", re.ASCII)
_EVERY: Final = re.compile(r"every (?P<count>\d{1,2})(?P<unit>[hm])", re.ASCII)


def parse_timetable(text: str) -> dict[str, str]:
    """Fields of a CronTrigger: `{"day_of_week": "sun", "hour": "3", "minute": "30"}`.

    Raises:
        ValueError: with the reason in words.
    """
    written = " ".join(text.lower().split())
    if match := _DAYS.fullmatch(written):
        return {"day_of_week": match["days"].replace(" ", "")} | _clock(match)
    if match := _DAILY.fullmatch(written):
        return _clock(match)
    if match := _MONTHLY.fullmatch(written):
        return {"day": match["day"]} | _clock(match)
    if match := _EVERY.fullmatch(written):
        return _repeated(int(match["count"]), match["unit"])
    raise ValueError("not a schedule")


def _clock(match: re.Match[str]) -> dict[str, str]:
    return {"hour": str(int(match["hour"])), "minute": str(int(match["minute"]))}


def _repeated(count: int, unit: str) -> dict[str, str]:
    whole, name = (24, "a day") if unit == "h" else (60, "an hour")
    if count == 0 or whole % count:
        raise ValueError(f"{count}{unit} does not divide {name} evenly")  # noqa: EM102 - shown inside a Fault
    if unit == "h":
        return {"hour": f"*/{count}", "minute": "0"}
    return {"minute": f"*/{count}"}
