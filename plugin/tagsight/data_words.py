"""The health of data in words: cells of a table and lines, for the command line and the pages. Pure."""

from datetime import datetime, tzinfo
from math import isfinite
from typing import Final

from tagsight.data_health import TagHealth
from tagsight.data_look import DataLook
from tagsight.duration import format_duration
from tagsight_models.reasons import Reason

HEAD: Final = ("input", "values", "coverage", "every", "longest gap", "Bad", "lowest", "highest", "unit", "remarks")
STILL: Final = 240
"""Equal values in a row from which on a signal that has `VARIED` different ones is asked about."""
VARIED: Final = 50
OFTEN: Final = 0.005
"""Share from which on values outside the range, or of uncertain quality, are a remark."""


def tag_cells(one: TagHealth) -> tuple[str, ...]:
    """One input, as `HEAD` says."""
    return (
        one.role.name,
        f"{one.samples:,}",
        f"{100.0 * one.coverage:.1f} %",
        _seconds(one.usual_gap_s),
        _seconds(one.longest_gap_s),
        f"{100.0 * one.bad:.1f} %",
        _number(one.lowest),
        _number(one.highest),
        one.role.unit,
        "; ".join(remarks(one)),
    )


def remarks(one: TagHealth) -> list[str]:
    """What an engineer should look at before training."""
    if not one.samples:
        return ["no values in this period"]
    found = []
    if one.constant:
        found.append("constant: no model can learn from it")
    elif not one.role.step and one.distinct >= VARIED and one.still_values >= STILL:
        found.append(f"stands still for {_seconds(one.still_s)}: is that normal?")
    if one.outside > OFTEN:
        found.append(
            f"{100.0 * one.outside:.1f} % outside {one.role.low:g} to {one.role.high:g} {one.role.unit}".rstrip()
        )
    if one.uncertain > OFTEN:
        found.append(f"{100.0 * one.uncertain:.1f} % of uncertain quality")
    counted = ((reason, one.counts.get(reason, 0)) for reason in (Reason.FLAT_LINE, Reason.SPIKE, Reason.NOT_A_NUMBER))
    found += [f"{reason.words}: {count:,} steps" for reason, count in counted if count]
    times = one.times
    wrong = (
        (times.unsorted, "values out of order"),
        (times.duplicates, "values at the same time as another"),
        (times.future, "values of the future"),
        (times.absurd, "values before 1980"),
    )
    return found + [f"{count:,} {words}" for count, words in wrong if count]


def left_out_lines(look: DataLook, timezone: tzinfo) -> list[str]:
    """The period and the share that counts; what is left out, a line for each reason; inputs that were skipped."""
    health = look.health
    start, end = (datetime.fromtimestamp(ns / 1e9, tz=timezone) for ns in (health.start_ns, health.end_ns))
    share = 100.0 * health.usable / health.steps if health.steps else 0.0
    grid = format_duration(health.grid_ns)
    counted = f"{health.steps:,} steps of {grid}; {health.usable:,} count ({share:.1f} %)"
    lines = [f"{look.plan.key}: {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}, {counted}"]
    for reason, count in sorted(health.left_out.items(), key=lambda pair: -pair[1]):
        lines.append(f"left out, {reason.words}: {count:,} steps ({format_duration(count * health.grid_ns)})")
    lines += [f"not an input, {path}: {why}" for path, why in look.binding.skipped]
    return lines


def _seconds(seconds: float) -> str:
    return format_duration(round(seconds * 1e9)) if isfinite(seconds) else "-"


def _number(value: float) -> str:
    return f"{value:.5g}" if isfinite(value) else "-"
