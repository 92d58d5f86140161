"""The sentence for the operator, made of an explanation's top roles. Plain values in, plain text out."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, inf, isfinite, isnan, log10, nan
from unicodedata import category

from tagsight_explain.language import ENGLISH, Language, language

LIMIT = 120
THEN_SHARE = 10.0  # per cent: a second role below it is not worth a second clause
SHORT_NAME = 24
SHORTEST_NAME = 16
MOST_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class Cause:
    """One role at the end of the window, engineering units; NaN where the model expects nothing of it.

    Attributes:
        role: its name.
        actual: value.
        expected: what the model expected.
        lower: lower end of the normal band, -inf if there is none.
        upper: upper end of the normal band, inf if there is none.
        unit: engineering unit, "" if there is none.
        share: per cent of the excess, 0 to 100.
        description: what the historian calls its tag, "" if nothing.
        member: where `role` is a group of roles: the one that the values belong to.
    """

    role: str
    actual: float = nan
    expected: float = nan
    lower: float = -inf
    upper: float = inf
    unit: str = ""
    share: float = 0.0
    description: str = ""
    member: str = ""

    @property
    def direction(self) -> str:
        """As `direction` says."""
        return direction(self.actual, self.lower, self.upper, self.expected)


def direction(actual: float, lower: float, upper: float, expected: float) -> str:
    """`high` or `low` outside the normal band, `unusual` inside it, "" where there is nothing to compare with.

    The same in every language; a catalogue has a text for each.
    """
    if not (isfinite(actual) and isfinite(expected)) or isnan(lower) or isnan(upper):
        return ""
    if actual > upper:
        return "high"
    return "low" if actual < lower else "unusual"


def message(
    asset: str,
    causes: Sequence[Cause],
    since_text: str = "",
    limit: int = LIMIT,
    *,
    code: str = ENGLISH,
    advice: str = "",
) -> str:
    """One sentence of at most `limit` characters, without control characters; "" if no cause has a share.

    `P101: discharge pressure PT-101 low, 4.2 of 5.6 bar expected, since 14:05 (62 %); then current IT-101 high`. Where
    the limit is short, the least important part goes first: descriptions, second role, share, start, long names,
    numbers. Advice stays whole as long as it is not itself longer than the limit.

    Args:
        asset: what is meant, for people.
        causes: in any order; none when the score is normal.
        since_text: local time at which it began, "" if unknown.
        limit: characters.
        code: of the language.
        advice: what the engineers say to these causes, "" for nothing.
    """
    ranked = sorted((cause for cause in causes if cause.share > 0.0), key=lambda cause: -cause.share)
    if not ranked:
        return ""
    words = language(code)
    ending = words.say("advice", text=_clean(advice)) if _clean(advice) else ""
    since = words.say("since", time=_clean(since_text)) if _clean(since_text) else ""
    sentences = (_sentence(asset, ranked, since, form, words) + ending for form in _FORMS)
    fitting = next((text for text in sentences if len(text) <= limit), None)
    if fitting is not None:
        return fitting
    if len(ending) >= limit:
        return _cut(_clean(advice), limit)
    return _cut(_sentence(asset, ranked, "", _FORMS[-1], words), limit - len(ending)) + ending


def not_scored(asset: str, reason: str, *, code: str = ENGLISH) -> str:
    """The sentence where there is no score; the reason as TagSight keeps it, in English."""
    words = language(code)
    return _cut(words.say("not_scored", asset=_clean(asset), reason=_clean(words.reason(reason))), LIMIT)


def to_check(asset: str, reason: str, *, code: str = ENGLISH) -> str:
    """The sentence where a sensor is at fault and the model goes on without it; the reason names the sensor."""
    words = language(code)
    clause = _clean(words.reason(reason))
    return _cut(words.say("of_asset", asset=_clean(asset), clause=clause) if _clean(asset) else clause, LIMIT)


def not_explained(asset: str, score: float, reason: str, *, code: str = ENGLISH) -> str:
    """The sentence where there is a score whose explanation does not hold."""
    words = language(code)
    number = words.number(f"{score:.2g}" if score < 10.0 else _number(score, 0))
    text = words.say("not_explained", asset=_clean(asset), score=number, reason=_clean(words.reason(reason)))
    return _cut(text, LIMIT)


def counterfactual(role: str, score: float, *, code: str = ENGLISH) -> str:
    """What the score would be with that role, or group, as expected and all others as they are."""
    words = language(code)
    said = words.say(
        "counterfactual", role=_clean(role), score=words.number(f"{score:.2g}" if score < 10.0 else _number(score, 0))
    )
    return _cut(said, LIMIT)


@dataclass(frozen=True, slots=True)
class _Form:
    """What a sentence has; `described`: of how many roles it gives the description."""

    described: int = 0
    then: bool = False
    share: bool = False
    since: bool = False
    values: bool = False
    names: int = 1_000


_FORMS = (
    _Form(described=2, then=True, share=True, since=True, values=True),
    _Form(described=1, then=True, share=True, since=True, values=True),
    _Form(then=True, share=True, since=True, values=True),
    _Form(described=1, share=True, since=True, values=True),
    _Form(share=True, since=True, values=True),
    _Form(since=True, values=True),
    _Form(values=True),
    _Form(since=True, values=True, names=SHORT_NAME),
    _Form(values=True, names=SHORT_NAME),
    _Form(names=SHORT_NAME),
    _Form(names=SHORTEST_NAME),
)


def _sentence(asset: str, ranked: Sequence[Cause], since: str, form: _Form, words: Language) -> str:
    first, second = ranked[0], ranked[1] if len(ranked) > 1 and ranked[1].share >= THEN_SHARE else None
    way = first.direction
    subject, then = _subject(first, form, words, described=form.described > 0), ""
    if second is not None and form.then and way == "unusual":
        subject = words.say("together", subject=subject, role=_name(second.role, form.names))
    elif second is not None and form.then:
        then = words.say("then", subject=_subject(second, form, words, described=form.described > 1))
    clause = words.say(
        "clause",
        subject=subject,
        values=_values(first, words) if form.values and way else "",
        since=since if form.since else "",
        share=words.say("share", share=_share(first.share)) if form.share else "",
        then=then,
    )
    return words.say("of_asset", asset=_name(asset, form.names), clause=clause) if _clean(asset) else clause


def _subject(cause: Cause, form: _Form, words: Language, *, described: bool) -> str:
    role, way = _name(cause.role, form.names), cause.direction
    if cause.member and cause.member != cause.role:
        member = _name(cause.member, form.names)
        return (
            words.say("judged", role=words.say("described", description=role, role=member), direction=words.texts[way])
            if way
            else role
        )
    description = _clean(cause.description) if described else ""
    if description:
        named = role.casefold() in description.casefold()
        role = description if named else words.say("described", description=description, role=role)
    return words.say("judged", role=role, direction=words.texts[way]) if way else role


def _values(cause: Cause, words: Language) -> str:
    actual, expected = (words.number(text) for text in numbers(cause))
    unit = _clean(cause.unit)
    return words.say("values", actual=actual, expected=f"{expected} {unit}" if unit else expected)


def numbers(cause: Cause) -> tuple[str, str]:
    """Actual and expected value, with as many decimals as give the normal band two digits, and tell them apart."""
    width = cause.upper - cause.lower
    if not (isfinite(width) and width > 0.0):
        width = max(abs(cause.expected), abs(cause.actual)) / 10.0
    decimals = min(max(1 - floor(log10(width)), 0), MOST_DECIMALS) if width > 0.0 else 0
    while decimals < MOST_DECIMALS and cause.actual != cause.expected:
        if _number(cause.actual, decimals) != _number(cause.expected, decimals):
            break
        decimals += 1
    return _number(cause.actual, decimals), _number(cause.expected, decimals)


def _number(value: float, decimals: int) -> str:
    if abs(value) >= 1e9 or 0.0 < abs(value) < 10.0**-MOST_DECIMALS:
        return f"{value:.3g}"
    text = f"{value:.{decimals}f}"
    return text.removeprefix("-") if float(text) == 0.0 else text


def _share(share: float) -> str:
    return "<1" if share < 1.0 else f"{min(share, 100.0):.0f}"


def _name(name: str, most: int) -> str:
    return _cut(_clean(name), most)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: max(most - 1, 0)].rstrip() + "…"[:most]


def _clean(text: str) -> str:
    """One line without control, format and unassigned characters (they could turn or hide text on a screen)."""
    return " ".join("".join(" " if category(letter)[0] in "CZ" else letter for letter in text).split())
