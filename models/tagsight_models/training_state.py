"""How far a fit of a network has come, on disk: a fit that was killed goes on from the last epoch that was kept.

One file for each fit, named by the fingerprint of its data, settings and first weights, so that a fit never takes up
what another one left, and several fits of one training share a folder. A file is a safetensors file whose metadata
hold JSON; it is replaced as a whole. Whoever owns the folder removes it when the training has ended (`forget`).
"""

import contextlib
import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

FORMAT: Final = 1
GROUPS: Final = ("weights", "best", "optimiser", "random")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A fit after one of its epochs.

    Attributes:
        said: JSON values: what the fit counts (epochs, losses, seconds).
        weights: of the network.
        best: weights of the best validation so far.
        optimiser: `<parameter>/<name>` -> state of the optimiser.
        random: states of the generators, by their use.
    """

    said: Mapping[str, Any]
    weights: Mapping[str, Tensor]
    best: Mapping[str, Tensor]
    optimiser: Mapping[str, Tensor]
    random: Mapping[str, Tensor]


class TrainingState:
    """The file of one fit.

    Args:
        folder: made when the first snapshot is written.
        fingerprint: of everything that decides the outcome of the fit.
        now: seconds that only grow.
        every_seconds: a snapshot is due when this long has passed since the last one.
    """

    def __init__(
        self,
        folder: Path,
        fingerprint: str,
        now: Callable[[], float] = time.monotonic,
        every_seconds: float = 3.0,
    ) -> None:
        self.path = folder / f"{fingerprint}.safetensors"
        self.now, self.every_seconds = now, every_seconds
        self.written = now()

    @property
    def due(self) -> bool:
        """It is time for another snapshot."""
        return self.now() - self.written >= self.every_seconds

    def read(self) -> Snapshot | None:
        """What was kept; None if nothing was, or if it cannot be read: the fit then starts at its beginning."""
        try:
            data = self.path.read_bytes()
            tensors, said = load(data), _metadata(data)
        except (OSError, SafetensorError, ValueError, KeyError):
            return None
        if said.pop("format", None) != FORMAT:
            return None
        return Snapshot(said, *(_group(tensors, name) for name in GROUPS))

    def write(self, snapshot: Snapshot) -> None:
        """Replace the file; where the disk does not take it, the fit goes on and cannot be taken up later."""
        tensors = {
            f"{name}:{key}": value.detach().clone().contiguous()
            for name in GROUPS
            for key, value in getattr(snapshot, name).items()
        }
        said = json.dumps({"format": FORMAT, **snapshot.said})
        temporary = self.path.with_suffix(".new")
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(save(tensors, metadata={"said": said}))
            temporary.replace(self.path)
        self.written = self.now()


def fingerprint(parts: Iterable[Tensor | str]) -> str:
    """SHA-256 of texts and tensors, in order; the version of torch and its number of threads are part of it."""
    digest = hashlib.sha256(f"{torch.__version__} {torch.get_num_threads()}".encode())
    for part in parts:
        if isinstance(part, Tensor):
            digest.update(f"{part.dtype}{tuple(part.shape)}".encode())
            digest.update(part.detach().contiguous().numpy().tobytes())
        else:
            digest.update(f"{len(part)}:{part}".encode())
    return digest.hexdigest()


def forget(folder: Path | None) -> None:
    """Remove what was kept of a training that has ended."""
    if folder is not None:
        with contextlib.suppress(OSError):
            shutil.rmtree(folder)


def optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """`<parameter>/<name>` -> state."""
    state = optimiser.state_dict()["state"]
    return {f"{number}/{name}": value for number, one in state.items() for name, value in one.items()}


def restore_optimiser(optimiser: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """The inverse of `optimiser_tensors`, for an optimiser with the same settings and parameters."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        number, name = key.split("/")
        state.setdefault(int(number), {})[name] = value
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})


def _group(tensors: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    return {key.split(":", 1)[1]: value for key, value in tensors.items() if key.startswith(f"{name}:")}


def _metadata(data: bytes) -> dict[str, Any]:
    """The JSON in the head of a safetensors file: eight bytes of length, then the head."""
    length = int.from_bytes(data[:8], "little")
    said: dict[str, Any] = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["said"])
    return said
