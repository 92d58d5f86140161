"""Patterns of contributions, for the cause library: `PT-101 low and IT-101 high`.

    pattern = all { "or" all }
    all     = part { "and" part }
    part    = "(" pattern ")" | role ( "high" | "low" | "unusual" )
    role    = words | "[" text "]"        a bracket inside is doubled: [Array]]3]

`high` and `low` are outside the normal band, `unusual` is inside it. A role whose name contains one of the words of
this grammar or a parenthesis stands in brackets. What is read is a `Condition`: the roles are its operands, compared
with their direction. Pure.
"""

import difflib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tagsight.conditions import (
    DEPTH_LIMIT,
    LENGTH_LIMIT,
    Comparison,
    Condition,
    ConditionError,
    Joined,
    Literal,
    Name,
    Node,
)
from tagsight.plan import CausePlan, InputPlan
from tagsight_explain.message import Cause

EXAMPLE: Final = "PT-101 low and IT-101 high"
DIRECTIONS: Final = ("high", "low", "unusual")
LEAST_SHARE: Final = 10.0
"""Per cent of the excess: a role with less is not part of a pattern."""

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<role>\[(?:[^\]]|\]\])*\](?!\]))|(?P<parenthesis>[()])|(?P<word>[^\s()\[\]]+)|(?P<end>\Z)|(?P<other>.))",
    re.DOTALL,
)
_DIRECTION: Final = "high, low or unusual"


def parse_pattern(text: str) -> Condition:
    """Read a pattern.

    Raises:
        ConditionError: says where, what was found and what was expected.
    """
    if len(text) > LENGTH_LIMIT:
        raise ConditionError(text, LENGTH_LIMIT + 1, f"{len(text)} characters", f"at most {LENGTH_LIMIT}", _MEND)
    reader = _Reader(text)
    tree = reader.pattern(0)
    reader.expect_end()
    return Condition(text, tuple(dict.fromkeys(reader.roles)), tree)


def advice(library: Sequence[CausePlan], causes: Sequence[Cause]) -> str:
    """What is said to these causes: by the first entry whose pattern holds; "" if none does."""
    leading = [cause for cause in causes if cause.share >= LEAST_SHARE]
    ways = {name: cause.direction for cause in leading for name in (cause.role, cause.member) if name}
    return next((one.say for one in library if _holds(one.pattern.tree, ways)), "")


def _holds(node: Node, ways: Mapping[str, str]) -> bool:
    """The same as `Condition.evaluate` for one moment, without arrays: many alarms may begin in one tick."""
    match node:
        case Joined(word, parts):
            return (all if word == "and" else any)(_holds(part, ways) for part in parts)
        case Comparison(Name(role), _, Literal(way)):
            return ways.get(role) == way
    return False  # nothing else is read from a pattern


def roles_by_configuration(inputs: Sequence[str], settings: Mapping[str, InputPlan]) -> frozenset[str] | None:
    """Every name that a role of these inputs can get; None where only the historian can tell.

    That is so for patterns and for addresses. Two tags of the same name get longer ones: all of them are here.
    """
    names: set[str] = set()
    for one in inputs:
        role = settings[one].role if one in settings else None
        if role is None and (any(sign in one for sign in "*?") or "=" in one.partition("/")[0]):
            return None
        levels = one.split("/")
        names |= {role} if role else {"-".join(levels[-depth:]) for depth in range(1, len(levels) + 1)}
    return frozenset(names)


def unknown_role(pattern: Condition, roles: Collection[str]) -> tuple[str, str] | None:
    """The first role of the pattern that is none of `roles`, and what to do; None if all are known."""
    missing = next((role for role in pattern.operands if role not in roles), None)
    if missing is None:
        return None
    near = difflib.get_close_matches(missing, list(roles), n=1)
    mend = f"Did you mean {near[0]}?" if near else f"Roles of this model: {', '.join(sorted(roles)[:5])}."
    return missing, mend


_SHALLOW: Final = f"at most {DEPTH_LIMIT} parentheses inside one another"
_MEND: Final = f"For example: {EXAMPLE}"


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    position: int

    @property
    def keyword(self) -> str:
        """`and`, `or`, `(`, `)` or a direction; "" for all else."""
        word = self.text.lower() if self.kind in {"word", "parenthesis"} else ""
        return word if word in {"and", "or", "(", ")", *DIRECTIONS} else ""


class _Reader:
    """Reads one text from left to right; every method leaves the reader behind what it has read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.roles: list[str] = []
        self._at = 0
        self._token = self._next()

    def pattern(self, depth: int) -> Node:
        return self._joined("or", depth)

    def expect_end(self) -> None:
        if self._token.kind != "end":
            raise self._fault("and, or, or the end")

    def _joined(self, word: str, depth: int) -> Node:
        parts = [self._joined("and", depth) if word == "or" else self._part(depth)]
        while self._token.keyword == word:
            self._advance()
            parts.append(self._joined("and", depth) if word == "or" else self._part(depth))
        return parts[0] if len(parts) == 1 else Joined(word, tuple(parts))

    def _part(self, depth: int) -> Node:
        if depth > DEPTH_LIMIT:
            raise self._fault(_SHALLOW)
        if self._token.keyword != "(":
            return self._judged_role()
        self._advance()
        inner = self.pattern(depth + 1)
        if self._token.keyword != ")":
            raise self._fault("and, or, or )")
        self._advance()
        return inner

    def _judged_role(self) -> Node:
        role = self._role()
        way = self._token.keyword
        if way not in DIRECTIONS:
            raise self._fault(_DIRECTION)
        self._advance()
        self.roles.append(role)
        return Comparison(Name(role), "=", Literal(way))

    def _role(self) -> str:
        if self._token.kind == "role":
            name = self._token.text[1:-1].replace("]]", "]").strip()
            if not name:
                raise self._fault("a role between the brackets")
            self._advance()
            return name
        words: list[str] = []
        while self._token.kind == "word" and not self._token.keyword:
            words.append(self._token.text)
            self._advance()
        if not words:
            raise self._fault("a closing ] of the role" if self._token.text == "[" else "a role")
        return " ".join(words)

    def _advance(self) -> None:
        self._token = self._next()

    def _next(self) -> _Token:
        match = _TOKEN.match(self.text, self._at)
        assert match is not None, "the last two alternatives match anything"
        assert match.lastgroup is not None
        self._at = match.end()
        return _Token(match.lastgroup, match.group(match.lastgroup), match.start(match.lastgroup) + 1)

    def _fault(self, expected: str) -> ConditionError:
        shown = "the end" if self._token.kind == "end" else self._token.text[:40]
        return ConditionError(self.text, self._token.position, shown, expected, _MEND)
