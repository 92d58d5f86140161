"""A small search for the settings of a network: the one place of Optuna.

Seeded trials of the tree-structured Parzen estimator (J. Bergstra and others, 2011) after one of the defaults, so that
the result is never worse than these on the held-out time that decides. What was tried is kept as JSON: a search that
was killed goes on, and proposes what it would have proposed.
"""

import contextlib
import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import optuna

from tagsight_models.networks.registry import NETWORKS
from tagsight_models.training import Progress, silent

optuna.logging.set_verbosity(optuna.logging.WARNING)

Values: TypeAlias = Mapping[str, float | int | str]

Objective: TypeAlias = Callable[[Values, float, Progress], float]
"""(values, seconds that it may take, progress) -> held-out loss; not finite where nothing could be learned."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of these."""

    values: tuple[float | int | str, ...]


@dataclass(frozen=True, slots=True)
class Range:
    """Between two positive numbers, by their ratio."""

    low: float
    high: float


Space: TypeAlias = Mapping[str, Choice | Range]

RATES: Final = Range(1e-3, 2e-2)

HEALTH: Final[Space] = MappingProxyType({"hidden": Choice((4, 8, 16, 32)), "rate": RATES})
"""Of the network of the job `health`."""

WINDOW_NETWORKS: Final[Space] = MappingProxyType(
    {"network": Choice(tuple(NETWORKS)), "size": Choice((8, 16, 32, 64)), "rate": RATES}
)
"""Of the networks over windows; `sizes` tells what a size is for each."""


def sizes(network: str, size: int) -> dict[str, Any]:
    """Keywords for `networks.registry.network`."""
    match network:
        case "mlp":
            return {"hidden": (size, max(size // 2, 4))}
        case "tcn":
            return {"channels": size}
        case _:
            return {"hidden": size}


@dataclass(frozen=True, slots=True)
class Trial:
    """One that was tried."""

    values: Values
    loss: float


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found; the first trial is that of the defaults.

    Attributes:
        trials: in order.
        asked: how many were wanted; fewer where the time was over.
    """

    trials: tuple[Trial, ...]
    asked: int

    @property
    def best(self) -> Trial:
        """The one with the lowest loss, the earliest of several."""
        return min(self.trials, key=lambda trial: trial.loss)

    @property
    def words(self) -> str:
        """For the card and the command line."""
        count = f"{len(self.trials)} trials" + (f" of {self.asked}" if len(self.trials) < self.asked else "")
        first, best = self.trials[0], self.best
        if best is first:
            return f"Search, {count}: nothing better than the defaults, held-out loss {first.loss:.4g}"
        chosen = ", ".join(
            f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}"
            for name, value in best.values.items()
        )
        return f"Search, {count}: {chosen}; held-out loss {best.loss:.4g} against {first.loss:.4g} of the defaults"

    @property
    def metrics(self) -> dict[str, float]:
        """The same as numbers."""
        return {
            "search_trials": float(len(self.trials)),
            "search_loss_of_best": self.best.loss,
            "search_loss_of_defaults": self.trials[0].loss,
        }


def search(
    space: Space,
    defaults: Values,
    objective: Objective,
    *,
    trials: int,
    seed: int,
    at_most_seconds: float,
    kept: Path | None = None,
    named: str = "",
    progress: Progress = silent,
    now: Callable[[], float] = time.monotonic,
) -> Found:
    """Try the defaults, then what looks promising.

    Args:
        space: what is varied.
        defaults: of each, in `space`.
        objective: called once for each trial, with its share of the time that is left.
        trials: at least 1, the defaults included.
        seed: the same seed and losses give the same trials, in one go or with kills between them.
        at_most_seconds: no trial starts after this; the defaults are always tried.
        kept: file that the trials are kept in.
        named: of the data and settings: what a search of another name has left is ignored.
        progress: of the whole.
        now: seconds that only grow.
    """
    distributions = {name: _distribution(one) for name, one in space.items()}
    done, spent = _read(kept, named)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed))
    for trial in done:
        _tell(study, trial, distributions)
    started = now() - spent
    while len(done) < trials:
        left = at_most_seconds - (now() - started)
        number = len(done)
        if number and left <= 0.0:
            break
        values = _proposed(study, distributions, seed + number) if number else dict(defaults)
        again = next((one.loss for one in done if one.values == values), None)
        share = _share(progress, number, trials)
        loss = objective(values, max(left, 0.0) / (trials - number), share) if again is None else again
        done.append(Trial(values, loss))
        _tell(study, done[-1], distributions)
        _write(kept, named, done, now() - started)
        progress((number + 1) / trials, f"trial {number + 1} of {trials}, loss {min(one.loss for one in done):.4g}")
    return Found(tuple(done), trials)


def _share(progress: Progress, number: int, trials: int) -> Progress:
    return lambda share, words: progress((number + share) / trials, f"trial {number + 1} of {trials}: {words}")


def _distribution(one: Choice | Range) -> optuna.distributions.BaseDistribution:
    if isinstance(one, Choice):
        return optuna.distributions.CategoricalDistribution(one.values)
    return optuna.distributions.FloatDistribution(one.low, one.high, log=True)


def _proposed(
    study: optuna.Study, distributions: dict[str, optuna.distributions.BaseDistribution], seed: int
) -> dict[str, Any]:
    """A sampler of its own for each trial: what it proposes depends on the trials before it and the seed alone."""
    study.sampler = optuna.samplers.TPESampler(n_startup_trials=5, seed=seed)
    trial = study.ask(distributions)
    values = dict(trial.params)
    study.tell(trial, state=optuna.trial.TrialState.FAIL)  # it is told again, as trials that were read are
    return values


def _tell(study: optuna.Study, trial: Trial, distributions: dict[str, optuna.distributions.BaseDistribution]) -> None:
    if math.isfinite(trial.loss):
        study.add_trial(
            optuna.trial.create_trial(params=dict(trial.values), distributions=distributions, value=trial.loss)
        )


def _read(kept: Path | None, named: str) -> tuple[list[Trial], float]:
    try:
        said = json.loads(kept.read_bytes()) if kept else {}
        if said.get("named") != named:
            return [], 0.0
        return [Trial(one["values"], one["loss"]) for one in said["trials"]], said["seconds"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return [], 0.0


def _write(kept: Path | None, named: str, done: list[Trial], seconds: float) -> None:
    if kept is None:
        return
    trials = [{"values": dict(one.values), "loss": one.loss} for one in done]
    temporary = kept.with_suffix(".new")
    with contextlib.suppress(OSError):  # a full disk does not end the search
        kept.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps({"named": named, "seconds": seconds, "trials": trials}), encoding="utf-8")
        temporary.replace(kept)
