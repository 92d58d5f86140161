"""Distances of many linear maps of one window at once: what an explanation of a health model asks for.

An explanation scores one window thousands of times, each time with other roles absent. Whether an absent role is at its
median or at what the present ones make expect of it, the standardised rows of such a window are those of the observed
one times a matrix that is the same for every window. That saves most of the work of scoring each from nothing:

- the squared lengths of the values statistic are quadratic forms of the observed stacks: one product of their
  monomials with prepared coefficients;
- the linear part of the network, with its maps before it, is one product with prepared weights;
- the first layer of the network is one product with all roles side by side, in single precision. Its result is
  small beside the linear part; all that amplifies differences stays in double precision.

The distances are those of `HealthModel.distance` on the mapped windows, but for rounding (1e-5 of the score; some 1e-7
in trials) and for regimes, which an absent role says nothing of. A window with values beyond `OUTSIDE` spreads, and a
model of so many roles that the prepared numbers would cost more than they save, are scored the plain way.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

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
MOST_ROLES: Final = 24  # beyond, the coefficients of products of two values outgrow what they save
PLAIN_BYTES: Final = 2**21  # of windows that are scored at once the plain way
PAIRS: Final = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))  # of the three steps side by side


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """What is the same for all windows that k maps are applied to.

    Attributes:
        mapped: for each few maps, shape (roles, seen, few): a mapped role is `rows @ mapped[role]`; what is seen of a
            row are its roles, or these and what is slow in each.
        forms: shape (k, products): squared lengths of the values statistic are `products @ forms.T`, and ...
        slopes: shape (k, 3 * seen): ... `stacks @ slopes.T`, and a constant.
        linear: likewise (roles, lags * seen, few): deviations from the network's linear part are `contexts @ it`.
        widest: by how much a map can widen a row at most.
    """

    mapped: tuple[Tensor, ...]
    forms: Tensor
    slopes: Tensor
    linear: tuple[Tensor, ...]
    widest: float

    @property
    def bytes(self) -> int:
        """Of memory."""
        return sum(each.numel() * each.element_size() for each in (*self.mapped, self.forms, self.slopes, *self.linear))


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
        self._network_linear = network.linear
        self._lags, self._longest = model.lags, model.lags[-1]
        self._roles, self._hidden = len(model.roles), int(network.bias.shape[1])
        self._constant = network.offset[:, 0].double()  # (roles, 2)
        first, bias = network.first.float(), network.bias.float()
        self._shared = first.permute(2, 1, 0).flatten(1).contiguous()  # (hidden, lags * roles)
        self._own = first.transpose(1, 2).contiguous()  # (roles, hidden, lags)
        self._bias = bias[:, :, None]
        self._last = network.last.float().transpose(1, 2).contiguous()  # (roles, 2, hidden)
        centre, space = torch.as_tensor(plain.centre), torch.as_tensor(plain.space)
        form = space @ space.T
        blocks = form.view(STACKED, self._roles, STACKED, self._roles)
        self._blocks = torch.stack([blocks[a, :, b] * (1.0 if a == b else 2.0) for a, b in PAIRS], dim=1)
        self._towards = -2.0 * (form @ centre).view(STACKED, self._roles)
        self._level_of_centre = centre @ form @ centre

    @torch.inference_mode()
    def prepared(self, maps: Floats) -> Prepared:
        """For maps of shape (k, seen, roles), about the standardised 0; seen: the number of roles, or twice that."""
        own = torch.from_numpy(np.ascontiguousarray(maps, dtype=np.float64))
        count, seen, roles = own.shape
        left = (own.view(-1, roles) @ self._blocks.flatten(1)).view(count, seen * len(PAIRS), roles)
        forms = torch.bmm(left, own.transpose(1, 2)).view(count, -1)
        slopes = (own.view(-1, roles) @ self._towards.T).view(count, -1)
        widest = float(own.abs().sum(dim=1).max()) if count else 1.0
        return Prepared(_parts(own.permute(2, 1, 0)), forms, slopes, _parts(self._linear(own)), widest)

    @torch.inference_mode()
    def distances(self, window: Floats, prepared: Prepared) -> Floats | None:
        """Of one window (window_steps, roles), engineering units, with each map; None: too far away for this."""
        centre, scale = self._standard
        standard = (window - centre) / scale
        sees_slow = bool(prepared.mapped) and prepared.mapped[0].shape[1] > self._roles
        values = torch.from_numpy(with_slow(standard) if sees_slow else standard)
        if not float(values.abs().max()) * prepared.widest <= OUTSIDE:
            return None
        squared = self._values_squared(values, prepared)
        of_parts = torch.split(squared, MAPS_AT_ONCE)
        for mapped, linear, found in zip(prepared.mapped, prepared.linear, of_parts, strict=True):
            torch.maximum(found, self._residuals_squared(self._residuals(values, mapped, linear)), out=found)
        return np.asarray(squared.sqrt_().numpy())

    def _linear(self, maps: Tensor) -> Tensor:
        """Actual less expected, of the newest step of a context, in one product with the observed context."""
        linear = -self._network_linear.view(len(self._lags), self._roles, self._roles).clone()
        linear[0] += torch.eye(self._roles, dtype=linear.dtype)
        count, seen = maps.shape[:2]
        whole = maps.reshape(-1, self._roles) @ linear.transpose(0, 1).reshape(self._roles, -1)
        whole = whole.view(count, seen, len(self._lags), self._roles)  # map, seen, lag, of role
        return whole.permute(3, 2, 1, 0).reshape(self._roles, len(self._lags) * seen, count)

    def _values_squared(self, values: Tensor, prepared: Prepared) -> Tensor:
        """The larger of the two parts on the values, squared, (maps,)."""
        newest = values[-max(lookbacks(len(values))) :]
        steps = len(newest)
        lagged = [newest[STACKED - 1 - lag : steps - lag] for lag in range(STACKED)]
        products = torch.stack([lagged[a][:, :, None] * lagged[b][:, None, :] for a, b in PAIRS], dim=2).flatten(1)
        towards = torch.stack(lagged, dim=2).flatten(1) @ prepared.slopes.T
        squared = torch.addmm(towards, products, prepared.forms.T).add_(self._level_of_centre).clamp_(min=0.0)
        if squared.numel() and squared.max() > self._knee:
            beyond = squared.clamp(min=self._knee).div_(self._knee).log_().mul_(self._knee)
            squared = squared.clamp_(max=self._knee).add_(beyond)
        return torch.stack([taps @ squared[-len(taps) :] for taps in self._plain_taps]).amax(dim=0)

    def _residuals(self, values: Tensor, mapped: Tensor, linear: Tensor) -> Tensor:
        """Of each map at each step, (roles, steps - longest lag, maps)."""
        steps = len(values)
        seen = torch.cat([values[self._longest - lag : steps - lag] for lag in self._lags], dim=1)
        deviation = torch.bmm(seen.expand(self._roles, -1, -1), linear)
        if self._hidden:
            said = self._said(torch.bmm(values.expand(self._roles, -1, -1), mapped))
            deviation -= said[:, 0].view_as(deviation)
            narrower = said[:, 1].tanh().neg_().exp_().view_as(deviation)
        else:
            deviation -= self._constant[:, 0, None, None]
            narrower = torch.exp(-self._constant[:, 1].tanh())[:, None, None]
        if self._smallest.any():
            over = (deviation.abs() - self._smallest[:, None, None]).clamp_(min=0.0)
            deviation = torch.sign(deviation) * over
        return _compressed(deviation.mul_(narrower).div_(self._spread[:, None, None]))

    def _said(self, mapped: Tensor) -> Tensor:
        """Of the network's nonlinear part, (roles, 2, (steps - longest lag) * maps), single precision."""
        roles, steps, _ = mapped.shape
        rows = mapped.float().clamp_(-BOUND, BOUND)
        stretches = [rows[:, self._longest - lag : steps - lag].flatten(1) for lag in self._lags]
        seen = torch.stack(stretches)  # (lags, roles, columns)
        shared = (self._shared @ seen.flatten(0, 1)).expand(roles, -1, -1)
        units = torch.baddbmm(shared, self._own, seen.transpose(0, 1), alpha=-1.0).add_(self._bias).relu_()
        return torch.bmm(self._last, units).add_(self._constant.float()[:, :, None])

    def _residuals_squared(self, residuals: Tensor) -> Tensor:
        """The largest of the three parts on the residuals, squared, (maps,)."""
        roles, steps, maps = residuals.shape
        stacks = torch.ones(STACKED * roles + 1, (steps - STACKED + 1) * maps, dtype=residuals.dtype)
        for lag in range(STACKED):
            whole = stacks[lag * roles : (lag + 1) * roles].view(roles, -1, maps)
            whole.copy_(residuals[:, STACKED - 1 - lag : steps - lag])
        lengths = self._quick @ stacks
        quick = self._quick_taps @ lengths.mul_(lengths).sum(dim=0).view(-1, maps)
        recent = _squared(residuals[:, -min(RECENT, steps - STACKED + 1) :].mean(dim=1).T, self._recent)
        level = _squared(residuals[:, STACKED - 1 :].mean(dim=1).T, self._level)
        return torch.stack([quick, recent, level]).amax(dim=0)


def _parts(of_maps: Tensor) -> tuple[Tensor, ...]:
    """A few maps each, along the last axis."""
    return tuple(part.contiguous() for part in torch.split(of_maps, MAPS_AT_ONCE, dim=-1))


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
    return _distances(model).prepared(maps)


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
