"""OPC UA StatusCodes as 32-bit numbers, and their severity (OPC 10000-4, 7.39; codes of 10000-6, A.2)."""

from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

GOOD: Final = 0x00000000
GOOD_ENTRY_INSERTED: Final = 0x00A20000
GOOD_ENTRY_REPLACED: Final = 0x00A30000
GOOD_NO_DATA: Final = 0x00A50000
UNCERTAIN: Final = 0x40000000
UNCERTAIN_LAST_USABLE: Final = 0x40900000
BAD: Final = 0x80000000
BAD_NO_COMMUNICATION: Final = 0x80310000
BAD_NODE_ID_UNKNOWN: Final = 0x80340000
BAD_OUT_OF_RANGE: Final = 0x803C0000
BAD_USER_ACCESS_DENIED: Final = 0x801F0000
BAD_WAITING_FOR_INITIAL_DATA: Final = 0x80320000
BAD_TYPE_MISMATCH: Final = 0x80740000
BAD_NOT_WRITABLE: Final = 0x803B0000
BAD_WRITE_NOT_SUPPORTED: Final = 0x80730000
BAD_NO_DATA: Final = 0x809B0000
BAD_DATA_LOST: Final = 0x809D0000
BAD_OUT_OF_SERVICE: Final = 0x808D0000
BAD_SENSOR_FAILURE: Final = 0x808C0000


class Quality(IntEnum):
    """Severity of a StatusCode: its two highest bits."""

    GOOD = 0
    UNCERTAIN = 1
    BAD = 2


def quality_of(status: int) -> Quality:
    """Severity of one StatusCode. The reserved pattern 0b11 counts as Bad."""
    return Quality(min(status >> 30 & 0b11, Quality.BAD))


def qualities_of(status: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """Severity of each StatusCode, shape kept; 0 Good, 1 Uncertain, 2 Bad."""
    severity: NDArray[np.uint8] = np.minimum(status >> np.uint32(30), np.uint32(Quality.BAD)).astype(np.uint8)
    return severity
