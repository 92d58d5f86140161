"""The second picture: which part of the window made each role's contribution.

A role's contribution is what its whole window adds to the score when it joins the roles before it, averaged over
orders of the roles. So each of these steps, from the window without the role to the window with it, is taken once
more, in smaller steps over time:

* by slopes, where the model knows them: the derivative of the score by each value times the way of that value,
  integrated along the straight line between the two windows (integrated gradients along the path of the Shapley
  values). What the role moves in absent roles, by being known, counts for the role, at the time at which it moves.
  Where absent roles are drawn from normal windows, these are expected gradients.
* by occlusion, for any other model: the role's window joins in segments of time, once from the oldest to the newest
  and once the other way round; a segment has the mean of the two. Within a segment all steps have the same.

Law of completion: the values of a role add up to its contribution c. What is missing of it, c - sum(a), because fewer
orders are walked than were explained and lines have kinks, is spread over the steps in proportion to |a|: no step
changes its sign as long as less is missing than there is. A role whose steps are all 0 has c spread evenly.

For "role" read "player" where roles are grouped: the whole group joins at once.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise, permutations
from math import factorial
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tagsight_explain.absence import Absence, Conditional, Normal, OfModel, absence
from tagsight_explain.explanation import Explanation
from tagsight_explain.players import Players
from tagsight_explain.settings import ExplainSettings
from tagsight_models.frame import Flags, Floats
from tagsight_models.scoring_model import ConditionalModel, DifferentiableModel, ScoringModel

SLOPES: Final = "slopes"
OCCLUSION: Final = "occlusion"

Mask: TypeAlias = Callable[[Floats, Flags], Floats]
"""Windows (n, steps, roles) and present roles (n, roles) -> the windows that the explanation scored for them."""

MOST_WALKS: Final = 64
"""Beyond it each order is walked from one normal window only."""


@dataclass(frozen=True, slots=True)
class RoleTimeSettings:
    """How finely the way is walked.

    Attributes:
        orders: of the roles; all of them where there are no more. Half of them are the other half read backwards.
        nodes: of the Gauss-Legendre rule on each straight line.
        segments: of time, for occlusion.
        seed: the orders depend on it and on the window, nothing else.
    """

    orders: int = 16
    nodes: int = 8
    segments: int = 12
    seed: int = 0


@dataclass(frozen=True, slots=True)
class RoleTime:
    """Contributions by role and time.

    Attributes:
        roles: players, in the order of the columns.
        values: shape (window_steps, players); each column adds up to the contribution of its player.
        method: `SLOPES` or `OCCLUSION`.
        completed: shape (players,), what the completion added to each.
    """

    roles: tuple[str, ...]
    values: Floats
    method: str
    completed: Floats


def role_time(
    model: ScoringModel,
    window: Floats,
    explanation: Explanation,
    settings: RoleTimeSettings | None = None,
    *,
    explained: ExplainSettings | None = None,
    normal: Floats | None = None,
) -> RoleTime:
    """Of one window, shape (window_steps, roles), and its explanation.

    `explained` and `normal`: as the explanation was made with (`explainers.explain`). NaN where it has no numbers.

    Raises:
        NoNormalWindows: absent roles are to be drawn from normal windows, and there are none.
    """
    chosen, how = settings or RoleTimeSettings(), explained or ExplainSettings()
    players = Players.of([role.name for role in model.roles], how.groups)
    orders = _orders(window, len(players.names), chosen)
    walks = _walks(orders, masks(model, absence(model, how.absent, normal)))
    found = np.zeros((len(window), len(players.names)))
    for order, mask in walks:
        steps = mask(np.repeat(window[None], len(order) + 1, axis=0), players.present(_joining(order)))
        for player, along in zip(order, _walked(model, steps, chosen), strict=True):
            found[:, player] += along / len(walks)
    values, added = completed(found, explanation.contributions)
    method = SLOPES if isinstance(model, DifferentiableModel) else OCCLUSION
    return RoleTime(explanation.roles, values, method, added)


def masks(model: ScoringModel, absent: Absence) -> list[Mask]:
    """The windows that stand for a choice of present roles: one way for each normal window that is drawn from."""
    if isinstance(absent, Normal):
        return [partial(_instead, one) for one in absent.normal]
    if isinstance(absent, Conditional):
        return [absent.given.given]
    if isinstance(absent, OfModel) and absent.conditional and isinstance(model, ConditionalModel):
        return [model.given]
    return [partial(_instead, np.asarray(model.reference, dtype=np.float64))]


def _instead(normal: Floats, windows: Floats, present: Flags) -> Floats:
    return np.where(present[:, None, :], windows, normal)


def _walks(orders: list[NDArray[np.intp]], ways: list[Mask]) -> list[tuple[NDArray[np.intp], Mask]]:
    if len(orders) * len(ways) <= MOST_WALKS:
        return [(order, way) for order in orders for way in ways]
    return [(order, ways[number % len(ways)]) for number, order in enumerate(orders)]


def completed(raw: Floats, contributions: Floats) -> tuple[Floats, Floats]:
    """Values (steps, roles) that add up to the contributions, and what was added to each role: see the module."""
    missing = contributions - raw.sum(axis=0)
    size = np.abs(raw)
    total = size.sum(axis=0)
    shares = np.where(total > 0.0, size / np.where(total > 0.0, total, 1.0), 1.0 / len(raw))
    return raw + missing * shares, missing


def _walked(model: ScoringModel, steps: Floats, settings: RoleTimeSettings) -> Iterator[Floats]:
    """For each pair of neighbours in `steps`: how the difference of their scores lies over time, shape (steps,)."""
    if isinstance(model, DifferentiableModel):
        yield from _by_slopes(model, steps, settings.nodes)
    else:
        for before, after in pairwise(steps):
            yield _by_occlusion(model, before, after, settings.segments)


def _by_slopes(model: DifferentiableModel, steps: Floats, nodes: int) -> Floats:
    """Integrated gradients along each straight line, (lines, window_steps)."""
    at, weights = np.polynomial.legendre.leggauss(nodes)
    way = np.diff(steps, axis=0)
    points = steps[:-1, None] + (at[None, :, None, None] + 1.0) / 2.0 * way[:, None]
    slopes = model.slopes(points.reshape(-1, *steps.shape[1:])).reshape(points.shape)
    return np.asarray(np.einsum("k,lkts,lts->lt", weights / 2.0, slopes, way))


def _by_occlusion(model: ScoringModel, before: Floats, after: Floats, segments: int) -> Floats:
    """Differences of the score while the segments join one by one, from both ends, shape (window_steps,)."""
    parts = np.array_split(np.arange(len(before)), min(segments, len(before)))
    number = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    joined = np.arange(len(parts) + 1)[:, None]
    forwards = np.where((number < joined)[..., None], after, before)
    backwards = np.where((number >= joined)[..., None], after, before)  # all at first, none at last
    scores = model.score(np.concatenate([forwards, backwards]))
    onwards, back = np.split(np.asarray(scores, dtype=np.float64), 2)
    gained = (np.diff(onwards) - np.diff(back)) / 2.0
    return np.asarray(np.repeat(gained / [len(part) for part in parts], [len(part) for part in parts]))


def _orders(window: Floats, roles: int, settings: RoleTimeSettings) -> list[NDArray[np.intp]]:
    """All orders, or drawn ones each with its reverse, from the digest of the window."""
    if roles <= 8 and factorial(roles) <= settings.orders:
        return [np.array(one, dtype=np.intp) for one in permutations(range(roles))]
    told = hashlib.sha256(np.ascontiguousarray(window, dtype="<f8").tobytes() + str(settings.seed).encode()).digest()
    random = np.random.default_rng(int.from_bytes(told[:8], "little"))
    drawn = [random.permutation(roles) for _ in range(max(1, settings.orders // 2))]
    return [order for one in drawn for order in (one, one[::-1])]


def _joining(order: NDArray[np.intp]) -> Flags:
    """(roles + 1, roles): nobody, then one more at a time."""
    place = np.argsort(order)
    return np.asarray(place[None, :] < np.arange(len(order) + 1)[:, None])
