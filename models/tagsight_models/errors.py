"""What the models raise.

ModelError
├── TooLittleData       says how much there is and how much would do
├── FrameTooLarge       more samples than a frame may hold
├── UnusableInput       a role that cannot be an input: constant, text, all missing
├── LabelsUnusable      labels that nothing can be learned from: none, outside the data, one class, contradictory
├── TooFewLives         says how many runs to failure there are and how many would do
├── UnusableLife        a run to failure outside the data, too short, or in another one
├── SisterUnusable      a sister machine's model that a training cannot start from
├── ModelFileDamaged    a hash, signature, schema or path that is wrong: the model is not loaded
├── TrainingInterrupted ended from outside; can be resumed
└── NoSuchModel         a version that is not in the store
"""

from dataclasses import dataclass


class ModelError(Exception):
    """Something about data for, or files of, a model. `mend` says what an engineer can do about it."""

    mend: str = ""


@dataclass
class TooLittleData(ModelError):
    """Not enough usable steps remain after gates and exclusions."""

    what: str
    found: int
    needed: int
    mend: str = "Widen the `train` period; `tagsight probe FILE` shows gaps and bad values of each tag."

    def __str__(self) -> str:
        return f"{self.what}: {self.found} usable steps, at least {self.needed} are needed"


@dataclass
class FrameTooLarge(ModelError):
    """More samples (steps x roles) than a frame may hold."""

    steps: int
    roles: int
    allowed: int
    mend: str = "Shorten the `train` period, lengthen `score.grid`, or name fewer `inputs`."

    def __str__(self) -> str:
        return f"{self.steps} steps of {self.roles} inputs; at most {self.allowed} samples fit a frame"


@dataclass
class UnusableInput(ModelError):
    """A role cannot be an input of the model."""

    role: str
    cause: str
    mend: str = "Remove it from `inputs`, or exclude the period in which it does not vary."

    def __str__(self) -> str:
        return f"input {self.role!r} cannot be used: {self.cause}"


@dataclass
class LabelsUnusable(ModelError):
    """Nothing can be learned from these labels."""

    cause: str
    mend: str = "See that `labels` has at least two classes inside the `train` period, each time with one label."

    def __str__(self) -> str:
        return f"labels cannot be used: {self.cause}"


@dataclass
class TooFewLives(ModelError):
    """Not enough runs to failure for an interval that covers as stated."""

    found: int
    needed: int
    mend: str = "Name more runs in `lives`, of sister machines too; or name a tag and its limit: `crossing`."

    def __str__(self) -> str:
        return f"learning remaining life: {self.found} runs to failure, at least {self.needed} are needed"


@dataclass
class UnusableLife(ModelError):
    """A run to failure that nothing can be learned from; `number` counts from 1, in order of time."""

    number: int
    cause: str
    mend: str = "Correct its start and end in `lives`, or leave it out; `tagsight probe FILE` shows gaps of each tag."

    def __str__(self) -> str:
        return f"run {self.number} of `lives` cannot be used: {self.cause}"


@dataclass
class SisterUnusable(ModelError):
    """A training cannot start from this sister machine's model."""

    sister: str
    cause: str
    mend: str = "Name in `from` a model of the same job with inputs of the same names and units, or remove `from`."

    def __str__(self) -> str:
        return f"`from: {self.sister}`: {self.cause}"


@dataclass
class ModelFileDamaged(ModelError):
    """A model file whose hash, signature, schema or path is wrong. It is not loaded; the previous one stays."""

    path: str
    cause: str
    mend: str = "Train again, or restore the folder from a backup made by the same installation."

    def __str__(self) -> str:
        return f"model file {self.path} is not loaded: {self.cause}"


@dataclass
class TrainingInterrupted(ModelError):
    """Training ended from outside before its end."""

    epoch: int
    mend: str = "Start the training again; it goes on from the last finished epoch."

    def __str__(self) -> str:
        return f"training was interrupted after epoch {self.epoch}"


@dataclass
class NoSuchModel(ModelError):
    """The store has no such model or version."""

    name: str
    mend: str = "`tagsight model list FILE` shows what there is; `tagsight train FILE` makes the first."

    def __str__(self) -> str:
        return f"no model {self.name}"
