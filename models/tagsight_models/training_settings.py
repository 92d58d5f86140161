"""What the plan says about a training."""

from dataclasses import dataclass, field

from tagsight_models.calibration import Alarming, Budget
from tagsight_models.delays import Delays


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """What the plan says about a training.

    Attributes:
        window_steps: steps of a window.
        at_most: activations allowed ...
        per_ns: ... per this time.
        delays: of the alarm.
        every_ns: scoring interval; the limit is found, and methods are compared, at due times.
        at_most_seconds: time budget; each of up to six fits keeps to a sixth of it.
        seed: the same data, settings and seed give the same bytes.
        limit_span: held-out normal time [start, end) in UTC ns, the only time that the limit comes from; None: the
            last quarter of the usable steps, and blocked folds of the rest where that is short.
        drop_constant: leave a constant role out, with a word in the card, instead of refusing.
    """

    window_steps: int = 60
    at_most: float = 2.0
    per_ns: int = 2_592_000_000_000_000
    delays: Delays = field(default_factory=lambda: Delays(300_000_000_000, 300_000_000_000))
    every_ns: int = 60_000_000_000
    at_most_seconds: float = 600.0
    seed: int = 0
    limit_span: tuple[int, int] | None = None
    drop_constant: bool = False

    def alarming(self, grid_ns: int) -> Alarming:
        """How scores on this grid become alarms."""
        budget = Budget(self.at_most, self.per_ns)
        return Alarming(self.delays, budget, grid_ns, self.every_ns, self.window_steps)
