"""What the plan says of single jobs: their settings, compiled. Durations are nanoseconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class NamedPeriod:
    """A half-open period, UTC ns, of which a file says what it was."""

    start_ns: int
    end_ns: int
    label: str
    component: str = ""


@dataclass(frozen=True, slots=True)
class LabelsPlan:
    """Where labels come from.

    Attributes:
        periods: of the file.
        tag: pattern of the tag that tells; "" for none.
        names: value of the tag, as text -> label.
        feedback: what operators said of alarms counts too.
        normal: component ("" for the whole asset) -> the label that means no fault, where the engineer says it.
    """

    periods: tuple[NamedPeriod, ...] = ()
    tag: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    feedback: bool = False
    normal: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DiagnosisPlan:
    """Which known fault it is."""

    labels: LabelsPlan
    sure_from: float = 0.5


@dataclass(frozen=True, slots=True)
class LifePlan:
    """One run of a machine, UTC ns."""

    start_ns: int
    end_ns: int
    failed: bool = True


@dataclass(frozen=True, slots=True)
class PrognosisPlan:
    """Remaining life from runs to failure, or the time until `tag` crosses its limit."""

    lives: tuple[LifePlan, ...] = ()
    tag: str = ""
    limit: float = 0.0
    rising: bool = True
    horizon_ns: int = 604_800_000_000_000
    coverage: float = 0.8


@dataclass(frozen=True, slots=True)
class QualityPlan:
    """A soft sensor for a laboratory value."""

    target: str
    delay_ns: int | None = None
    known_after_ns: int = 0
    low: float | None = None
    high: float | None = None
    coverage: float = 0.9
    adjustable: Mapping[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProductionPlan:
    """What limits the target."""

    target: str
    rising: bool = True
    coverage: float = 0.9
    adjustable: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    stations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    conditions: tuple[str, ...] = ()


JobPlan: TypeAlias = DiagnosisPlan | PrognosisPlan | QualityPlan | ProductionPlan
