"""Texts that a historian's export puts where a value is missing, and the StatusCode that each means.

The one list: states of PI, Proficy, IP.21 and spreadsheets as they appear in exports. Compared without regard to
case and surrounding blanks. A text that is not here, in a tag of numbers, is Bad without a value as well, and counted.
"""

from collections.abc import Mapping
from typing import Final

from tagsight_connectors.quality import (
    BAD,
    BAD_NO_COMMUNICATION,
    BAD_NO_DATA,
    BAD_OUT_OF_RANGE,
    BAD_OUT_OF_SERVICE,
    BAD_SENSOR_FAILURE,
    BAD_USER_ACCESS_DENIED,
    BAD_WAITING_FOR_INITIAL_DATA,
)

_TEXTS: Final[Mapping[int, str]] = {
    BAD: """bad|bad input|bad data|bad quality|bad total|bad value|bad pv|invalid|invalid data|invalid float|error|
        calc failed|calc crash|calc overflow|calc off|calc timeout|arc off-line|arc offline|archive offline|
        no good data for calculation|failed|fail|unreliable|questionable|doubtful|snap off|#value!|#div/0!|#ref!|
        #num!|#name?|<bad>""",
    BAD_OUT_OF_RANGE: """inp outrange|inp out of range|input out of range|input outrange|out of range|outrange|
        under range|underrange|over range|overrange|over ucl|under lcl|above range|below range""",
    BAD_NO_COMMUNICATION: """i/o timeout|io timeout|i/o time out|scan timeout|scan time out|timeout|comm fail|
        comm failure|comm error|comm bad|comm loss|communication failure|communication error|no communication|
        not connect|not connected|disconnected|intf shut|interface shutdown|dcs failed|link down|offline|off-line""",
    BAD_SENSOR_FAILURE: """sensor fail|sensor failure|sensor failed|equip fail|equipment failure|device failure|
        transmitter fail|wire break|broken wire|short circuit""",
    BAD_OUT_OF_SERVICE: """out of serv|out of service|scan off|off scan|shutdown|system shutdown|unit down|disabled|
        manual off|inactive""",
    BAD_WAITING_FOR_INITIAL_DATA: "pt created|point created|configure|configured|initializing|snapshot pending|init",
    BAD_NO_DATA: """no data|nodata|no sample|no value|no result|not available|n/a|#n/a|na|nan|-nan|1.#qnan|-1.#ind|
        null|<null>|(null)|none|nil|missing|-|--|---|empty|no archive data|data gap|tag not found|
        point not found|not found""",
    BAD_USER_ACCESS_DENIED: "access denied|no access|no read access|secured point",
}

STATES: Final[Mapping[str, int]] = {
    " ".join(text.split()): code for code, texts in _TEXTS.items() for text in texts.split("|")
}


def state_of(text: str) -> int | None:
    """StatusCode of a text that means "no value", or None if it is no such text."""
    plain = " ".join(text.split()).casefold()
    if plain.startswith("[-") and "]" in plain:  # PI puts an error number before the words: "[-11059] No Good ..."
        plain = plain.partition("]")[2].strip()
    return STATES.get(plain)
