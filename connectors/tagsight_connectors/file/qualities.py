"""Quality columns: words, OPC DA numbers (192 is good), OPC UA StatusCodes, or per cent; made StatusCodes."""

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Final

from tagsight_connectors.file.states import state_of
from tagsight_connectors.quality import (
    BAD,
    BAD_NO_COMMUNICATION,
    BAD_OUT_OF_SERVICE,
    BAD_SENSOR_FAILURE,
    BAD_WAITING_FOR_INITIAL_DATA,
    GOOD,
    UNCERTAIN,
    UNCERTAIN_LAST_USABLE,
)


class QualityKind(Enum):
    """What the numbers of a quality column mean."""

    STATUS_CODE = "statuscode"
    OPC_DA = "opcda"
    PERCENT = "percent"


_WORDS: Final[Mapping[str, int]] = {
    "good": GOOD, "ok": GOOD, "true": GOOD, "valid": GOOD, "normal": GOOD, "g": GOOD, "goodclamped": GOOD,
    "uncertain": UNCERTAIN, "questionable": UNCERTAIN, "doubtful": UNCERTAIN, "suspect": UNCERTAIN, "u": UNCERTAIN,
    "substituted": UNCERTAIN, "annotated": GOOD, "stale": UNCERTAIN_LAST_USABLE,
    "bad": BAD, "false": BAD, "invalid": BAD, "b": BAD,
}  # fmt: skip

_OPC_DA_BAD: Final[Mapping[int, int]] = {  # OPC Data Access 3.00, 6.8: the substatus of Bad
    8: BAD_NO_COMMUNICATION,
    12: BAD_SENSOR_FAILURE,
    16: BAD_SENSOR_FAILURE,
    24: BAD_NO_COMMUNICATION,
    28: BAD_OUT_OF_SERVICE,
    32: BAD_WAITING_FOR_INITIAL_DATA,
}


def kind_of(texts: Iterable[str]) -> QualityKind:
    """What the numbers of a column mean, from all its different texts.

    0 alone says nothing: it is Good as a StatusCode. 1 to 255 are OPC DA, except that 0 and 100 together are per cent.
    """
    numbers = {number for text in texts if (number := _number(text)) is not None}
    if 100 in numbers and numbers <= {0, 100}:
        return QualityKind.PERCENT
    return QualityKind.OPC_DA if any(0 < number < 256 for number in numbers) else QualityKind.STATUS_CODE


def status_of(text: str, kind: QualityKind) -> int:
    """StatusCode of one cell of a quality column. What nobody knows is Uncertain: it is not said to be Good."""
    number = _number(text)
    if number is not None:
        return _status_of_number(number, kind)
    plain = text.strip().casefold()
    for word, code in _WORDS.items():
        if plain == word:
            return code
    state = state_of(text)
    if state is not None:
        return state
    return next((code for word, code in _WORDS.items() if len(word) > 2 and plain.startswith(word)), UNCERTAIN)


def _status_of_number(number: int, kind: QualityKind) -> int:
    if kind is QualityKind.PERCENT:
        return GOOD if number >= 100 else BAD
    if kind is QualityKind.STATUS_CODE:
        return number if 0 <= number < 2**32 else BAD
    major = number & 0xC0
    if major == 0xC0:
        return GOOD
    return UNCERTAIN if major == 0x40 else _OPC_DA_BAD.get(number & 0x3C, BAD)


def _number(text: str) -> int | None:
    plain = text.strip()
    try:
        return int(plain, 16) if plain[:2].casefold() == "0x" else int(float(plain))
    except (ValueError, OverflowError):
        return None
