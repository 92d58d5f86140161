"""Distances of many linear maps of one window at once: what an explanation of a health model asks for.

An explanation scores one window thousands of times, each time with other roles absent. Whether an absent role is at
its median or at what the present ones make expect of it, the standardised rows of such a window are those of the
observed one times a matrix that is the same for every window. So these are made by products, a few windows at a time
that stay in the processor's cache, with time and window side by side in memory. The first layer of the network is taken
once for all roles and what a role sees of itself is taken off it, in single precision: what it adds is small beside the
linear part. All that amplifies differences stays in double precision.

The distances are those of `HealthModel.distance` on the mapped windows, but for rounding (1e-5 of the score; some 1e-7
in trials) and for regimes, which an absent role says nothing of. A window with values beyond `OUTSIDE` spreads, and a
model of so many roles that the prepared numbers would cost more than they save, are scored the plain way.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
import torch
from torch import Tensor

from tagsight_models.bands import band_maps, with_slow
from tagsight_models.frame import Flags, Floats
from tagsight_models.networks.leave_role_out import BOUND
from tagsight_models.residual_statistic import RECENT, SMOOTHING, STACKED
from tagsight_models.statistics.ewma import weights
from tagsight_models.value_statistic import lookbacks, taps_of

if TYPE_CHECKING:
    from tagsight_models.health import HealthModel

MAPS_AT_ONCE: Final = 64  # mapped windows whose numbers fit a processor's cache together
KNEE: Final = 10.0  # as in the model
OUTSIDE: Final = 1e4  # as in the model
MOST_ROLES: Final = 64  # beyond, matrices for each choice of roles outgrow what they save
PLAIN_BYTES: Final = 2**21  # of windows that are scored at once the plain way

# What is the same for all windows that k maps are applied to: for each few maps, shape (roles, seen, few). A mapped
# role is `rows @ it[role]`; what is seen of a row are its roles, or these and what is slow in each.
Prepared: TypeAlias = tuple[Tensor, ...]


class MappedDistances:
    """The prepared weights of one health model."""

    def __init__(self, model: "HealthModel") -> None:
        network, parameters = model.network, model.parameters
        plain, statistic = parameters.values, parameters.statistic
        self._standard = parameters.centre, parameters.scale
        self._spread = torch.as_tensor(parameters.spread)
        self._smallest = torch.as_tensor(np.array([role.smallest_deviation for role in model.roles]) / parameters.scale)
        self._knee = plain.knee
        self._plain_taps = [
            torch.as_tensor(taps[::-1] / scale**2)
            for taps, scale in zip(taps_of(model.window_steps), plain.scales, strict=True)
        ]
        self._quick_taps = torch.as_tensor(weights(SMOOTHING, model.taps)[::-1].copy())
        self._quick = _with_constant(statistic.centre, statistic.space)
        self._recent = torch.as_tensor(statistic.recent_centre), torch.as_tensor(statistic.recent_space)
        self._level = torch.as_tensor(statistic.level_centre), torch.as_tensor(statistic.level_space)
        self._linear = network.linear.T.contiguous()  # (roles, lags * roles)
        self._plain = _with_constant(plain.centre, plain.space)
        self._lags, self._longest = model.lags, model.lags[-1]
        self._roles, self._hidden = len(model.roles), int(network.bias.shape[1])
        self._constant = network.offset[:, 0].double()  # (roles, 2)
        first, bias = network.first.float(), network.bias.float()
        self._shared = first.permute(2, 1, 0).flatten(1).contiguous()  # (hidden, lags * roles)
        self._own = first.transpose(1, 2).contiguous()  # (roles, hidden, lags)
        self._bias = bias[:, :, None]
        self._last = network.last.float().transpose(1, 2).contiguous()  # (roles, 2, hidden)

    @torch.inference_mode()
    def distances(self, window: Floats, prepared: Prepared) -> Floats | None:
        """Of one window (window_steps, roles), engineering units, with each map; None: too far away for this."""
        centre, scale = self._standard
        standard = (window - centre) / scale
        sees_slow = bool(prepared) and prepared[0].shape[1] > self._roles
        values = torch.from_numpy(with_slow(standard) if sees_slow else standard).expand(self._roles, -1, -1)
        found = [torch.empty(0, dtype=torch.float64)]
        for maps in prepared:
            rows = torch.bmm(values, maps)
            lowest, highest = torch.aminmax(rows)
            if not max(-float(lowest), float(highest)) <= OUTSIDE:
                return None
            found.append(torch.maximum(self._values_squared(rows), self._residuals_squared(self._residuals(rows))))
        return np.asarray(torch.cat(found).sqrt_().numpy())

    def _values_squared(self, rows: Tensor) -> Tensor:
        """The larger of the two parts on the values, squared, (maps,)."""
        squared = _lengths(rows[:, -max(lookbacks(rows.shape[1])) :], self._plain)
        if squared.numel() and squared.max() > self._knee:
            beyond = squared.clamp(min=self._knee).div_(self._knee).log_().mul_(self._knee)
            squared = squared.clamp_(max=self._knee).add_(beyond)
        return torch.stack([taps @ squared[-len(taps) :] for taps in self._plain_taps]).amax(dim=0)

    def _residuals(self, rows: Tensor) -> Tensor:
        """Of each map at each step, (roles, steps - longest lag, maps)."""
        steps = rows.shape[1]
        seen = torch.stack([rows[:, self._longest - lag : steps - lag] for lag in self._lags]).flatten(0, 1)
        newest = rows[:, self._longest :]
        deviation = newest - (self._linear @ seen.flatten(1)).view_as(newest)
        if self._hidden:
            said = self._said(seen.flatten(1))
            deviation -= said[:, 0].view_as(deviation)
            narrower = said[:, 1].tanh().neg_().exp_().view_as(deviation)
        else:
            deviation -= self._constant[:, 0, None, None]
            narrower = torch.exp(-self._constant[:, 1].tanh())[:, None, None]
        if self._smallest.any():
            over = (deviation.abs() - self._smallest[:, None, None]).clamp_(min=0.0)
            deviation = torch.sign(deviation) * over
        return _compressed(deviation.mul_(narrower).div_(self._spread[:, None, None]))

    def _said(self, contexts: Tensor) -> Tensor:
        """Contexts (lags * roles, columns) -> the network's nonlinear part, (roles, 2, columns), single precision."""
        seen = contexts.float().clamp_(-BOUND, BOUND)
        shared = (self._shared @ seen).expand(self._roles, -1, -1)
        own = seen.view(len(self._lags), self._roles, -1).transpose(0, 1)
        units = torch.baddbmm(shared, self._own, own, alpha=-1.0).add_(self._bias).relu_()
        return torch.bmm(self._last, units).add_(self._constant.float()[:, :, None])

    def _residuals_squared(self, residuals: Tensor) -> Tensor:
        """The largest of the three parts on the residuals, squared, (maps,)."""
        steps = residuals.shape[1]
        quick = self._quick_taps @ _lengths(residuals, self._quick)
        recent = _squared(residuals[:, -min(RECENT, steps - STACKED + 1) :].mean(dim=1).T, self._recent)
        level = _squared(residuals[:, STACKED - 1 :].mean(dim=1).T, self._level)
        return torch.stack([quick, recent, level]).amax(dim=0)


