"""The values that go into the ledger and come out of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from tagsight.planner import Backlog
from tagsight.results import OutputRow, Run

SERVER: Final = "server"
"""Destination of results that TagSight's own OPC UA server shows: committed means written."""


def historian_destination(historian: str) -> str:
    """Destination of results that are written to tags of the historian of this name."""
    return f"write:{historian}"


class DeliveryState(Enum):
    """A delivery is in exactly one of these."""

    PENDING = "pending"
    WRITTEN = "written"
    QUARANTINED = "quarantined"
    NOT_RECOVERED = "not_recovered"


@dataclass(frozen=True, slots=True)
class Activation:
    """An alarm as announced: what is stored stays; only clearing, acknowledging and `revised` are added.

    Identified by (model, announced_ns).
    """

    model: str
    since_ns: int
    announced_ns: int
    cleared_ns: int | None = None
    acknowledged_by: str = ""
    acknowledged_ns: int | None = None
    comment: str = ""
    revised: bool = False
    confirmed_by: str = ""
    confirmed_ns: int | None = None


@dataclass(frozen=True, slots=True)
class AlarmComment:
    """What an operator said of an alarm, with an acknowledgement, a confirmation or alone."""

    model: str
    announced_ns: int
    by: str
    time_ns: int
    comment: str


@dataclass(frozen=True, slots=True)
class TickRecord:
    """Everything that one tick leaves behind: one transaction.

    Attributes:
        runs: the same (model, due time) again with another input digest is a revision.
        rows: output rows; each becomes one delivery to the destination of its model.
        destinations: model key -> `SERVER` or `historian_destination(name)`; a model not named goes to `SERVER`.
        watermarks: model key -> newest due time that is done; never goes back.
        activations: alarms announced, cleared or revised in this tick.
        acted: ids of inbox entries whose effect is in this record.
        missed: due times that were too old to catch up.
        backlogs: due times before the watermark that are left for later, or what is left of them.
        doubted: model key -> watermark before this record, which rests on a historian's time that is not believed;
            of several such records in a row the first one's counts.
    """

    runs: Sequence[Run] = ()
    rows: Sequence[OutputRow] = ()
    destinations: Mapping[str, str] = field(default_factory=dict)
    watermarks: Mapping[str, int] = field(default_factory=dict)
    activations: Sequence[Activation] = ()
    acted: Sequence[str] = ()
    missed: int = 0
    backlogs: Sequence[Backlog] = ()
    doubted: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredRow:
    """An output row and its place in the order of storing."""

    sequence: int
    row: OutputRow


@dataclass(frozen=True, slots=True)
class PendingRow:
    """An output row that a destination has not confirmed.

    Attributes:
        live: the newest row of its model and part: what an operator looks at.
        attempts: how often the destination answered that it cannot take it now.
    """

    sequence: int
    row: OutputRow
    live: bool
    attempts: int


@dataclass(frozen=True, slots=True)
class RefusedTag:
    """A tag whose value the destination refused for good, with the StatusCode of its answer."""

    address: str
    status: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a destination answered to one row; PENDING: try again later."""

    sequence: int
    destination: str
    state: DeliveryState
    refused: tuple[RefusedTag, ...] = ()


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A row of which some tags were refused; its good tags were written."""

    model: str
    due_ns: int
    part: str
    refused: tuple[RefusedTag, ...]


@dataclass(frozen=True, slots=True)
class Counters:
    """What the plugin's tags and `status` show.

    Attributes:
        buffered: deliveries pending now.
        quarantined: deliveries quarantined now.
        missed: due times that were never scored, ever.
        not_recovered: deliveries that retention had to give up, ever.
    """

    buffered: int
    quarantined: int
    missed: int
    not_recovered: int


@dataclass(frozen=True, slots=True)
class OperatorState:
    """What operators have set for one model, or for the whole plugin (model key `TagSight`).

    Attributes:
        off: nothing is announced.
        shelved_until_ns: end of the shelving; None: not shelved.
        feedback_count: how often feedback was stored.
        shelved_once: the shelving ends with the alarm, if that clears before.
        shelving_ns: when it was last shelved or unshelved.
    """

    off: bool = False
    shelved_until_ns: int | None = None
    feedback_count: int = 0
    shelved_once: bool = False
    shelving_ns: int | None = None


@dataclass(frozen=True, slots=True)
class OperatorAct:
    """One thing that an operator did; stored and applied exactly once by `entry`.

    Attributes:
        entry: id of the inbox entry; for a tag of a historian, anything that names (address, source time).
        model: key of the model, or `TagSight`.
        off: the new setting, None: not touched.
        feedback: 1 true, 2 false, 3 maintenance, 0: none given.
        shelved_until_ns: the new time, None: not touched, 0: not shelved any more.
        acknowledge: announced_ns of the alarm that is acknowledged.
        shelved_once: the shelving ends with the alarm.
        confirm: announced_ns of the alarm that is confirmed.
        remark: announced_ns of the alarm that `comment` is about.
    """

    entry: str
    model: str
    by: str
    time_ns: int
    off: bool | None = None
    feedback: int = 0
    shelved_until_ns: int | None = None
    acknowledge: int | None = None
    comment: str = ""
    shelved_once: bool = False
    confirm: int | None = None
    remark: int | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """What an operator said about an alarm."""

    model: str
    announced_ns: int | None
    feedback: int
    by: str
    time_ns: int


@dataclass(frozen=True, slots=True)
class AcceptedTargets:
    """The list of tags that an engineer allowed TagSight to write to."""

    historian: str
    digest: str
    addresses: tuple[str, ...]
    accepted_by: str
    accepted_ns: int


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One entry of the audit trail; `digest` covers it and the digest of the entry before."""

    number: int
    time_ns: int
    who: str
    what: str
    detail: str
    digest: str


@dataclass(frozen=True, slots=True)
class RetentionStep:
    """What one step of retention did; `more`: call again."""

    deleted: int
    not_recovered: int
    more: bool
