"""Looking back in files: a page that holds everything, and its pictures as SVG and PNG beside it; needs matplotlib."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np

from tagsight.clocks import SECOND
from tagsight.looking_back import Moment, Period
from tagsight_explain.explanation import Explanation
from tagsight_explain.language import Language, language
from tagsight_explain.message import Cause, counterfactual, numbers
from tagsight_explain.pictures import page as html
from tagsight_explain.pictures.canvas import PNG, SVG, Look
from tagsight_explain.pictures.heat_map import Trends, heat_map
from tagsight_explain.pictures.history import contribution_history
from tagsight_explain.pictures.importance import beeswarm, global_importance
from tagsight_explain.pictures.waterfall import waterfall
from tagsight_explain.role_time import SLOPES
from tagsight_models.card import ModelCard
from tagsight_models.frame import Floats

PAGE: Final = "index.html"
FEWEST: Final = 2
"""Explanations below which a period has no picture of all of them."""

Draw = Callable[[Look], bytes]


@dataclass(frozen=True, slots=True)
class Line:
    """One role of a moment or a period, as people read it."""

    cells: tuple[str, ...]
    abnormal: bool


def moment_pictures(moment: Moment) -> Mapping[str, Draw]:
    """Name -> what draws it."""
    whole, causes = moment.explanation, causes_of_all(moment)
    found: dict[str, Draw] = {}
    if not whole.failure:
        found["waterfall"] = lambda look: waterfall(whole, look, causes=causes)
    split = moment.role_time
    if split is not None:
        found["heat_map"] = lambda look: heat_map(split, trends_of(moment), look)
    return found


def period_pictures(period: Period) -> Mapping[str, Draw]:
    """Name -> what draws it."""
    found: dict[str, Draw] = {
        "history": lambda look: contribution_history(
            period.times, period.scores, period.contributions, period.players, look
        )
    }
    if len(period.explained) >= FEWEST:
        found["importance"] = lambda look: global_importance(period.explanations, period.actual, look)
        found["beeswarm"] = lambda look: beeswarm(period.explanations, period.actual, look)
    return found


def write(folder: Path, title: str, parts: list[str], pictures: Mapping[str, Draw], look: Look) -> Path:
    """The page and the pictures; what was in the folder under these names is replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    words = language(look.language)
    for name, draw in pictures.items():
        svg = draw(replace(look, form=SVG))
        (folder / f"{name}.svg").write_bytes(svg)
        (folder / f"{name}.png").write_bytes(draw(replace(look, form=PNG)))
        parts.append(html.figure(svg, words.pictures[name]))
    target = folder / PAGE
    target.write_text(html.page(title, parts, look.language), encoding="utf-8", newline="\n")
    return target


def moment_words(moment: Moment, look: Look) -> tuple[str, list[str]]:
    """Title of a moment, and what is to be said of it."""
    words, run, card = language(look.language), moment.run, moment.participant.facts.card
    title = words.pictures["page_moment"].format(name=run.model, time=local(run.due_ns, look))
    whole = moment.explanation
    error = float(np.nanmax(whole.standard_error, initial=0.0))
    how = words.pictures["exact"] if error == 0.0 else _said(words, "sampled", error=words.number(f"{error:.2g}"))
    if whole.failure:
        how = words.reason(whole.failure)
    score = words.number(f"{run.score:.3g}")
    lines = [_said(words, "page_version", version=str(run.version), score=score, how=how)]
    if run.reason:
        lines.append(words.reason(run.reason))
    lines += _without(whole, look.language)
    if moment.role_time is not None:
        lines.append(words.pictures["by_slopes" if moment.role_time.method == SLOPES else "by_occlusion"])
    lines += _of_training(card, run.due_ns, words)
    lines += [f"{output}: {_value(value, words)}" for output, value in run.results.items()]
    return title, lines


def period_words(period: Period, look: Look) -> tuple[str, list[str]]:
    """Title of a period, and what is to be said of it."""
    words, scored = language(look.language), np.isfinite(period.scores)
    start, end = (local(int(time), look) for time in (period.times[0], period.times[-1]))
    title = _said(words, "page_period", name=period.participant.plan.key, start=start, end=end)
    counts = {"scored": str(int(scored.sum())), "due": str(len(period.times)), "explained": str(len(period.explained))}
    highest = int(np.nanargmax(period.scores))
    lines = [
        _said(words, "page_scored", **counts),
        _said(
            words,
            "highest",
            score=words.number(f"{period.scores[highest]:.3g}"),
            time=local(int(period.times[highest]), look),
        ),
    ]
    if period.reasons:
        said = ", ".join(f"{words.reason(reason)} {count}" for reason, count in period.reasons.items())
        lines.append(_said(words, "page_not_scored", reasons=said))
    return title, lines


