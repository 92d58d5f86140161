"""What a scoring produces: a run, with every value, quality and reason. The ledger stores it; others read it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum


class State(IntEnum):
    """NAMUR NE 107 as OPC 10000-100 numbers it."""

    NORMAL = 0
    FAILURE = 1
    FUNCTION_CHECK = 2
    OUT_OF_SPECIFICATION = 3
    MAINTENANCE_REQUIRED = 4


@dataclass(frozen=True, slots=True)
class RoleResult:
    """One role at the end of a scored window, engineering units."""

    role: str
    actual: float
    expected: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class ExplanationResult:
    """An explanation as the ledger keeps it; `failure` "" means it passed its check.

    `contributions` and `standard_error` map role, or group of roles, to value; `base + sum` equals the score. `without`
    is what the score would be with that one as expected and all others as they are, where that is known.
    """

    base: float
    contributions: Mapping[str, float]
    standard_error: Mapping[str, float]
    failure: str = ""
    without: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Run:
    """One scoring of one model at one due time; a gated run is a run with its reason, not a hole.

    Attributes:
        model: key of the model, `<asset>/<name>`.
        due_ns: due time on the grid, UTC ns: the source time of all its outputs.
        version: model version that scored, 0 if none could.
        score: None where it could not be scored.
        quality: OPC UA StatusCode of the outputs.
        reason: why it is not Good, or which sensor to check beside the machine, in words; else "".
        input_digest: SHA-256 of the aligned window (values, reasons): the same digest is not scored twice.
        roles: one for each role, in the model's order; empty where not scored.
        explanation: None while there is none (it comes later, or its policy skipped it).
        revised: a late sample changed a run that had been scored before.
        shadow: version and score of a later version that is not approved, on the same window; announced nowhere.
        results: what the job says beside the score, by output: class, remaining life, prediction; {} for `health`.
        stopped: gated by the running condition, maintenance or exclusion: "function check", not "cannot score".
    """

    model: str
    due_ns: int
    version: int
    score: float | None
    quality: int
    reason: str = ""
    input_digest: str = ""
    roles: Sequence[RoleResult] = ()
    explanation: ExplanationResult | None = None
    revised: bool = False
    stopped: bool = False
    trial: bool = False
    results: Mapping[str, float | str] = field(default_factory=dict)
    shadow: tuple[int, float] | None = None


@dataclass(frozen=True, slots=True)
class OutputValue:
    """One output tag at one time: what all three ways of delivery carry.

    `output` is the path below the model's folder: `Score`, `Top1_Tag`, `Contribution/speed`.
    """

    output: str
    value: float | int | bool | str | None
    status: int


@dataclass(frozen=True, slots=True)
class OutputRow:
    """All outputs of one part (score or explanation) of one run."""

    model: str
    due_ns: int
    part: str
    values: Sequence[OutputValue] = field(default_factory=tuple)
