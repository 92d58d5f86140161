"""What scoring takes and gives: plain values that travel between the service and its worker. Imports no torch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tagsight.plan import ModelPlan
from tagsight.results import Run
from tagsight_connectors.history import TagHistory
from tagsight_models.card import ModelCard
from tagsight_models.frame import Floats, Role


@dataclass(frozen=True, slots=True)
class StorePlace:
    """Where models and their key are."""

    root: Path
    key: Path


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What the service must know of an approved model; it never loads one itself."""

    model: str
    version: int
    card: ModelCard
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unloadable:
    """A model that was approved, and of which no version can be loaded: it is not scored, and must not look well."""

    model: str
    why: str


@dataclass(frozen=True, slots=True)
class LabReading:
    """One laboratory value of a soft sensor's target.

    Attributes:
        sampled_ns: when the sample was taken, UTC ns.
        value: engineering units.
        history: role -> inputs, from as far back as a window that ends then needs.
    """

    sampled_ns: int
    value: float
    history: Mapping[str, TagHistory]


@dataclass(frozen=True, slots=True)
class ScoreTask:
    """One model's share of a tick.

    Attributes:
        plan: of the model.
        roles: as bound, in the order of the model's columns.
        history: role -> values, from as far back as `Participant.starts` says.
        operands: operand of the running condition -> values.
        due: due times to score, ascending; multiples of the model's grid.
        laboratory: recent values of the target; only a soft sensor has any.
        known: due time -> input digest of what was scored before: the same digest is not scored again.
    """

    plan: ModelPlan
    roles: tuple[Role, ...]
    history: Mapping[str, TagHistory]
    operands: Mapping[str, TagHistory]
    due: tuple[int, ...]
    known: Mapping[int, str] = field(default_factory=dict)
    laboratory: tuple[LabReading, ...] = ()


@dataclass(frozen=True, slots=True)
class ScoredRun:
    """A run and what its explanation needs.

    Attributes:
        run: without an explanation.
        window: shape (window_steps, roles); None where it was not scored.
        sensor_fault: it was not scored because of a sensor, not of the machine.
    """

    run: Run
    window: Floats | None = None
    sensor_fault: bool = False
