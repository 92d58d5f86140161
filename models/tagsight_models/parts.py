"""The parts of a model that every kind writes and reads alike: roles as JSON, the weights of a network as arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import torch
from torch import nn

from tagsight_models.frame import Floats, Role


def said_of_roles(roles: Sequence[Role]) -> list[dict[str, Any]]:
    """As JSON values."""
    return [{field.name: getattr(role, field.name) for field in fields(Role)} for role in roles]


def roles_of(said: Sequence[Mapping[str, Any]]) -> tuple[Role, ...]:
    """The inverse of `said_of_roles`."""
    return tuple(Role(**role) for role in said)


def weights_of(network: nn.Module, prefix: str) -> dict[str, Floats]:
    """The weights and buffers of a network, by `<prefix>.<name>`."""
    return {f"{prefix}.{name}": value.double().numpy() for name, value in network.state_dict().items()}


def with_weights(network: nn.Module, prefix: str, tensors: Mapping[str, Floats]) -> nn.Module:
    """The network, float64, with the weights of `weights_of`.

    Raises:
        ValueError: a weight has another shape.
        KeyError: a weight is missing.
    """
    state = network.state_dict()
    for name, value in state.items():
        array = tensors[f"{prefix}.{name}"]
        if array.shape != tuple(value.shape):
            msg = f"shape of {name}"
            raise ValueError(msg)
        state[name] = torch.from_numpy(array.copy())
    network.double().load_state_dict(state)
    return network


def only(expected: Mapping[str, object], tensors: Mapping[str, Floats]) -> None:
    """Raise ValueError where there are arrays that the model does not have."""
    if tensors.keys() != expected.keys():
        msg = f"unknown tensors {sorted(set(tensors) ^ set(expected))}"
        raise ValueError(msg)
