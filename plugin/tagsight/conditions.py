"""Conditions over tags: `[Plant/P101/Speed] > 100 and [Mode] = 'AUTO'`.

    condition  = all { "or" all }
    all        = part { "and" part }
    part       = "not" part | "(" condition ")" | comparison
    comparison = side ( "<" | "<=" | "=" | "!=" | ">=" | ">" ) side | tag
    side       = tag | number | state | "true" | "false"
    tag        = "[" path or role "]"          a bracket inside is doubled: [Array]]3]
    state      = "'" text "'"                  or in double quotes; a quote inside is doubled

A tag alone holds where it is not 0 (a Boolean). States are only equal or not equal. Logic is three-valued
(Kleene): a Bad, missing, non-finite or wrongly typed operand makes its comparison *unknown*, and `unknown or true` is
true. There is no eval, and nothing here knows how the values were read.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tagsight.errors import TagSightError

TRUE: Final = 1
FALSE: Final = 0
UNKNOWN: Final = -1

LENGTH_LIMIT: Final = 2_000
"""Characters of a condition."""

DEPTH_LIMIT: Final = 32
"""Parentheses and `not` inside one another."""


@dataclass
class ConditionError(TagSightError):
    """A text that is not a condition.

    Attributes:
        text: the condition.
        position: of the fault, counted from 1; 1 past the end where something is missing there.
        found: what stands there, in words.
        expected: what could stand there, in words.
    """

    text: str
    position: int
    found: str
    expected: str
    mend: str = "For example: [Plant/P101/Speed] > 100 and [Plant/P101/Mode] = 'AUTO'"
    exit_code = 2

    def __str__(self) -> str:
        return f"at position {self.position}: {self.found} found, {self.expected} expected"


@dataclass(frozen=True, slots=True)
class Name:
    """A tag or role."""

    name: str

    def __str__(self) -> str:
        return "[" + self.name.replace("]", "]]") + "]"


@dataclass(frozen=True, slots=True)
class Literal:
    """A number or a state."""

    value: float | str

    def __str__(self) -> str:
        return "'" + self.value.replace("'", "''") + "'" if isinstance(self.value, str) else repr(self.value)


Side: TypeAlias = Name | Literal


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two sides, at least one of them a tag."""

    left: Side
    sign: str
    right: Side

    def __str__(self) -> str:
        return f"{self.left} {self.sign} {self.right}"


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite; unknown stays unknown."""

    part: "Node"

    def __str__(self) -> str:
        return f"not ({self.part})" if isinstance(self.part, Joined) else f"not {self.part}"


@dataclass(frozen=True, slots=True)
class Joined:
    """Two or more parts joined by `and` or by `or`."""

    word: str
    parts: tuple["Node", ...]

    def __str__(self) -> str:
        return f" {self.word} ".join(f"({part})" if self._encloses(part) else str(part) for part in self.parts)

    def _encloses(self, part: "Node") -> bool:
        return isinstance(part, Joined) and not (self.word == "or" and part.word == "and")


Node: TypeAlias = Comparison | Not | Joined

# Inside, truth is 0 false, 1 unknown, 2 true: `and` is the smallest, `or` the largest, `not` 2 minus it.
_OUTSIDE: Final = np.array([FALSE, UNKNOWN, TRUE], dtype=np.int8)
_SIGNS: Final[Mapping[str, np.ufunc]] = {
    "<": np.less,
    "<=": np.less_equal,
    "=": np.equal,
    "!=": np.not_equal,
    ">=": np.greater_equal,
    ">": np.greater,
}


@dataclass(frozen=True, slots=True)
class Condition:
    """A parsed condition: hashable, picklable, without state. Made by `parse`.

    Attributes:
        text: as the engineer wrote it.
        operands: tags or roles it reads, each once, in order of appearance.
        tree: what it means.
    """

    text: str
    operands: tuple[str, ...]
    tree: Node

    def __str__(self) -> str:
        return self.text

    @property
    def canonical(self) -> str:
        """The same meaning in one fixed spelling; `parse(canonical).tree == tree`."""
        return str(self.tree)

    def evaluate(self, values: Mapping[str, NDArray[Any]]) -> NDArray[np.int8]:
        """Truth for each element: 1 true, 0 false, -1 unknown.

        Args:
            values: by operand, all of one shape (n,): numbers or Booleans (NaN: none) or object (str, number,
                None). An operand that is not there is unknown everywhere; without any array the result is empty.

        Raises:
            ValueError: the arrays differ in shape.
        """
        shapes = {np.shape(array) for array in values.values()} or {(0,)}
        if len(shapes) > 1:
            message = f"operands of unequal shapes {sorted(shapes)}"
            raise ValueError(message)
        sides = {name: _split(array) for name, array in values.items() if name in self.operands}
        return _OUTSIDE[_truth(self.tree, sides, shapes.pop())]


def parse(text: str) -> Condition:
    """Read a condition.

    Raises:
        ConditionError: says where, what was found and what was expected.
    """
    if len(text) > LENGTH_LIMIT:
        raise ConditionError(text, LENGTH_LIMIT + 1, f"{len(text)} characters", f"at most {LENGTH_LIMIT}")
    reader = _Reader(text)
    tree = reader.condition(0)
    reader.expect_end()
    return Condition(text, tuple(dict.fromkeys(reader.names)), tree)


# --- evaluation -------------------------------------------------------------------------------------------------

_Numbers: TypeAlias = NDArray[np.float64]
_Texts: TypeAlias = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class _Values:
    """One side: numbers (NaN: none) and texts, with where there are any (`texts` is None where there are none)."""

    numbers: _Numbers
    texts: _Texts | None = None
    named: NDArray[np.bool_] | None = None


_NOTHING: Final = _Values(np.array(np.nan))


def _split(array: NDArray[Any]) -> _Values:
    array = np.asarray(array)
    if array.dtype.kind in "biuf":
        return _Values(array.astype(np.float64))
    elements = array.astype(object).ravel()
    numbers = np.array([_number(element) for element in elements], dtype=np.float64)
    named = np.array([isinstance(element, str) for element in elements], dtype=np.bool_)
    texts = np.where(named, elements, np.array(None, dtype=object))
    return _Values(numbers.reshape(array.shape), texts.reshape(array.shape), named.reshape(array.shape))


def _number(element: object) -> float:
    try:
        return float(element) if isinstance(element, (int, float, np.number, np.bool_)) else np.nan
    except (OverflowError, TypeError):  # an int beyond float64, a complex number
        return np.nan


def _truth(node: Node, values: Mapping[str, _Values], shape: tuple[int, ...]) -> NDArray[np.int8]:
    match node:
        case Not(part):
            return np.asarray(2 - _truth(part, values, shape), dtype=np.int8)
        case Joined(word, parts):
            join = np.minimum if word == "and" else np.maximum
            return np.asarray(join.reduce([_truth(part, values, shape) for part in parts]), dtype=np.int8)
        case Comparison(left, sign, right):
            return _compared(_side(left, values), sign, _side(right, values), shape)


def _side(side: Side, values: Mapping[str, _Values]) -> _Values:
    if isinstance(side, Name):
        return values.get(side.name, _NOTHING)
    if isinstance(side.value, str):
        return _Values(np.array(np.nan), np.array(side.value, dtype=object), np.array(True))
    return _Values(np.array(side.value))


def _compared(left: _Values, sign: str, right: _Values, shape: tuple[int, ...]) -> NDArray[np.int8]:
    truth = np.ones(shape, dtype=np.int8)
    known = np.isfinite(left.numbers) & np.isfinite(right.numbers)
    _know(truth, known, _SIGNS[sign](left.numbers, right.numbers))
    if left.named is not None and right.named is not None and sign in {"=", "!="}:
        _know(truth, left.named & right.named, _SIGNS[sign](left.texts, right.texts))
    return truth


def _know(truth: NDArray[np.int8], known: NDArray[np.bool_], holds: NDArray[Any]) -> None:
    known = np.broadcast_to(known, truth.shape)
    truth[known] = 2 * np.broadcast_to(holds, truth.shape)[known].astype(np.int8)


# --- reading ----------------------------------------------------------------------------------------------------

_TOKEN: Final = re.compile(
    r"""\s*(?:
      (?P<tag>\[(?:[^\]]|\]\])*\](?!\]))
    | (?P<state>'(?:[^']|'')*'|"(?:[^"]|"")*")
    | (?P<number>[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    | (?P<sign><=|>=|!=|==|<>|[<=>])
    | (?P<parenthesis>[()])
    | (?P<word>[^\W\d]\w*)
    | (?P<end>\Z)
    | (?P<other>.)
    )""",
    re.VERBOSE | re.DOTALL,
)
_SHALLOW: Final = f"at most {DEPTH_LIMIT} parentheses and `not` inside one another"
_UNCLOSED: Final = {"[": "a closing ] of the tag", "'": "a closing quote", '"': "a closing quote"}
_WRONG_SIGNS: Final = {"==": "=", "<>": "!="}
_WORDS: Final = {"and", "or", "not", "true", "false"}


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    position: int

    @property
    def words(self) -> str:
        return "the end" if self.kind == "end" else self.text if len(self.text) <= 40 else self.text[:37] + "..."


def _is_state(side: Side) -> bool:
    return isinstance(side, Literal) and isinstance(side.value, str)


class _Reader:
    """Reads one text from left to right; every method leaves the reader behind what it has read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.names: list[str] = []
        self._at = 0
        self._token = self._next()

    def condition(self, depth: int) -> Node:
        return self._joined("or", depth)

    def expect_end(self) -> None:
        if self._token.kind != "end":
            raise self._fault("and, or, or the end")

    def _joined(self, word: str, depth: int) -> Node:
        parts = [self._joined("and", depth) if word == "or" else self._part(depth)]
        while self._word() == word:
            self._advance()
            parts.append(self._joined("and", depth) if word == "or" else self._part(depth))
        return parts[0] if len(parts) == 1 else Joined(word, tuple(parts))

    def _part(self, depth: int) -> Node:
        if depth > DEPTH_LIMIT:
            raise self._fault(_SHALLOW)
        if self._word() == "not":
            self._advance()
            return Not(self._part(depth + 1))
        if self._token.text == "(" and self._token.kind == "parenthesis":
            self._advance()
            inner = self.condition(depth + 1)
            if self._token.text != ")" or self._token.kind != "parenthesis":
                raise self._fault("and, or, or )")
            self._advance()
            return inner
        return self._comparison()

    def _comparison(self) -> Node:
        start, left = self._token, self._side()
        if self._token.kind != "sign":
            if isinstance(left, Name):
                return Comparison(left, "!=", Literal(0.0))
            raise self._fault("one of < <= = != >= >")
        sign = self._sign()
        right = self._side()
        if not isinstance(left, Name) and not isinstance(right, Name):
            raise ConditionError(self.text, start.position, "a comparison without a tag", "a [tag] on one side")
        if sign.text not in {"=", "!="} and (_is_state(left) or _is_state(right)):
            raise ConditionError(self.text, sign.position, sign.text, "= or != (a state is neither more nor less)")
        return Comparison(left, sign.text, right)

    def _sign(self) -> _Token:
        sign = self._token
        if sign.text in _WRONG_SIGNS:
            raise self._fault(_WRONG_SIGNS[sign.text])
        self._advance()
        return sign

    def _side(self) -> Side:
        token = self._token
        if token.kind == "tag":
            name = token.text[1:-1].replace("]]", "]").strip()
            if not name:
                raise self._fault("a tag between the brackets")
            self.names.append(name)
            self._advance()
            return Name(name)
        return Literal(self._literal(token))

    def _literal(self, token: _Token) -> float | str:
        value: float | str
        if token.kind == "state":
            quote = token.text[0]
            value = token.text[1:-1].replace(quote * 2, quote)
        elif token.kind == "number":
            value = float(token.text)
            if not np.isfinite(value):
                raise self._fault("a number that fits 64 bits")
        elif self._word() in {"true", "false"}:
            value = float(self._word() == "true")
        else:
            raise self._fault(_UNCLOSED.get(token.text, "a [tag], a number or a 'state'"))
        self._advance()
        return value

    def _word(self) -> str:
        word = self._token.text.lower() if self._token.kind == "word" else ""
        return word if word in _WORDS else ""

    def _advance(self) -> None:
        self._token = self._next()

    def _next(self) -> _Token:
        match = _TOKEN.match(self.text, self._at)
        assert match is not None, "the last two alternatives match anything"
        assert match.lastgroup is not None
        self._at = match.end()
        return _Token(match.lastgroup, match.group(match.lastgroup), match.start(match.lastgroup) + 1)

    def _fault(self, expected: str) -> ConditionError:
        return ConditionError(self.text, self._token.position, self._token.words, expected)
