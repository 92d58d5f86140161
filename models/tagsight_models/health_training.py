"""The training of the job `health`: from normal rows to a model with limit, bands, comparison and card."""

import time
from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

from tagsight_models.card_writing import Origin, Outcome, card_of
from tagsight_models.drift_reference import drift_facts
from tagsight_models.errors import ModelError
from tagsight_models.frame import Floats
from tagsight_models.health_cost import priced_limit
from tagsight_models.health_fit import Begun, begin_health
from tagsight_models.health_limit import bands, compared, further, health_limit
from tagsight_models.health_network import Asked, fit_networks
from tagsight_models.health_start import FITS, Start, chosen_start
from tagsight_models.regimes import Regimes
from tagsight_models.trained import Trained
from tagsight_models.training import FitSettings, Fitted, Progress, part_of, silent
from tagsight_models.training_data import TrainingData
from tagsight_models.training_rows import TrainingRows
from tagsight_models.training_settings import TrainingSettings
from tagsight_models.unlike import without_unlike

FOLD_EPOCHS: Final = 40  # at most, and at most the epoch that was the best of the whole


Training: TypeAlias = Generator[Sequence[Asked], Sequence[Fitted], Trained]
"""The training of one model: it asks for fits of networks, is sent what became of them, and ends with the model."""


def train_health(data: TrainingData, settings: TrainingSettings, origin: Origin, progress: Progress) -> Trained:
    """The job `health`: normal behaviour, without labels."""
    (found,) = trained_together([health_training(data, settings, origin, progress)])
    if isinstance(found, ModelError):
        raise found
    return found


def trained_together(trainings: Sequence[Training]) -> list[Trained | ModelError]:
    """What each training gives; whatever networks they ask for at one stage are fitted side by side.

    One that cannot be trained ends with its error, and the others go on.
    """
    found: dict[int, Trained | ModelError] = {}
    answers: dict[int, Sequence[Fitted] | None] = dict.fromkeys(range(len(trainings)))
    while answers:
        asked: dict[int, Sequence[Asked]] = {}
        for number, answer in answers.items():
            try:
                asked[number] = trainings[number].send(answer)  # type: ignore[arg-type]  # None begins
            except StopIteration as end:
                found[number] = end.value
            except ModelError as error:
                found[number] = error
        done = iter(fit_networks([one for each in asked.values() for one in each]))
        answers = {number: [next(done) for _ in each] for number, each in asked.items()}
    return [found[number] for number in range(len(trainings))]


def health_training(data: TrainingData, settings: TrainingSettings, origin: Origin, progress: Progress) -> Training:
    """The job `health`, stage by stage: the model of the time to learn from, those of folds, the limit, the card."""
    started = time.monotonic()
    rows = without_unlike(TrainingRows.of(data.frame, settings), settings.window_steps)
    alarming = settings.alarming(data.frame.grid_ns)
    regimes = Regimes.of(rows.values, rows.frame.roles, settings.regime, settings.window_steps)
    start = chosen_start(rows.learned, rows.frame.roles, settings, data.frame.grid_ns, part_of(progress, 0.0, 0.2))
    share = part_of(progress, 0.2, 0.5)
    begun = _begun(rows, settings, start, rows.learned, epochs=FitSettings().epochs, progress=share)
    (fitted,) = yield [begun.asked]
    model = begun.finished(fitted)

    epochs, shares = min(fitted.best_epoch, FOLD_EPOCHS), [part_of(progress, 0.5, 0.65), *[silent] * FITS]
    folds = [
        _begun(rows, settings, start, values, epochs=epochs, progress=each)
        for values, each in zip(further(rows), shares, strict=False)
    ]
    done = yield [fold.asked for fold in folds]
    others = (fold.finished(each) for fold, each in zip(folds, done, strict=True))
    limited = health_limit(
        model, rows, alarming, lambda _rows: next(others), part_of(progress, 0.65, 0.7), regimes=regimes
    )

    chosen = None
    if settings.cost is not None:
        chosen = priced_limit(limited, rows, alarming, settings.cost, seed=settings.seed, faults=data.periods)
    limit = limited.limit if chosen is None else chosen.limit
    model = limited.model.with_limit(limit.normal, limit.value, bands(limited.judged, rows))
    progress(0.75, "comparing with simple statistics")
    judged = compared(limited.judged, limited.limit, rows, alarming, settings.seed)  # all within the same budget
    progress(1.0, judged.verdict)
    outcome = Outcome(model, rows, fitted, limit, judged, time.monotonic() - started)
    card = card_of(outcome, settings, origin)
    comparison = {**card.comparison, "remarks": list(start.remarks)}
    facts = {**card.facts, **drift_facts(model, rows.values, settings.every_ns)}
    facts |= {} if chosen is None else {"cost": chosen.to_json()}
    return Trained(model, replace(card, comparison=comparison, metrics={**card.metrics, **start.metrics}, facts=facts))


def _begun(
    rows: TrainingRows, settings: TrainingSettings, start: Start, values: Floats, *, epochs: int, progress: Progress
) -> Begun:
    """A health model of these rows, within its share of the time budget."""
    budget = replace(start.network.fit, epochs=epochs, at_most_seconds=settings.share_seconds(FITS))
    return begin_health(
        values,
        rows.frame.roles,
        replace(start.network, fit=budget),
        progress,
        grid_ns=rows.frame.grid_ns,
        window_steps=settings.window_steps,
    )
