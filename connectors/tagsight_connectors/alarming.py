"""The seam below the alarms of an OPC UA server of ours: which conditions it shows, and where operators' acts go.

The words are those of OPC 10000-9 (Alarms and Conditions). A condition has no branches: what is known of it is its
newest occurrence. The server keeps nothing of its own: it shows what the source says, and an operator's act becomes
visible when the source says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class Shelving(Enum):
    """Whether a condition is kept from announcing, and until when."""

    UNSHELVED = "unshelved"
    TIMED = "timed"
    ONE_SHOT = "one shot"


@dataclass(frozen=True, slots=True)
class ConditionState:
    """Everything that a client sees of one condition. Times are UTC ns; 0: not known.

    Attributes:
        identifier: of the condition; stable for ever: `P101/Health/Condition`.
        name: for people: `P101/Health`.
        source: path of the folder that it is about: `P101/Health`.
        input: identifier of the variable that is watched: `P101/Health/Score`.
        limit: that the input must not exceed.
        severity: 1 to 1,000.
        message: one sentence for operators.
        complete: the message explains this occurrence; False: an explanation may still follow.
        quality: StatusCode of the input.
        quality_ns: of what the quality is told.
        enabled: False once there is no such condition any more.
        occurrence: names the newest alarm; 0 before the first. Grows.
        active: the alarm of `occurrence` is active.
        active_ns: when it became active, or inactive.
        acknowledged: an operator has seen `occurrence`; True before the first.
        acknowledged_ns: when.
        confirmed: nothing is left to be confirmed: False from acknowledging to confirming.
        confirmed_ns: when.
        shelving: whether operators have shelved it.
        shelved_until_ns: when that ends by itself; only while shelved.
        shelving_ns: when it was shelved or unshelved.
        suppressed: switched off.
        comment: the newest of `occurrence`.
        comment_by: who wrote it.
        comment_ns: when.
    """

    identifier: str
    name: str
    source: str
    input: str
    limit: float = 1.0
    severity: int = 300
    message: str = ""
    complete: bool = True
    quality: int = 0
    quality_ns: int = 0
    enabled: bool = True
    occurrence: int = 0
    active: bool = False
    active_ns: int = 0
    acknowledged: bool = True
    acknowledged_ns: int = 0
    confirmed: bool = True
    confirmed_ns: int = 0
    shelving: Shelving = Shelving.UNSHELVED
    shelved_until_ns: int = 0
    shelving_ns: int = 0
    suppressed: bool = False
    comment: str = ""
    comment_by: str = ""
    comment_ns: int = 0

    @property
    def retain(self) -> bool:
        """Whether operators still need to see it: active, or not acknowledged."""
        return self.enabled and (self.active or not self.acknowledged)

    @property
    def shelved(self) -> bool:
        """Whether it is kept from announcing."""
        return self.shelving is not Shelving.UNSHELVED

    @property
    def changed_ns(self) -> int:
        """When it last changed."""
        return max(self.active_ns, self.acknowledged_ns, self.confirmed_ns, self.shelving_ns, self.comment_ns)


class Act(Enum):
    """What operators do to a condition."""

    ACKNOWLEDGE = "acknowledge"
    CONFIRM = "confirm"
    COMMENT = "comment"
    SHELVE = "shelve"
    SHELVE_ONCE = "shelve once"
    UNSHELVE = "unshelve"


@dataclass(frozen=True, slots=True)
class ConditionAct:
    """One act of an operator.

    Attributes:
        condition: identifier of the condition.
        act: what was done.
        user: who is signed in.
        time_ns: when it arrived, UTC ns.
        occurrence: the alarm that is meant; 0 for shelving.
        comment: "" for none.
        until_ns: end of the shelving, UTC ns.
    """

    condition: str
    act: Act
    user: str
    time_ns: int
    occurrence: int = 0
    comment: str = ""
    until_ns: int = 0


class ConditionSource(Protocol):
    """Where a server gets its conditions from. Calls are short and may touch a disk; they are made in a thread."""

    longest_shelving_ns: int
    """MaxTimeShelved: a shelving ends after this time at the latest."""

    def conditions(self) -> Sequence[ConditionState]:
        """All of them, as they are now; the very same object when nothing has changed since the last call."""

    def act(self, act: ConditionAct) -> bool:
        """Store an operator's act durably.

        Returning True lets the server answer Good; False: there is no such condition, or the act does not fit.
        """