def moment_head(code: str) -> tuple[str, ...]:
    """Of the table of a moment."""
    return _head(code, "role", "actual", "expected", "band", "contribution", "share")


def period_head(code: str) -> tuple[str, ...]:
    """Of the table of a period."""
    return _head(code, "role", "importance", "share")


def moment_lines(moment: Moment, code: str) -> list[Line]:
    """All roles, the largest contribution first; abnormal are those outside their band with a contribution."""
    words, whole = language(code), moment.explanation
    order = np.argsort(-np.nan_to_num(whole.contributions), kind="stable")
    causes, shares = causes_of_all(moment), whole.shares()
    return [
        Line(
            (causes[role].role, *_values(causes[role], words), _number(whole.contributions[role], words, "+.3f"),
             _number(float(shares[role]), words, ".0f")),
            causes[role].direction in {"high", "low"} and shares[role] > 0.0,
        )
        for role in order.tolist()
    ]  # fmt: skip


def period_lines(period: Period, code: str) -> list[Line]:
    """All roles, the largest mean size first."""
    words, roles = language(code), period.players
    if not period.explained:
        return []
    sizes = np.abs([one.contributions for one in period.explanations]).mean(axis=0)
    total = float(sizes.sum()) or 1.0
    return [
        Line(
            (roles[role], _number(sizes[role], words, ".3f"), _number(100.0 * sizes[role] / total, words, ".0f")), False
        )
        for role in np.argsort(-sizes, kind="stable").tolist()
    ]


def _without(whole: Explanation, code: str) -> Iterator[str]:
    """What the score would be if the leading role, or group, were as expected."""
    if whole.failure or whole.without is None or not whole.contributions.max(initial=0.0) > 0.0:
        return
    leading = int(whole.contributions.argmax())
    if np.isfinite(whole.without[leading]):
        yield counterfactual(whole.roles[leading], float(whole.without[leading]), code=code)


def causes_of_all(moment: Moment) -> list[Cause]:
    """Every player at the end of the window; of a group nothing is told but its name."""
    binding = moment.participant.binding
    units = {role.name: role.unit for role in binding.roles}
    told = {
        one.role: Cause(one.role, one.actual, one.expected, one.lower, one.upper, units.get(one.role, ""))
        for one in moment.run.roles
    }
    return [told.get(player, Cause(player)) for player in moment.explanation.roles]


def trends_of(moment: Moment) -> Trends:
    """What each player's role did over the window, and what was expected at each of its steps that could be scored."""
    units = {role.name: role.unit for role in moment.participant.binding.roles}
    names, shown = [one.role for one in moment.run.roles], moment.shown

    def over(name: str) -> Floats:
        empty = [np.nan] * len(names)
        return np.array([[getattr(one, name) for one in run.roles] or empty for run in moment.before])[:, shown]

    return Trends(
        moment.times,
        moment.window[:, shown],
        over("expected"),
        over("lower"),
        over("upper"),
        tuple(units.get(names[column], "") for column in shown),
    )


def local(time_ns: int, look: Look) -> str:
    """Date and time of day, in the time zone and as the language writes it."""
    moment = datetime.fromtimestamp(time_ns / SECOND, tz=look.timezone)
    return moment.strftime(language(look.language).texts["date_and_time"])


def _of_training(card: ModelCard, due_ns: int, words: Language) -> Iterator[str]:
    if due_ns < card.start_ns:
        yield words.pictures["before_training"]
    elif due_ns <= card.end_ns:
        yield words.pictures["in_training"]


def _head(code: str, *columns: str) -> tuple[str, ...]:
    return tuple(language(code).pictures[f"column_{column}"] for column in columns)


def _values(cause: Cause, words: Language) -> tuple[str, str, str]:
    """Actual, expected, normal band."""
    if not np.isfinite(cause.expected):
        return _number(cause.actual, words, ".4g"), "", ""
    actual, expected = (words.number(text) for text in numbers(cause))
    decimals = len(expected.rpartition(words.decimal)[2]) if words.decimal in expected else 0
    band = " - ".join(_number(end, words, f".{decimals}f") for end in (cause.lower, cause.upper))
    return f"{actual} {cause.unit}".rstrip(), expected, band


def _number(value: float, words: Language, form: str) -> str:
    return words.number(format(value, form)) if np.isfinite(value) else ""


def _value(value: float | str, words: Language) -> str:
    return value if isinstance(value, str) else words.number(f"{value:.4g}")


def _said(words: Language, key: str, **values: str) -> str:
    return words.pictures[key].format(**values)
