"""What the facts of a probe mean: findings in words, each with its mend. Pure; `examination` gathers the facts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Final

import numpy as np

from tagsight.arrival import wait_of
from tagsight.binding import Binding
from tagsight.cause_patterns import unknown_role
from tagsight.duration import format_duration
from tagsight.errors import mend_of
from tagsight.extent import as_setting
from tagsight.plan import Destination, ModelPlan
from tagsight.sampling import Sampling
from tagsight_connectors import quality
from tagsight_connectors.aggregates import Computer
from tagsight_connectors.historian import Description
from tagsight_connectors.history import Span
from tagsight_connectors.tag import Access, Tag

SECOND: Final = 1_000_000_000
DAY: Final = 86_400 * SECOND
CLOCK_TOLERANCE_S: Final = 2.0
CERTIFICATE_DAYS: Final = 30
SMALLEST_GRID_NS: Final = SECOND
MOST_NAMED: Final = 5
_BAD_SHARE: Final = 0.05
_COVERED: Final = 0.8
_STALE_GAPS: Final = 3
_STALE_AT_LEAST_NS: Final = 600 * SECOND

_CODE_WORDS: Final[Mapping[int, str]] = {
    quality.BAD: "bad",
    quality.BAD_NO_COMMUNICATION: "no communication",
    quality.BAD_OUT_OF_RANGE: "out of range",
    quality.BAD_NO_DATA: "no data",
    quality.BAD_OUT_OF_SERVICE: "out of service",
    quality.BAD_SENSOR_FAILURE: "sensor failure",
    quality.BAD_WAITING_FOR_INITIAL_DATA: "waiting for initial data",
    quality.BAD_USER_ACCESS_DENIED: "access denied",
}


class Weight(Enum):
    """How much a finding matters."""

    FINE = "ok"
    WARNING = "warning"
    BLOCKS = "prevents running"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found: where, what, and how to mend it ("" if it is fine)."""

    weight: Weight
    where: str
    what: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class HistorianFacts:
    """What connecting to a historian showed.

    Attributes:
        name: in the plan.
        url: from the plan.
        description: None if there was no connection.
        failure: why there was none.
        now_ns: this machine's UTC in the middle of the question for the server's time.
    """

    name: str
    url: str
    now_ns: int
    description: Description | None = None
    failure: Exception | None = None

    @property
    def is_file(self) -> bool:
        """An export: without a clock, without live values, and results make their tags."""
        return self.url.startswith("file:")


