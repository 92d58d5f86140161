"""The networks over windows by their short names: what `network:` in the configuration takes."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import torch
from torch import nn

from tagsight_models.networks.gru import Gru
from tagsight_models.networks.mlp import Mlp
from tagsight_models.networks.tcn import Tcn

MakeNetwork: TypeAlias = Callable[..., nn.Module]
"""(steps, roles, outputs, sizes by keyword) -> module (batch, steps, roles) -> (batch, outputs)."""

NETWORKS: Final[Mapping[str, MakeNetwork]] = MappingProxyType({"mlp": Mlp, "tcn": Tcn, "gru": Gru})


def network(name: str, steps: int, roles: int, outputs: int, seed: int, **sizes: Any) -> nn.Module:
    """A new network with seeded weights; the caller's own random numbers stay as they were.

    Raises:
        KeyError: no network of this name.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return NETWORKS[name](steps, roles, outputs, **sizes)
