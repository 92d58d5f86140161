"""A frame as rows, split into time to learn from and normal time that is held out for limit, band and comparison."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from tagsight_models.errors import TooLittleData
from tagsight_models.frame import Flags, Floats, Frame, Times
from tagsight_models.statistics.statistic import present
from tagsight_models.training_settings import TrainingSettings
from tagsight_models.usable_inputs import constant, narrowed, unusable
from tagsight_models.windows import windows

SHORT: Final = 50_000  # steps to learn from below which blocked folds of them may be needed for the limit


@dataclass(frozen=True, slots=True)
class TrainingRows:
    """Rows with NaN where nothing counts, and which of them are held out.

    Attributes:
        frame: times and roles, without those of `dropped`.
        dropped: roles that were left out, with the cause.
        values: shape (steps, roles), small holes bridged exactly as they are when scoring.
        held: shape (steps,).
        span_given: the held-out time is the engineer's choice.
    """

    frame: Frame
    dropped: Mapping[str, str]
    values: Floats
    held: Flags
    span_given: bool

    @classmethod
    def of(cls, frame: Frame, settings: TrainingSettings) -> "TrainingRows":
        """Leave out what cannot be used, bridge, split.

        Raises:
            TooLittleData: too few usable steps.
            UnusableInput: a role that cannot be an input, where leaving it out is not wanted.
        """
        dropped: dict[str, str] = {}
        causes = unusable(frame)
        while True:
            frame = narrowed(frame, causes, drop=settings.drop_constant)
            dropped |= causes
            rows = cls(frame, dropped, *_split(frame, settings), settings.limit_span is not None)
            causes = rows.constant(settings.window_steps)
            if not causes:
                rows.check(settings.window_steps)
                return rows

    @property
    def usable(self) -> Flags:
        """Shape (steps,): rows that count."""
        return present(self.values)

    @property
    def learned(self) -> Floats:
        """All rows, NaN where they are held out."""
        return np.where(self.held[:, None], np.nan, self.values)

    @property
    def held_values(self) -> Floats:
        """All rows, NaN where they are not held out."""
        return np.where(self.held[:, None], self.values, np.nan)

    @property
    def short(self) -> bool:
        """There is little to learn from."""
        return int((self.usable & ~self.held).sum()) < SHORT

    @property
    def folded(self) -> bool:
        """The limit also comes from blocked folds of the rows to learn from: little time, and nobody named it."""
        return self.short and not self.span_given

    def constant(self, window_steps: int) -> dict[str, str]:
        """Roles that vary somewhere, but not where the model learns; with their causes."""
        usable = self.usable
        learned = self.values[usable & ~self.held]
        if int(usable.sum()) < 4 * window_steps or len(learned) < window_steps:
            return {}  # too little to say; `check` says so
        causes = constant(self.frame, learned, folded=self.short)
        return constant(self.frame, self.values[usable], folded=True) | causes if self.folded else causes

    def check(self, window_steps: int) -> None:
        """Raise TooLittleData unless there is enough to learn from and to hold out."""
        usable = self.usable
        needed = max(4 * window_steps, 3 * len(self.frame.roles) + 2 * window_steps)
        for what, found, least in (
            ("training a health model", usable, needed),
            ("the held-out time of the limit", usable & self.held, window_steps),
            ("training beside the held-out time", usable & ~self.held, window_steps),
        ):
            if int(found.sum()) < least:
                raise TooLittleData(what, int(found.sum()), least)


def _split(frame: Frame, settings: TrainingSettings) -> tuple[Floats, Flags]:
    """Values with NaN rows where nothing counts, and which rows are held out."""
    values = windows(frame, 1).values[:, 0]
    usable = present(values)
    return np.where(usable[:, None], values, np.nan), _held(frame.times, usable, settings)


def _held(times: Times, usable: Flags, settings: TrainingSettings) -> Flags:
    """The span that the engineer named; else the last quarter, or as much as a comparison needs, at most half."""
    span, count = settings.limit_span, int(usable.sum())
    if span is not None:
        return np.asarray((times >= span[0]) & (times < span[1]), dtype=np.bool_)
    if not usable.any():
        return np.zeros(len(times), dtype=np.bool_)
    first = np.flatnonzero(usable)[max(min(int(0.75 * count), count - 2 * settings.window_steps), count // 2)]
    return np.asarray(np.arange(len(times)) >= first, dtype=np.bool_)
