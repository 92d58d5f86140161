"""Whether a diagnosis earns its place: mean recall of held-out windows against simple methods."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tagsight_models.diagnosis.held_out import HeldOut
from tagsight_models.diagnosis.model import DiagnosisModel
from tagsight_models.diagnosis.pool import calibration_error, pooled, surprise

MARGIN: Final = 0.02  # of the mean recall: less is a draw, held-out windows are few
POOR: Final = 0.5  # recall of a class below which the card says so


@dataclass(frozen=True, slots=True)
class Verdict:
    """The comparison, metrics, and sentences on classes that are poorly told apart."""

    metrics: Mapping[str, float]
    lines: tuple[str, ...]
    verdict: str
    trial: bool
    poor: tuple[str, ...]


def judged(model: DiagnosisModel, found: Sequence[HeldOut]) -> Verdict:
    """Compare on the held-out windows."""
    metrics: dict[str, float] = {}
    lines, behind, level, poor = [], [], [], []
    for held, judgement in zip(found, model.judgements, strict=True):
        named = held.component.shown
        chances = pooled(held.opinions, judgement.weights)
        told = judgement.named(chances)
        recalls = recall(told, held.classes)
        ours = float(np.mean(list(recalls.values())))
        suffix = f": {held.component.name}" if held.component.name else ""
        metrics |= {
            f"mean recall{suffix}": ours,
            f"accuracy{suffix}": float((told == held.classes).mean()),
            f"surprise{suffix}": surprise(chances, held.classes),
            f"calibration error{suffix}": calibration_error(chances, held.classes),
        }
        others = {name: _mean_recall(guess, held.classes) for name, guess in held.simple.items()}
        words = ", ".join(f"{name} {value:.0%}" for name, value in others.items())
        lines.append(f"{named}: mean recall of held-out windows {ours:.0%}; {words}")
        if ours < max(others.values()) - MARGIN:
            behind.append(named)
        elif ours <= max(others.values()) + MARGIN:
            level.append(named)
        poor += [
            f"Class {held.component.classes[one]!r} of {named}: found in {value:.0%} of its held-out windows only."
            for one, value in recalls.items()
            if value < POOR
        ]
    if behind:
        said = f"worse than a simple method: {', '.join(behind)}"
    elif level:
        said = f"as good as the best simple method for {', '.join(level)}"
    else:
        said = "names more held-out windows rightly than every simple method"
    return Verdict(metrics, tuple(lines), said, bool(behind), tuple(poor))


def recall(told: NDArray[np.intp], classes: NDArray[np.intp]) -> dict[int, float]:
    """Share of each class's windows that are named so."""
    return {int(one): float((told[classes == one] == one).mean()) for one in np.unique(classes)}


def _mean_recall(told: NDArray[np.intp], classes: NDArray[np.intp]) -> float:
    return float(np.mean(list(recall(told, classes).values())))