@dataclass(frozen=True, slots=True)
class TagFacts:
    """What the history and the live value of one tag showed.

    Attributes:
        tag: as browsed.
        roles: what it is for the model: role names, operands of `running`.
        sampling: of the part of the span that was looked at.
        begins_ns: the earliest value of the whole span, as far as it was looked at.
        failure: why its history could not be read.
        newest_ns: source time of the newest value, None if there is none.
        delays_ns: from source time to arrival, of each new value that came while watching.
    """

    tag: Tag
    roles: tuple[str, ...] = ()
    sampling: Sampling = field(default_factory=Sampling)
    begins_ns: int | None = None
    failure: Exception | None = None
    newest_ns: int | None = None
    delays_ns: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What was found for one model.

    Attributes:
        model: its plan.
        span: the training span.
        looked_at: the newest part of it, which was read.
        now_ns: the historian's time.
        matched: pattern or operand -> number of tags.
        binding: None if it failed.
        failure: why.
        tags: of the binding, in its order.
        elsewhere: where those tags have values that have none in the training span; None if nowhere.
        computed_by: role -> who computes the averages that are read of it.
    """

    model: ModelPlan
    span: Span
    looked_at: Span
    now_ns: int
    matched: Mapping[str, int] = field(default_factory=dict)
    binding: Binding | None = None
    failure: Exception | None = None
    tags: Sequence[TagFacts] = ()
    elsewhere: Span | None = None
    computed_by: Mapping[str, Computer] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """No tag has a value in the training span, and nothing else is wrong with their histories."""
        readable = [tag for tag in self.tags if Access.READ_HISTORY in tag.tag.access and tag.failure is None]
        return bool(readable) and not any(tag.sampling.count for tag in readable)


@dataclass(frozen=True, slots=True)
class TargetFacts:
    """What was found where results shall be written.

    Attributes:
        address: of the tag.
        found: None for a tag that is not there.
        by_operators: operators write it, so TagSight reads it too.
    """

    address: str
    found: Tag | None
    by_operators: bool = False


def judge_historian(facts: HistorianFacts) -> Iterator[Finding]:
    """Connection, security, certificate, clock."""
    where = f"historian {facts.name}"
    if facts.failure is not None or facts.description is None:
        yield _failed(where, facts.failure)
        return
    found = facts.description
    shown = ", ".join(part for part in (found.url, found.product, found.security) if part)
    yield Finding(Weight.FINE, where, f"connected: {shown}")
    if found.security.startswith("None"):
        mend = "Remove `security: none` from the configuration and trust the server's certificate."
        yield Finding(Weight.WARNING, where, "messages are neither signed nor encrypted", mend)
    elif " Sign," in found.security:
        mend = "Switch SignAndEncrypt on in the historian."
        yield Finding(Weight.WARNING, where, "messages are signed, not encrypted: they can be read", mend)
    if found.history:
        yield Finding(Weight.FINE, where, f"it says of its history: {found.history} (tried all the same)")
    if found.certificate_expires_ns is not None:
        yield _certificate(where, found.certificate, (found.certificate_expires_ns - facts.now_ns) // DAY)
    if found.server_time_ns is not None:
        yield _clock(where, (found.server_time_ns - facts.now_ns) / SECOND)


def _certificate(where: str, thumbprint: str, days: int) -> Finding:
    what = f"its certificate {thumbprint} " + (f"expires in {days} days" if days >= 0 else f"expired {-days} days ago")
    if days >= CERTIFICATE_DAYS:
        return Finding(Weight.FINE, where, what)
    mend = "Renew it on the server, then trust the new one: `tagsight trust list`, `tagsight trust add THUMBPRINT`."
    return Finding(Weight.WARNING if days >= 0 else Weight.BLOCKS, where, what, mend)


def _clock(where: str, difference_s: float) -> Finding:
    if abs(difference_s) <= CLOCK_TOLERANCE_S:
        return Finding(Weight.FINE, where, f"its clock differs from this machine's by {difference_s:+.1f} s")
    what = f"its clock is {abs(difference_s):.1f} s {'ahead of' if difference_s > 0 else 'behind'} this machine's"
    return Finding(Weight.WARNING, where, what, "Synchronise both with the same time server (NTP).")


def judge_model(facts: ModelFacts, *, live: bool = True) -> Iterator[Finding]:
    """Patterns, binding, each tag; `live`: values are expected to arrive now (not from a file)."""
    where = facts.model.key
    for pattern, count in facts.matched.items():
        if count:
            yield Finding(Weight.FINE, where, f"{pattern}: {count} tag{'s' if count != 1 else ''}")
    if facts.failure is not None or facts.binding is None:
        yield _failed(where, facts.failure)
        return
    for path, why in facts.binding.skipped:
        yield Finding(Weight.WARNING, where, f"{path} is left out: {why}", "Leave it, or name it in `exclude_inputs`.")
    yield from _causes(facts)
    if facts.is_empty:
        what, mend = _without_values(facts)
        yield Finding(Weight.BLOCKS, where, f"no tag has {what}", mend)
    for tag in facts.tags:
        yield from judge_tag(where, tag, facts, live=live)
    yield from _averages(where, facts)
    yield Finding(Weight.FINE, where, _time_base(facts))


def _causes(facts: ModelFacts) -> Iterator[Finding]:
    """Patterns of the cause library that no alarm can ever match."""
    roles = {role.name for role in facts.binding.roles} if facts.binding is not None else set()
    for one in facts.model.causes:
        unknown = unknown_role(one.pattern, roles)
        if unknown is not None:
            what = f"causes: {one.pattern}: this model has no role {unknown[0]!r}"
            yield Finding(Weight.WARNING, facts.model.key, what, unknown[1])


def _averages(where: str, facts: ModelFacts) -> Iterator[Finding]:
    ours = [role for role, computer in facts.computed_by.items() if computer is Computer.TAGSIGHT]
    there = len(facts.computed_by) - len(ours)
    if there:
        yield Finding(
            Weight.FINE, where, f"the historian computes the averages of {there} input{'s' if there != 1 else ''}"
        )
    if ours:
        what = f"the historian computes no averages of {', '.join(ours[:MOST_NAMED])}"
        more = f" and {len(ours) - MOST_NAMED} more" if len(ours) > MOST_NAMED else ""
        mend = "TagSight computes them, from every stored value; `score: {read: raw}` transfers no more."
        yield Finding(Weight.WARNING, where, what + more, mend)


def judge_tag(model: str, facts: TagFacts, of_model: ModelFacts, *, live: bool = True) -> Iterator[Finding]:
    """Everything about one tag that is not as it should be."""
    where = f"{model}: {facts.tag.path}"
    if Access.READ_HISTORY not in facts.tag.access:
        mend = (
            "Give TagSight's user the right HistoryRead on this tag, or set the tag to be historized: live scoring can "
            "do without (`live`), training cannot."
        )
        yield Finding(Weight.BLOCKS, where, "its history may not be read", mend)
        return
    if facts.failure is not None:
        yield _failed(where, facts.failure)
        return
    if not facts.sampling.count:
        if not of_model.is_empty:  # otherwise it is said once for all
            what, mend = _without_values(of_model)
            yield Finding(Weight.BLOCKS, where, f"it has {what}", f"{mend} Or name the tag in `exclude_inputs`.")
        return
    yield from _coverage(where, facts, of_model)
    yield from _qualities(where, facts)
    if live:
        yield from _freshness(where, facts, of_model.now_ns)


def _without_values(facts: ModelFacts) -> tuple[str, str]:
    span = facts.span
    start, end = (
        datetime.fromtimestamp(ns // SECOND, tz=UTC).strftime("%Y-%m-%d") for ns in (span.start_ns, span.end_ns)
    )
    length = format_duration(_rounded(span.end_ns - span.start_ns))
    what = f"no value in the training period ({length}, {start} to {end})"
    if facts.elsewhere is None:
        return what, "Choose another `train` period."
    return what, f"There are values in this one: `train: {{{as_setting(facts.elsewhere, UTC, offset=True)}}}`."


def _coverage(where: str, facts: TagFacts, of_model: ModelFacts) -> Iterator[Finding]:
    span, first = of_model.span, facts.begins_ns
    length = span.end_ns - span.start_ns
    late = 0 if first is None else first - span.start_ns
    if late > (1 - _COVERED) * length:
        what = f"its history begins {format_duration(_rounded(late))} after the training period does"
        yield Finding(Weight.WARNING, where, what, "Shorten `train` to the time for which all tags have values.")
    looked_at = of_model.looked_at.end_ns - of_model.looked_at.start_ns
    holes = facts.sampling.holes_ns()
    if holes > (1 - _COVERED) * looked_at:
        what = f"{holes / looked_at:.0%} of the period that was looked at lies in long gaps"
        yield Finding(Weight.WARNING, where, what, "Was the archive or the link down? Those times are not trained on.")


def _qualities(where: str, facts: TagFacts) -> Iterator[Finding]:
    share = facts.sampling.bad_share
    if share > _BAD_SHARE:
        mend = "Mend the sensor or the link, or name the tag in `exclude_inputs`: without it the model cannot score."
        states = facts.tag.description if facts.tag.description.startswith("states: ") else _codes(facts.sampling)
        yield Finding(Weight.WARNING, where, f"{share:.1%} of its values are bad ({states})", mend)
    if facts.sampling.repeated:
        what = f"values at the same time as the one before: {facts.sampling.repeated}"
        yield Finding(Weight.WARNING, where, what, "Is the tag written twice, or its clock too coarse?")


def _codes(sampling: Sampling) -> str:
    bad = [one for one in sampling.statuses.most_common() if quality.quality_of(one[0]) is quality.Quality.BAD]
    return ", ".join(f"{_CODE_WORDS.get(code, f'0x{code:08X}')} {count}" for code, count in bad[:4])


def _freshness(where: str, facts: TagFacts, now_ns: int) -> Iterator[Finding]:
    if facts.newest_ns is None:
        mend = "Is the source of this tag running?"
        yield Finding(Weight.WARNING, where, "it has no current value", mend)
        return
    age = now_ns - facts.newest_ns
    usual = facts.sampling.gap_ns(0.999) or 0
    if age > max(_STALE_AT_LEAST_NS, _STALE_GAPS * usual):
        mend = "Is its source running? Until a value comes the model is not scored."
        yield Finding(Weight.WARNING, where, f"its newest value is {format_duration(_rounded(age))} old", mend)
    elif age < -CLOCK_TOLERANCE_S * SECOND:
        mend = "Set the clock of its source, or its time zone."
        yield Finding(Weight.WARNING, where, f"its newest value lies {format_duration(_rounded(-age))} ahead", mend)


def judge_targets(
    historian: str, targets: Sequence[TargetFacts], to: Destination = Destination.WRITE
) -> Iterator[Finding]:
    """Whether every result has a tag that may be written in the way that the plan chose."""
    needed = Access.WRITE_HISTORY if to is Destination.HISTORY else Access.WRITE
    where = f"results in {historian}"
    missing = [target.address for target in targets if target.found is None]
    if missing:
        mend = "Create them first: `tagsight tags FILE --csv` lists them with type, unit and range for import."
        yield Finding(Weight.BLOCKS, where, f"{len(missing)} tags are missing: {_some(missing)}", mend)
    locked = [target.address for target in targets if target.found and needed not in target.found.access]
    if locked:
        yield Finding(Weight.BLOCKS, where, *_locked(locked, targets, to))
    unread = [one.address for one in targets if one.by_operators and one.found and Access.READ not in one.found.access]
    if unread:
        mend = "Give TagSight's user the right to read these tags: operators write them, and nobody would hear it."
        yield Finding(Weight.BLOCKS, where, f"{len(unread)} tags may not be read: {_some(unread)}", mend)
    timeless = [
        target.address
        for target in targets
        if to is Destination.WRITE
        and target.found
        and Access.WRITE in target.found.access
        and Access.WRITE_TIME not in target.found.access
    ]
    if timeless:
        what = f"{len(timeless)} tags may not take a source time: {_some(timeless)}"
        mend = "They are written under the server's own time; allow TimestampWrite to keep the time of the result."
        yield Finding(Weight.WARNING, where, what, mend)
    if targets and not missing and not locked and not unread:
        yield Finding(Weight.FINE, where, f"{len(targets)} tags are there and may be written")


def _locked(locked: Sequence[str], targets: Sequence[TargetFacts], to: Destination) -> tuple[str, str]:
    """What may not be written and how it can be mended, the other way of writing included."""
    if to is Destination.HISTORY:
        what = f"{len(locked)} tags take no HistoryUpdate: {_some(locked)}"
        if all(target.found and Access.WRITE in target.found.access for target in targets):
            return what, "Allow HistoryWrite on them, or write `to: write`: the Write service may write them all."
        return what, "Allow HistoryWrite on these tags for TagSight's user, and on no others."
    what = f"{len(locked)} tags may not be written: {_some(locked)}"
    if all(target.found and Access.WRITE_HISTORY in target.found.access for target in targets):
        return what, "Give TagSight's user the right, or write `to: history`: HistoryUpdate is allowed on them all."
    return what, "Give TagSight's user the right to write these tags, and no others."


def tag_line(facts: TagFacts, now_ns: int) -> tuple[str, ...]:
    """Path, values, usual gap, 99.9 % of gaps, share of bad values, age of the newest, arrival delay: for a table."""
    sampling, newest = facts.sampling, facts.newest_ns
    gaps = (sampling.gap_ns(0.5), sampling.gap_ns(0.999))
    return (
        facts.tag.path + (f" [{facts.tag.unit}]" if facts.tag.unit else ""),
        f"{sampling.count:,}",
        *(format_duration(_rounded(gap)) if gap is not None else "-" for gap in gaps),
        f"{sampling.bad_share:.1%}",
        "-" if newest is None else f"{format_duration(_rounded(now_ns - newest))} ago",
        format_duration(_rounded(int(np.quantile(facts.delays_ns, 0.95)))) if facts.delays_ns else "-",
    )


def grid_ns(facts: ModelFacts) -> int | None:
    """The grid that the data suggest: the median sampling of the inputs, at least 1 s."""
    gaps = [gap for tag in facts.tags if (gap := tag.sampling.gap_ns(0.5)) is not None]
    return max(SMALLEST_GRID_NS, int(np.median(gaps))) if gaps else None


def wait_ns(facts: ModelFacts) -> int | None:
    """How long to wait for late values, from those that came while watching."""
    return wait_of([delay for tag in facts.tags for delay in tag.delays_ns], facts.model.score.every_ns)


def _time_base(facts: ModelFacts) -> str:
    grid, wait = facts.model.score.grid_ns or grid_ns(facts), facts.model.score.wait_ns or wait_ns(facts)
    shown_wait = format_duration(_rounded(wait)) if wait is not None else "not known: no new value came while watching"
    return f"score.grid {format_duration(_rounded(grid)) if grid is not None else 'not known'}, score.wait {shown_wait}"


def _failed(where: str, failure: Exception | None) -> Finding:
    return Finding(Weight.BLOCKS, where, str(failure), mend_of(failure) if failure is not None else "")


def _some(addresses: Sequence[str]) -> str:
    more = f" and {len(addresses) - 5} more" if len(addresses) > 5 else ""
    return ", ".join(addresses[:5]) + more


def _rounded(ns: int) -> int:
    """Whole minutes from an hour on, whole seconds from a minute on, else milliseconds."""
    for unit in (60 * SECOND, SECOND):
        if ns >= 60 * unit:
            return ns // unit * unit
    return max(ns, 0) // 1_000_000 * 1_000_000
