"""What the plan says about a training."""

from dataclasses import dataclass, field
from pathlib import Path

from tagsight_models.calibration import Alarming, Budget
from tagsight_models.cost import Cost
from tagsight_models.delays import Delays
from tagsight_models.job_model import JobModel


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """What the plan says about a training.

    Attributes:
        window_steps: steps of a window.
        at_most: activations allowed ...
        per_ns: ... per this time.
        delays: of the alarm.
        every_ns: scoring interval; the limit is found, and methods are compared, at due times.
        at_most_seconds: time budget; each fit keeps to its share of it.
        seed: the same data, settings and seed give the same bytes.
        limit_span: held-out normal time [start, end) in UTC ns, the only time that the limit comes from; None: the
            last quarter of the usable steps, and blocked folds of the rest where that is short.
        drop_constant: leave a constant role out, with a word in the card, instead of refusing.
        sister: a sister machine's model that training may start from; None: from nothing.
        sister_name: of that model, with its version, for people.
        search: trials of a search for the settings of the network; 0: its defaults.
        kept_in: folder for the state of the training, so that it goes on after a kill; None: it starts again. Whoever
            names it removes it when the training has ended.
        cost: of false alarms and missed faults, which chooses among the limits inside the budget; None: the lowest.
            Of `health`.
        regime: role whose levels are the operating regimes, "found" to look for such roles, "" for one regime.
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
    sister: JobModel | None = None
    sister_name: str = ""
    search: int = 0
    kept_in: Path | None = None
    regime: str = ""
    cost: Cost | None = None

    @property
    def search_seconds(self) -> float:
        """Of the budget, for all trials of a search together."""
        return 0.5 * self.at_most_seconds if self.search else 0.0

    def share_seconds(self, fits: int) -> float:
        """Of the budget, for one of the fits of a job; a comparison with a sister takes two more."""
        return (self.at_most_seconds - self.search_seconds) / (fits + (2 if self.sister is not None else 0))

    def alarming(self, grid_ns: int) -> Alarming:
        """How scores on this grid become alarms."""
        budget = Budget(self.at_most, self.per_ns)
        return Alarming(self.delays, budget, grid_ns, self.every_ns, self.window_steps)
