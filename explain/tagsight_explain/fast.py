"""Our own explainer: exact where all coalitions fit into the evaluations, else sampled; many windows at once."""

from collections.abc import Mapping, Sequence

from tagsight_explain.attribution import Algorithm, Attribution
from tagsight_explain.errors import BudgetSpent, ExplainError, NotFinite
from tagsight_explain.exact import MOST_ROLES, exact
from tagsight_explain.permutation import sampled
from tagsight_explain.settings import ExplainSettings
from tagsight_explain.value_function import ValueFunction, finite
from tagsight_models.frame import Flags, Floats

MOST_KNOWN_VALUES = 2**16  # kept at once for all windows under way: bounds memory whatever the number of windows


def fast(
    value: ValueFunction, roles: int, seeds: Sequence[int], settings: ExplainSettings
) -> list[Attribution | ExplainError]:
    """One result for each window of `value`; windows under way together share the model's batches."""
    affordable = settings.at_most_evaluations // value.windows_each
    together = max(1, MOST_KNOWN_VALUES // max(1, min(affordable, 2 ** min(roles, MOST_ROLES))))
    results: list[Attribution | ExplainError] = []
    for start in range(0, len(seeds), together):
        windows = range(start, min(start + together, len(seeds)))
        algorithms = {window: algorithm(roles, seeds[window], settings, affordable) for window in windows}
        done = _drive(value, algorithms)
        results.extend(done[window] for window in windows)
        for window in windows:
            value.forget(window)
    return results


def algorithm(roles: int, seed: int, settings: ExplainSettings, affordable: int) -> Algorithm:
    """Exact or sampled: `affordable` coalitions may be asked for."""
    if roles <= MOST_ROLES and 2**roles <= affordable:
        return exact(roles)
    return sampled(roles, affordable, seed, relative_error=settings.relative_error, top=settings.top)


class _Underway:
    """Algorithms of several windows, what they ask for, and what they found."""

    def __init__(self, algorithms: Mapping[int, Algorithm]) -> None:
        self._algorithms = algorithms
        self.asked: dict[int, Flags] = {}
        self.done: dict[int, Attribution | ExplainError] = {}
        for window in algorithms:
            self._go_on(window, None)

    def answer(self, window: int, values: Floats | ExplainError) -> None:
        """Send values, or throw why there are none."""
        del self.asked[window]
        self._go_on(window, values)

    def _go_on(self, window: int, values: Floats | ExplainError | None) -> None:
        running = self._algorithms[window]
        try:
            if isinstance(values, ExplainError):
                self.asked[window] = running.throw(values)
            elif values is None:
                self.asked[window] = next(running)
            else:
                self.asked[window] = running.send(values)
        except StopIteration as end:
            self.done[window] = end.value
        except ExplainError as error:
            self.done[window] = error


def _drive(value: ValueFunction, algorithms: Mapping[int, Algorithm]) -> dict[int, Attribution | ExplainError]:
    """Answer what all of them ask, together, until none asks any more."""
    underway = _Underway(algorithms)
    while underway.asked:
        for window, values in _answers(value, dict(underway.asked)).items():
            underway.answer(window, values)
    return underway.done


def _answers(value: ValueFunction, asked: Mapping[int, Flags]) -> Mapping[int, Floats | ExplainError]:
    try:
        answers = value.many(asked)
    except BudgetSpent as spent:
        return dict.fromkeys(asked, spent)
    return {window: _finite_or_error(values) for window, values in answers.items()}


def _finite_or_error(values: Floats) -> Floats | ExplainError:
    try:
        return finite(values)
    except NotFinite as error:
        return error
