"""What a model learns from: a frame, and what the job needs besides it."""

from dataclasses import dataclass

from tagsight_models.frame import Frame, Series

NORMAL = "normal"
"""The label of a period without a fault; a label like any other."""


@dataclass(frozen=True, slots=True)
class LabelledPeriod:
    """A half-open period [start, end) in UTC ns of which somebody said what it was.

    Attributes:
        start_ns: first instant.
        end_ns: first instant after it.
        label: a class ("normal", "bearing"), or a severity written as a number ("80").
        component: what the label is about, "" where the whole asset is; each component has labels of its own.
    """

    start_ns: int
    end_ns: int
    label: str
    component: str = ""


@dataclass(frozen=True, slots=True)
class Life:
    """One run of a machine from when it was new or mended; `failed`: it ended by failing (or reaching its limit)."""

    start_ns: int
    end_ns: int
    failed: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class TrainingData:
    """Everything that a training takes.

    Attributes:
        frame: the inputs, aligned and gated. Several machines or runs stand one after the other, with at least one
            step between them that no role has a value for.
        periods: labelled periods (`diagnosis`; `health` leaves out what is not normal).
        target: the values to predict (`quality`: laboratory values, whose times are those of the samples;
            `production`: the value to raise), in engineering units.
        target_name: of the target.
        target_unit: of the target.
        lives: runs to failure (`prognosis`).
    """

    frame: Frame
    periods: tuple[LabelledPeriod, ...] = ()
    target: Series | None = None
    target_name: str = ""
    target_unit: str = ""
    lives: tuple[Life, ...] = ()
