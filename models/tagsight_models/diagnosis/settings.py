"""What the plan says about a diagnosis, beside what holds for every training."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class DiagnosisSettings:
    """Settings of the job `diagnosis`.

    Attributes:
        sure_from: probability of any fault from which on the score is 1.0; more where held-out normal time asks for
            it.
        false_share: share of held-out normal windows that may be called a fault.
        unknown_share: share of held-out windows of known classes that may be called unknown.
        normal: component -> its label without a fault ({"valve": "100"}); of "", the whole asset, for every component
            that is not named; without it see `normal_label`.
        folds: times that a part of the labelled time is held out.
        windows_of_class: at most so many windows of each class are learned from, spread evenly.
        trees: of each forest.
        networks: of each ensemble.
    """

    sure_from: float = 0.5
    false_share: float = 0.05
    unknown_share: float = 0.01
    normal: Mapping[str, str] = field(default_factory=dict)
    folds: int = 3
    windows_of_class: int = 240
    trees: int = 60
    networks: int = 1

    def __post_init__(self) -> None:
        for name in ("sure_from", "false_share", "unknown_share"):
            if not 0.0 < getattr(self, name) < 1.0:
                msg = f"{name} must lie between 0 and 1, not {getattr(self, name)}"
                raise ValueError(msg)
        for name, least in (("folds", 2), ("windows_of_class", 20), ("trees", 1), ("networks", 1)):
            if getattr(self, name) < least:
                msg = f"{name} must be at least {least}, not {getattr(self, name)}"
                raise ValueError(msg)
