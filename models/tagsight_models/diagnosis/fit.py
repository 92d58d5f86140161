"""The training of the job `diagnosis`: from labelled periods to a calibrated model that knows what it does not know."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tagsight_models.diagnosis.baselines import guesses
from tagsight_models.diagnosis.components import Component
from tagsight_models.diagnosis.experts import Effort, Experts, learned_experts
from tagsight_models.diagnosis.folds import Folds, folds_of
from tagsight_models.diagnosis.held_out import HeldOut, told
from tagsight_models.diagnosis.judgement import Judgement
from tagsight_models.diagnosis.labelled_windows import LabelledWindows, labelled_windows
from tagsight_models.diagnosis.model import DiagnosisModel
from tagsight_models.diagnosis.novelty import Novelty, familiar
from tagsight_models.diagnosis.pool import pool_weights
from tagsight_models.diagnosis.settings import DiagnosisSettings
from tagsight_models.diagnosis.sight import Sight, learned_sight
from tagsight_models.diagnosis.verdict import Verdict, judged
from tagsight_models.errors import LabelsUnusable, UnusableInput
from tagsight_models.frame import Flags, Floats
from tagsight_models.training import Progress, part_of
from tagsight_models.training_data import TrainingData
from tagsight_models.training_settings import TrainingSettings
from tagsight_models.usable_inputs import narrowed, unusable
from tagsight_models.windows import windows

SHARE_OF_NETWORKS: Final = 0.6  # of the time budget
LEAST_STEPS: Final = 20


@dataclass(frozen=True, slots=True)
class DiagnosisTrained:
    """A diagnosis and what is known of it.

    Attributes:
        model: calibrated.
        metrics: on held-out windows, by name; of components "<name>: <component>".
        lines: comparison with simple methods, for people.
        verdict: of the comparison.
        trial: the model must not alarm.
        calibration: facts of the limits and probabilities, JSON values.
        cannot_see: sentences.
        fitted: windows and networks: counts and losses.
        dropped: roles that were left out, with the cause.
        seconds: of everything.
    """

    model: DiagnosisModel
    metrics: Mapping[str, float]
    lines: tuple[str, ...]
    verdict: str
    trial: bool
    calibration: Mapping[str, Any]
    cannot_see: tuple[str, ...]
    fitted: Mapping[str, float]
    dropped: Mapping[str, str]
    seconds: float


def train_diagnosis(
    data: TrainingData, settings: TrainingSettings, job_settings: DiagnosisSettings, progress: Progress
) -> DiagnosisTrained:
    """Train the model of the job `diagnosis`.

    Args:
        data: the frame and its labelled periods.
        settings: window, seed, time budget.
        job_settings: limits and sizes.
        progress: called with the share done and words.

    Raises:
        LabelsUnusable: labels that nothing can be learned from.
        TooLittleData: too few windows of a class.
        UnusableInput: a constant role (unless `drop_constant`), or a window that is too short.
    """
    started = time.monotonic()
    if settings.window_steps < LEAST_STEPS:
        cause = f"a window of {settings.window_steps} steps is too short to tell faults: {LEAST_STEPS} are needed"
        raise UnusableInput("score.window", cause, mend=f"Set `score.window` to {LEAST_STEPS} or more; 60 is usual.")
    causes = unusable(data.frame)
    data = replace(data, frame=narrowed(data.frame, causes, drop=settings.drop_constant))
    made = labelled_windows(data, settings.window_steps, job_settings)
    work = _Work.of(data, made, settings, job_settings)
    folds = folds_of(made, job_settings.folds)
    found = work.held_out(folds, part_of(progress, 0.0, 0.75))
    model, losses = work.whole(found, part_of(progress, 0.75, 0.95))
    progress(0.95, "comparing with simple methods")
    said = judged(model, found)
    progress(1.0, said.verdict)
    fitted = {"windows": float(len(made)), "networks": float(len(losses)), "loss": float(np.mean(losses))}
    facts = {"folds": folds.words, "components": [told(one, model) for one in found]}
    return DiagnosisTrained(
        model,
        said.metrics,
        said.lines,
        said.verdict,
        said.trial,
        facts,
        _cannot_see(model, said),
        fitted,
        causes,
        time.monotonic() - started,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Work:
    """What every fit of one training shares."""

    made: LabelledWindows
    rows: Floats
    data: TrainingData
    settings: TrainingSettings
    job_settings: DiagnosisSettings
    seconds: float

    @classmethod
    def of(
        cls, data: TrainingData, made: LabelledWindows, settings: TrainingSettings, job_settings: DiagnosisSettings
    ) -> "_Work":
        rows = np.asarray(windows(data.frame, 1).values[:, 0])
        fits = (job_settings.folds + 1) * len(made.components) * job_settings.networks
        seconds = SHARE_OF_NETWORKS * settings.at_most_seconds / fits
        return cls(made, rows, data, settings, job_settings, seconds)

    def held_out(self, folds: Folds, progress: Progress) -> list[HeldOut]:
        """What models say of windows that they did not see, for each component."""
        found = [HeldOut.empty(one) for one in self.made.components]
        for number, (held, learned) in enumerate(zip(folds.held, folds.learned, strict=True)):
            progress(number / len(folds.held), f"fold {number + 1} of {len(folds.held)}")
            part, others = self.made.where(learned), self.made.where(held)
            if not len(part) or not len(others):
                continue
            sight = learned_sight(part, self.rows)
            features = sight(others.values)
            for column in range(len(self.made.components)):
                judge = self._experts(part, sight, column)
                if judge is not None:
                    found[column] = found[column].and_also(_opinions(judge, part, others, features, column))
            del sight
        for one in found:
            if len(np.unique(one.classes)) < 2:
                cause = f"{one.component.shown}: held-out time has fewer than two classes, so nothing can be calibrated"
                raise LabelsUnusable(cause, mend="Label more, or longer, periods of each class.")
        return found

    def _experts(
        self, part: LabelledWindows, sight: Sight, column: int
    ) -> tuple[Component, Experts, Novelty, list[float]] | None:
        """Of one component, from the windows that say something of it; None where these say one thing only."""
        component, classes = part.components[column], part.labels[:, column]
        told_of = classes >= 0
        if len(np.unique(classes[told_of])) < 2:
            return None
        features, classes = sight.features[told_of], classes[told_of]
        effort = Effort(self.job_settings, self.settings.seed, self.seconds)
        experts, losses = learned_experts(features, classes, component, effort)
        return component, experts, familiar(features, classes, len(component.classes)), list(losses)

    def whole(self, found: list[HeldOut], progress: Progress) -> tuple[DiagnosisModel, list[float]]:
        """The model of all windows, with weights and limits from held-out ones."""
        progress(0.0, "learning from all labelled time")
        made, sight = self.made, learned_sight(self.made, self.rows)
        judgements, losses = [], []
        for column, held in enumerate(found):
            learned = self._experts(made, sight, column)
            if learned is None:  # never: `labelled_windows` saw two classes
                cause = f"{held.component.shown} has one class only"
                raise LabelsUnusable(cause)
            component, experts, novelty, loss = learned
            weights = pool_weights(held.opinions, held.classes)
            limits = held.limits(weights, self.job_settings)
            novelty = replace(novelty, usual=novelty.usual * held.allowance())
            judgements.append(Judgement(component, experts, weights, novelty, *limits))
            losses += loss
            progress((column + 1) / len(found), f"{component.shown} learned")
        usual = made.normal if made.normal.any() else np.ones(len(made), dtype=np.bool_)
        return (
            DiagnosisModel(
                self.data.frame.roles,
                self.settings.window_steps,
                self.data.frame.grid_ns,
                made.values[usual].mean(axis=0),
                sight.seen,
                sight.scaling,
                tuple(judgements),
            ),
            losses,
        )


def _opinions(
    judge: tuple[Component, Experts, Novelty, list[float]],
    part: LabelledWindows,
    others: LabelledWindows,
    features: Floats,
    column: int,
) -> HeldOut:
    """Of held-out windows whose class was learned."""
    component, experts, novelty, _ = judge
    classes = others.labels[:, column]
    chosen: Flags = np.isin(classes, part.labels[part.labels[:, column] >= 0, column])
    seen = features[chosen]
    simple = guesses(_labelled(part, column), others.values[chosen], len(component.classes))
    return HeldOut(component, experts.log_probabilities(seen), classes[chosen], novelty.apart(seen), dict(simple))


def _labelled(part: LabelledWindows, column: int) -> tuple[Floats, NDArray[np.intp]]:
    told_of = part.labels[:, column] >= 0
    return part.values[told_of], part.labels[told_of, column]


def _cannot_see(model: DiagnosisModel, said: Verdict) -> tuple[str, ...]:
    found = ["Faults that nobody labelled: at best they are called unknown."]
    for judgement in model.judgements:
        component = judgement.component
        if component.normal < 0:
            found.append(f"Whether {component.shown} is normal: no label says what normal is, so it never alarms.")
    return (*found, *said.poor)
