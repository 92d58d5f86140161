"""The shift report in words: headings, paragraphs and tables, for the HTML file and for the page. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from tagsight.clocks import SECOND
from tagsight.judged_alarms import Verdict
from tagsight.reports.alarm_kpis import (
    ACCEPTABLE_PER_DAY,
    CHATTER_COUNT,
    CHATTER_NS,
    FLOOD_ABOVE,
    FLOOD_SHARE,
    TOP,
    AlarmKpis,
    lasted_ns,
)
from tagsight.reports.gathering import OF_MODELS, ReportedAlarm, ReportedModel, ShiftReport
from tagsight.reports.words import words
from tagsight_explain.language import Language, language

STALE_TARGET: Final = 5
TOP_TARGET: Final = 0.05
DRIFTED: Final = 1.0
MOST_ALARMS: Final = 2_000
"""Rows of a table of alarms; how many more there are is said."""

MOST_REASONS: Final = 3
_UNITS: Final = (("days", 86_400), ("hours", 3_600), ("minutes", 60))


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a table; `abnormal`: it stands out."""

    cells: tuple[str, ...]
    abnormal: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with what stands below it.

    Attributes:
        heading: plain text.
        lines: of the table; () for none.
        head: of the table.
        words: how many of its first columns are words; the others are numbers.
        notes: paragraphs below the table.
    """

    heading: str
    lines: tuple[Line, ...] = ()
    head: tuple[str, ...] = ()
    words: int = 1
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Wording:
    """Words, numbers and times as the readers write them."""

    timezone: ZoneInfo
    language: Language
    said: Mapping[str, str]

    @classmethod
    def of(cls, timezone: ZoneInfo, code: str) -> "Wording":
        """In a language that there is a catalogue for, English otherwise."""
        return cls(timezone, language(code), words(code))

    def when(self, time_ns: int) -> str:
        """To the second, in the time zone of the configuration."""
        return datetime.fromtimestamp(time_ns / SECOND, tz=self.timezone).strftime("%Y-%m-%d %H:%M:%S")

    def number(self, value: float, digits: int) -> str:
        """With so many decimals."""
        return self.language.number(f"{value:.{digits}f}")

    def percent(self, share: float | None) -> str:
        """With one decimal; not known for None. Only the whole is 100."""
        if share is None:
            return self.said["unknown"]
        return f"{self.number(int(share * 1_000) / 10 if share < 1.0 else 100.0, 1)} %"

    def lasting(self, length_ns: int) -> str:
        """In its largest unit, with one decimal."""
        seconds = length_ns / SECOND
        for unit, size in _UNITS:
            if seconds >= size:
                number = f"{seconds / size:.1f}".removesuffix(".0")
                return self.said[unit].format(number=self.language.number(number))
        return self.said["seconds"].format(number=self.number(seconds, 0))


def sections(report: ShiftReport, wording: Wording) -> Iterator[Section]:
    """In the order of reading."""
    yield _glance(report, wording)
    yield _kpis(report.kpis, wording)
    yield _alarms(report, wording)
    if report.kpis.stale:
        yield _stale(report, wording)
    if report.kpis.top:
        yield _top(report.kpis, wording)
    yield _availability(report.models, wording)
    yield _drift(report.models, wording)
    yield _versions(report.models, wording)
    yield _events(report, wording)
    yield _plugin(report, wording)


def period_line(report: ShiftReport, wording: Wording) -> str:
    """From when to when."""
    span, zone = report.span, wording.timezone.key
    return wording.said["period"].format(start=wording.when(span.start_ns), end=wording.when(span.end_ns), zone=zone)


def _glance(report: ShiftReport, wording: Wording) -> Section:
    counts = {verdict: sum(one.verdict is verdict for one in report.alarms) for verdict in Verdict}
    known = [share for one in report.models if (share := one.availability.share) is not None]
    wanted = sum(one.availability.due - one.availability.stopped for one in report.models)
    scored = sum(one.availability.scored for one in report.models)
    text = wording.said["glance"].format(
        announced=report.kpis.announced,
        standing=len(report.kpis.standing),
        judged=len(report.alarms) - counts[Verdict.NONE],
        right=counts[Verdict.TRUE],
        false=counts[Verdict.FALSE],
        maintenance=counts[Verdict.MAINTENANCE],
        share=wording.percent(scored / wanted if wanted else None),
        lowest=wording.percent(min(known, default=None)),
    )
    return Section(wording.said["summary"], notes=(text,))


def _kpis(found: AlarmKpis, wording: Wording) -> Section:
    said = wording.said
    waited = found.median_acknowledged_ns
    chatter = said["kpi_chattering"].format(count=CHATTER_COUNT, time=wording.lasting(CHATTER_NS))
    target, flood = said["target_peak"], wording.number(100.0 * FLOOD_SHARE, 0)
    per_day = said["target_per_day"].format(number=wording.number(ACCEPTABLE_PER_DAY, 0))
    top_share = wording.percent(found.top_share) if found.announced else said["unknown"]
    rows = (
        (said["kpi_announced"], str(found.announced), "", False),
        (said["kpi_per_day"], wording.number(found.per_day, 1), per_day, found.per_day > ACCEPTABLE_PER_DAY),
        (said["kpi_peak"], str(found.peak), target.format(number=FLOOD_ABOVE), found.peak > FLOOD_ABOVE),
        (said["kpi_flood"], wording.percent(found.flood_share), said["target_flood"].format(number=flood),
         found.flood_share > FLOOD_SHARE),
        (said["kpi_standing"], str(len(found.standing)), "", False),
        (said["kpi_stale"], str(len(found.stale)), said["target_stale"], len(found.stale) >= STALE_TARGET),
        (chatter, ", ".join(found.chattering) or "0", said["target_none"], bool(found.chattering)),
        (said["kpi_top"].format(count=TOP), top_share, said["target_top"], False),
        (said["kpi_acknowledged"], wording.percent(found.acknowledged_share), "", False),
        (said["kpi_median"], wording.lasting(waited) if waited is not None else said["unknown"], "", False),
    )  # fmt: skip
    lines = tuple(Line((name, value, aim, said["above"] if over else ""), over) for name, value, aim, over in rows)
    return Section(said["kpis"], lines, (said["figure"], said["value"], said["target"], ""), 4, (said["kpi_note"],))


def _alarms(report: ShiftReport, wording: Wording) -> Section:
    said = wording.said
    if not report.alarms:
        return Section(said["alarms"], notes=(said["no_alarms"],))
    keys = ("model", "message", "since", "announced", "cleared", "lasted", "acknowledged", "feedback", "comments")
    lines = tuple(_alarm(one, report, wording) for one in report.alarms[:MOST_ALARMS])
    more = len(report.alarms) - len(lines)
    return Section(said["alarms"], lines, tuple(said[key] for key in keys), 9, (f"... {more}",) if more else ())


def _alarm(one: ReportedAlarm, report: ShiftReport, wording: Wording) -> Line:
    said, alarm = wording.said, one.alarm
    standing = alarm.cleared_ns is None or alarm.cleared_ns >= report.span.end_ns
    acknowledged, verdict = said["not_acknowledged"], said[f"verdict_{int(one.verdict)}"]
    if alarm.acknowledged_ns is not None:
        acknowledged = said["by"].format(what=wording.when(alarm.acknowledged_ns), who=alarm.acknowledged_by)
    return Line(
        (
            alarm.model,
            one.message,
            wording.when(alarm.since_ns),
            wording.when(alarm.announced_ns),
            said["still_active"] if standing or alarm.cleared_ns is None else wording.when(alarm.cleared_ns),
            wording.lasting(lasted_ns(alarm, report.span)),
            acknowledged,
            said["by"].format(what=verdict, who=one.judged_by) if one.judged_by else verdict,
            "; ".join(f"{comment.by}: {comment.comment}" for comment in one.comments),
        ),
        standing,
    )


def _stale(report: ShiftReport, wording: Wording) -> Section:
    said = wording.said
    lines = tuple(
        Line((one.model, wording.when(one.announced_ns), wording.lasting(lasted_ns(one, report.span))))
        for one in report.kpis.stale[:MOST_ALARMS]
    )
    return Section(said["stale_table"], lines, (said["model"], said["announced"], said["lasted"]), 2)


def _top(found: AlarmKpis, wording: Wording) -> Section:
    lines = tuple(Line((model, str(count))) for model, count in found.top)
    return Section(wording.said["top_table"], lines, (wording.said["model"], wording.said["count"]))


def _availability(models: Sequence[ReportedModel], wording: Wording) -> Section:
    said = wording.said
    if not models:
        return Section(said["availability"], notes=(said["no_models"],))
    ordered = sorted(models, key=lambda one: 2.0 if one.availability.share is None else one.availability.share)
    keys = ("model", "reasons", "share", "due", "scored", "stopped", "not_scored", "not_looked_at")
    lines = tuple(_available(one, wording) for one in ordered)
    return Section(said["availability"], lines, tuple(said[key] for key in keys), 2, (said["availability_note"],))


def _available(one: ReportedModel, wording: Wording) -> Line:
    found = one.availability
    reasons = [f"{wording.language.reason(why)}: {count}" for why, count in found.reasons[:MOST_REASONS]]
    counts = found.due, found.scored, found.stopped, found.not_scored, found.not_looked_at
    return Line((one.model, "; ".join(reasons), wording.percent(found.share), *map(str, counts)))


def _drift(models: Sequence[ReportedModel], wording: Wording) -> Section:
    said = wording.said
    looked = [one for one in models if one.drift is not None or one.relations is not None or one.drift_reason]
    if not looked:
        return Section(said["drift"], notes=(said["no_drift"],))
    keys = ("model", "drift_reason", "drift_inputs", "drift_inputs_most", "drift_relations", "drift_relations_most")
    lines = tuple(_drifted(one, wording) for one in looked)
    return Section(said["drift"], lines, tuple(said[key] for key in keys), 2, (said["drift_note"],))


def _drifted(one: ReportedModel, wording: Wording) -> Line:
    pairs = (one.drift, one.relations)
    cells = [wording.number(value, 2) if pair else wording.said["unknown"] for pair in pairs
             for value in (pair or (0.0, 0.0))]  # fmt: skip
    return Line((one.model, one.drift_reason, *cells), any(pair is not None and pair[0] >= DRIFTED for pair in pairs))


def _versions(models: Sequence[ReportedModel], wording: Wording) -> Section:
    said = wording.said
    changed = [one for one in models if len(one.versions) > 1]
    if not changed:
        return Section(said["versions"], notes=(said["no_changes"],))
    lines = tuple(
        Line((one.model, str(version), wording.when(first_ns))) for one in changed for version, first_ns in one.versions
    )
    return Section(said["versions"], lines, (said["model"], said["version"], said["from"]), 3)


def _events(report: ShiftReport, wording: Wording) -> Section:
    said = wording.said
    if not report.audit:
        return Section(said["events"], notes=(said["no_events"],))
    lines = tuple(
        Line((wording.when(one.time_ns), one.who, one.what, one.detail), one.what not in OF_MODELS)
        for one in report.audit
    )
    return Section(said["events"], lines, tuple(said[key] for key in ("when", "who", "what", "detail")), 4)


def _plugin(report: ShiftReport, wording: Wording) -> Section:
    said, status, counters = wording.said, report.status, report.counters
    rows = [(said["state"], said["runs"] if report.alive else said["stands"], not report.alive)]
    if status is not None:
        days = status.certificate_days
        rows += [(said["state_message"], status.message, True)] if status.message else []
        rows += [(said["state_message"], said["silenced"], True)] if status.off else []
        rows += [(said["certificate"], wording.number(days, 0), False)] if days is not None else []
    lost = status.not_recovered if status is not None else counters.not_recovered
    rows += [
        (said["buffered"], str(counters.buffered), False),
        (said["quarantined"], str(counters.quarantined), counters.quarantined > 0),
        (said["missed"], str(counters.missed), False),
        (said["not_recovered"], str(lost), False),
    ]
    lines = tuple(Line((name, value), abnormal) for name, value, abnormal in rows)
    return Section(said["plugin"], lines, (said["figure"], said["value"]), 2, (said["plugin_note"],))