def prepared_maps(maps: Floats) -> Prepared:
    """For maps of shape (k, seen, roles), about the standardised 0; seen: the number of roles, or twice that."""
    by_role = torch.from_numpy(np.ascontiguousarray(maps.transpose(2, 1, 0), dtype=np.float64))
    return tuple(part.contiguous() for part in torch.split(by_role, MAPS_AT_ONCE, dim=-1))


def _lengths(rows: Tensor, whitening: Tensor) -> Tensor:
    """Squared length of each whitened stack of three steps: (roles, steps, maps) -> (steps - 2, maps)."""
    roles, steps, maps = rows.shape
    stacks = torch.ones(STACKED * roles + 1, (steps - STACKED + 1) * maps, dtype=rows.dtype)
    for lag in range(STACKED):
        part = stacks[lag * roles : (lag + 1) * roles].view(roles, -1, maps)
        part.copy_(rows[:, STACKED - 1 - lag : steps - lag])
    whitened = whitening @ stacks
    return whitened.mul_(whitened).sum(dim=0).view(-1, maps)


def _with_constant(centre: Floats, space: Floats) -> Tensor:
    """What whitens columns that end in a 1, about a centre: shape (directions, len(centre) + 1)."""
    return torch.from_numpy(np.concatenate([space, -(centre @ space)[None]]).T.copy())


def _squared(rows: Tensor, part: tuple[Tensor, Tensor]) -> Tensor:
    centre, space = part
    found = (rows - centre) @ space
    return (found * found).sum(dim=-1)


def _compressed(residuals: Tensor) -> Tensor:
    """As the model does it: linear up to `KNEE`, logarithmic beyond."""
    lowest, highest = torch.aminmax(residuals)
    if max(-float(lowest), float(highest)) <= KNEE:
        return residuals
    beyond = (residuals.abs() > KNEE).view(-1).nonzero()[:, 0]
    flat = residuals.view(-1)
    far = flat[beyond]
    flat[beyond] = torch.sign(far) * (KNEE + KNEE * torch.log(far.abs() / KNEE))
    return residuals


def coalition_distances(model: "HealthModel", window: Floats, present: Flags, *, conditional: bool) -> Floats:
    """Distance of one window for each choice of present roles, (k, roles) -> (k,); regimes play no part.

    Args:
        model: the health model.
        window: shape (window_steps, roles), engineering units.
        present: shape (k, roles).
        conditional: absent roles are what the present ones make expect of them; else at the median of training.
    """
    found: Floats | None = None
    if len(model.roles) <= MOST_ROLES:
        packed = np.ascontiguousarray(present)
        found = _distances(model).distances(window, _prepared(model, packed.tobytes(), conditional=conditional))
    return np.concatenate([*_plain(model, window, present, conditional=conditional)]) if found is None else found


@lru_cache(maxsize=64)
def _distances(model: "HealthModel") -> MappedDistances:
    return MappedDistances(model)


@lru_cache(maxsize=4)
def _prepared(model: "HealthModel", packed: bytes, *, conditional: bool) -> Prepared:
    """Windows of one model are explained one after the other, mostly with the same coalitions."""
    present = np.frombuffer(packed, dtype=np.bool_).reshape(-1, len(model.roles))
    maps = band_maps(present, model.parameters.covariance) if conditional else masks(present)
    return prepared_maps(maps)


def _plain(model: "HealthModel", window: Floats, present: Flags, *, conditional: bool) -> Iterator[Floats]:
    alike = model.with_parameters(replace(model.parameters, regimes=None))
    yield np.empty(0)
    together = max(1, PLAIN_BYTES // window.nbytes)
    for start in range(0, len(present), together):
        seen = present[start : start + together]
        windows = np.broadcast_to(window, (len(seen), *window.shape))
        masked = model.given(windows, seen) if conditional else np.where(seen[:, None, :], windows, model.reference)
        yield alike.distance(masked)


def masks(present: Flags) -> Floats:
    """Maps that put every absent role at the standardised 0: (k, roles) -> (k, roles, roles)."""
    return np.asarray(np.eye(present.shape[1]) * present[:, None, :])
