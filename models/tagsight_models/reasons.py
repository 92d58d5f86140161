"""Why a sample of a frame is missing or excluded (design law 5: every excluded sample has a reason)."""

from enum import IntEnum


class Reason(IntEnum):
    """Ordered by precedence: where several apply to one sample, the highest is kept."""

    USED = 0
    SPIKE = 1
    FLAT_LINE = 2
    GAP = 3  # no value within the tag's maximum gap
    STALE = 4  # live: the newest value is older than the tag's maximum gap
    BAD_QUALITY = 5
    NOT_A_NUMBER = 6  # text, NaN or infinity where a number is expected
    CONDITION_UNKNOWN = 7  # an operand of the running condition is Bad or missing
    NOT_RUNNING = 8
    STARTING = 9  # inside the buffer round a start or stop
    EXCLUDED = 10  # by the engineer
    UNLIKE = 11  # in training alone: far from all other training data

    @property
    def words(self) -> str:
        """For people."""
        return _WORDS[self]


_WORDS = {
    Reason.USED: "used",
    Reason.SPIKE: "spike",
    Reason.FLAT_LINE: "flat line",
    Reason.GAP: "gap",
    Reason.STALE: "no fresh value",
    Reason.BAD_QUALITY: "bad quality",
    Reason.NOT_A_NUMBER: "not a number",
    Reason.CONDITION_UNKNOWN: "running condition unknown",
    Reason.NOT_RUNNING: "stopped",
    Reason.STARTING: "starting or stopping",
    Reason.EXCLUDED: "excluded by engineer",
    Reason.UNLIKE: "unlike the rest of the training data",
}
