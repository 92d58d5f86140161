"""The page of one model version: what it is made of, what it expects, what matters to it. For the training worker.

It is made at the end of the training, where the data are; it is not signed and nothing depends on it, so whatever goes
wrong with it is told and costs no training.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any, Final

import numpy as np

from tagsight_explain.explainers import explain_many
from tagsight_explain.language import language
from tagsight_explain.pictures import page as html
from tagsight_explain.pictures.canvas import Look
from tagsight_explain.pictures.regimes import importance_by_regime
from tagsight_explain.pictures.scatter import Pairs, scatter
from tagsight_explain.pictures.structure import structure
from tagsight_explain.pictures.weights import weights
from tagsight_explain.settings import ExplainSettings
from tagsight_models.anatomy import Stage, anatomy, learned_weights
from tagsight_models.card import ModelCard
from tagsight_models.frame import Floats, Frame
from tagsight_models.health import HealthModel
from tagsight_models.job_model import JobModel
from tagsight_models.prognosis.model import PrognosisModel
from tagsight_models.quality.soft_sensor import SoftSensor
from tagsight_models.training_data import TrainingData
from tagsight_models.windows import Windows, windows

SHOWN: Final = 400
"""Windows of the training data that are looked at."""

HIGHEST: Final = 8
"""Of each regime, so many of the highest scores are explained."""

REGIMES: Final = 4
SECONDS: Final = 0.8
"""For all explanations of the page together."""

EVALUATIONS: Final = 256


@dataclass(frozen=True, slots=True)
class Named:
    """A version and the language of its page."""

    name: str
    version: int
    language: str


def model_page(model: JobModel, card: ModelCard, data: TrainingData | None, named: Named) -> str:
    """HTML that holds everything it shows; without `data`, nothing that needs the training data."""
    look, said = Look(named.language), language(named.language).pictures
    stages = anatomy(model)
    parts = [
        html.heading(said["page_structure"]),
        html.figure(structure(stages, look), said["page_structure"]),
        html.heading(said["page_table"]),
        _table(stages, said),
    ]
    for heading, svg in _drawn(model, stages, data, look):
        parts += [html.heading(said[heading]), html.figure(svg, said[heading])]
    parts += [html.heading(said["page_card"]), html.preformatted(card.words())]
    title = said["page_model"].format(name=named.name, version=named.version)
    return html.page(title, parts, named.language)


def _drawn(
    model: JobModel, stages: tuple[Stage, ...], data: TrainingData | None, look: Look
) -> list[tuple[str, bytes]]:
    """Heading and picture of what there is for this model."""
    found = []
    if arrays := learned_weights(stages):
        found.append(("page_weights", weights(arrays, look)))
    if data is None:
        return found
    cut = _training_windows(model, data.frame)
    if len(cut):
        if (pairs := _pairs(model, cut)) is not None:
            found.append(("page_scatter", scatter(pairs, look)))
        if sizes := _importance(model, cut):
            roles = tuple(role.name for role in model.roles)
            heading = "page_by_regime" if len(sizes) > 1 else "page_importance"
            found.append((heading, importance_by_regime(sizes, roles, look)))
    if (pairs := _predictions(model, data)) is not None:
        found.append(("page_target", scatter(pairs, look)))
    return found


def _table(stages: tuple[Stage, ...], said: Mapping[str, str]) -> str:
    blocks = [block for stage in stages for block in stage]
    rows = [
        html.Row((said[f"block_{block.name}"], name, " x ".join(map(str, array.shape)), f"{array.size:,}"))
        for block in blocks
        for name, array in block.arrays.items()
    ]
    total = f"{sum(block.parameters for block in blocks):,}"
    head = tuple(said[f"page_{name}"] for name in ("part", "array", "shape", "numbers"))
    return html.table(head, [*rows, html.Row((said["page_total"], "", "", total))], words=2)


def _training_windows(model: JobModel, frame: Frame) -> Floats:
    """Evenly spread over the training data, (at most `SHOWN`, window_steps, roles)."""
    return _chosen(windows(_of_model(model, frame), model.window_steps))


def _chosen(cut: Windows) -> Floats:
    usable = np.flatnonzero(cut.usable)
    places = usable[np.linspace(0, len(usable) - 1, min(SHOWN, len(usable))).round().astype(np.intp)]
    return np.ascontiguousarray(cut.values[places])


def _of_model(model: JobModel, frame: Frame) -> Frame:
    """The columns that the model takes."""
    names = [role.name for role in frame.roles]
    columns = [names.index(role.name) for role in model.roles]
    return replace(
        frame,
        values=frame.values[:, columns],
        reasons=frame.reasons[:, columns],
        uncertain=frame.uncertain[:, columns],
        roles=model.roles,
    )


def _pairs(model: JobModel, cut: Floats) -> Pairs | None:
    """Expected and actual values at the last steps; None where the model expects the same whatever it sees."""
    found, actual = model.expectation(cut), cut[:, -1]
    if len(cut) < 2 or (np.ptp(found.expected, axis=0) == 0.0).all():
        return None
    inside = (actual >= found.lower) & (actual <= found.upper)
    names, units = (tuple(getattr(role, what) for role in model.roles) for what in ("name", "unit"))
    return Pairs(names, units, actual, found.expected, inside.astype(np.float64))


def _importance(model: JobModel, cut: Floats) -> dict[str, Floats]:
    """Mean sizes of the contributions to the highest scores of each regime, (roles,), as far as the time reaches."""
    scores, regimes = model.score(cut), _regimes(model, cut)
    names = [name for name, _ in sorted(_counted(regimes).items(), key=lambda item: -item[1])][:REGIMES]
    chosen = {name: _highest(scores, regimes == name) for name in sorted(names)}
    rows = np.concatenate(list(chosen.values()))
    settings = ExplainSettings(seconds=SECONDS / max(1, len(rows)), at_most_evaluations=EVALUATIONS)
    found = explain_many(model, cut[rows], scores[rows], settings, monotonic)
    sizes, start = {}, 0
    for name, places in chosen.items():
        held = [one.contributions for one in found[start : start + len(places)] if not one.failure]
        start += len(places)
        if held:
            sizes[name] = np.abs(held).mean(axis=0)
    return sizes


def _regimes(model: JobModel, cut: Floats) -> np.ndarray[Any, np.dtype[np.str_]]:
    """Name of the regime of each window, "" where there is one only."""
    if isinstance(model, HealthModel) and model.parameters.regimes is not None:
        states = model.parameters.regimes.states(cut)
        return np.array([str(state + 1) if state >= 0 else "-" for state in states])
    if isinstance(model, PrognosisModel):
        of = model.features.regimes.of(cut[:, -1])
        return np.array([str(int(number) + 1) if len(np.unique(of)) > 1 else "" for number in of])
    return np.full(len(cut), "")


def _counted(regimes: np.ndarray[Any, np.dtype[np.str_]]) -> dict[str, int]:
    names, counts = np.unique(regimes, return_counts=True)
    return dict(zip(names.tolist(), counts.tolist(), strict=True))


def _highest(scores: Floats, inside: Floats) -> np.ndarray[Any, np.dtype[np.intp]]:
    rows = np.flatnonzero(inside)
    return rows[np.argsort(-scores[rows], kind="stable")[:HIGHEST]]


def _predictions(model: JobModel, data: TrainingData) -> Pairs | None:
    """Predictions of a soft sensor against its laboratory values; None for other models, or without any."""
    if not isinstance(model, SoftSensor) or data.target is None:
        return None
    ends = data.target.times // model.grid_ns * model.grid_ns
    cut = windows(_of_model(model, data.frame), model.window_steps, ends)
    rows = np.flatnonzero(cut.usable & np.isfinite(data.target.values))[-SHOWN:]
    if len(rows) < 2:
        return None
    found, actual = model.plain(np.ascontiguousarray(cut.values[rows])), data.target.values[rows]
    inside = (actual >= found.lower) & (actual <= found.upper)
    parts = model.parts
    return Pairs(
        (parts.target_name,),
        (parts.target_unit,),
        actual[:, None],
        found.prediction[:, None],
        inside[:, None].astype(float),
    )
