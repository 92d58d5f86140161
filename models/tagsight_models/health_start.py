"""How the training of a health model begins: from nothing or from a sister machine's, and with which size and rate.

Both are decided by held-out blocks of the time that is learned from, never by the time that the limit comes from.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import torch

from tagsight_models.errors import SisterUnusable
from tagsight_models.frame import Floats, Role
from tagsight_models.health import HealthModel
from tagsight_models.health_fit import context_rows
from tagsight_models.health_network import LAGS, NetworkSettings, held_out_loss
from tagsight_models.search import HEALTH, Values, search
from tagsight_models.training import FitSettings, Progress, part_of
from tagsight_models.training_settings import TrainingSettings
from tagsight_models.training_state import fingerprint
from tagsight_models.transfer import Sister, Transfer, check_grid, matched

FITS: Final = 7
"""Fits of one training, at most: the model's, those of five folds, and one of all rows."""


@dataclass(frozen=True, slots=True)
class Start:
    """What the fits of a training begin with.

    Attributes:
        network: size, rate, and a sister where starting from her helped; the budget is the caller's.
        remarks: sentences on how it was chosen.
        metrics: the same as numbers.
    """

    network: NetworkSettings
    remarks: tuple[str, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)


def chosen_start(
    values: Floats, roles: tuple[Role, ...], settings: TrainingSettings, grid_ns: int, progress: Progress
) -> Start:
    """Compare with a sister, and search, as far as the settings ask for it; each within its part of the time.

    Raises:
        SisterUnusable: nothing of the sister can be taken over.
    """
    start = Start(NetworkSettings(fit=FitSettings(seed=settings.seed, kept_in=settings.kept_in)))
    if settings.sister is None and not settings.search:
        return start
    _, _, rows = context_rows(values, roles, LAGS)
    if settings.sister is not None:
        start = _transferred(
            rows, roles, settings, start, _sister(settings, grid_ns), progress=part_of(progress, 0.0, 0.5)
        )
    if settings.search:
        start = _searched(rows, roles, settings, start, part_of(progress, 0.5, 1.0))
    return start


def _sister(settings: TrainingSettings, grid_ns: int) -> Sister:
    model = settings.sister
    if not isinstance(model, HealthModel):
        kind = getattr(model, "kind", "another")
        raise SisterUnusable(settings.sister_name, f"it is a model of the job `{kind}`, and this is `health`")
    if model.lags != LAGS:
        raise SisterUnusable(settings.sister_name, f"it looks back at steps {model.lags}, this version at {LAGS}")
    sister = Sister(settings.sister_name, model.roles, model.network, model.grid_ns)
    check_grid(sister, grid_ns)
    return sister


def _transferred(
    rows: Floats,
    roles: tuple[Role, ...],
    settings: TrainingSettings,
    start: Start,
    sister: Sister,
    *,
    progress: Progress,
) -> Start:
    columns = matched(roles, sister)
    budget = replace(start.network.fit, at_most_seconds=settings.share_seconds(FITS))
    plain = replace(start.network, fit=budget)
    given = replace(plain, sister=sister)
    from_nothing = held_out_loss(rows, roles, plain, part_of(progress, 0.0, 0.5))
    from_sister = held_out_loss(rows, roles, given, part_of(progress, 0.5, 1.0))
    found = Transfer(sister.name, len(columns), len(roles), from_sister, from_nothing)
    chosen = replace(start.network, sister=sister if found.helped else None)
    return Start(chosen, (*start.remarks, found.words), {**start.metrics, **found.metrics})


def _searched(
    rows: Floats, roles: tuple[Role, ...], settings: TrainingSettings, start: Start, progress: Progress
) -> Start:
    """A sister's size stays."""
    space = {name: one for name, one in HEALTH.items() if name != "hidden" or start.network.sister is None}
    defaults: Values = {name: _default(start.network, name) for name in space}

    def objective(values: Values, seconds: float, share: Progress) -> float:
        return held_out_loss(rows, roles, _with(start.network, values, seconds), share)

    found = search(
        space,
        defaults,
        objective,
        trials=settings.search,
        seed=settings.seed,
        at_most_seconds=settings.search_seconds,
        kept=settings.kept_in / "search.json" if settings.kept_in else None,
        named=fingerprint([torch.as_tensor(rows), f"{space} {settings.seed} {settings.search} {start.metrics}"]),
        progress=progress,
    )
    chosen = _with(start.network, found.best.values, start.network.fit.at_most_seconds)
    return Start(chosen, (*start.remarks, found.words), {**start.metrics, **found.metrics})


def _default(network: NetworkSettings, name: str) -> float | int:
    return network.hidden if name == "hidden" else network.fit.rate


def _with(network: NetworkSettings, values: Values, seconds: float) -> NetworkSettings:
    fit = replace(network.fit, rate=float(values["rate"]), at_most_seconds=seconds)
    return replace(network, hidden=int(values.get("hidden", network.hidden)), fit=fit)
