"""One line of the table of accuracy, and what a suite is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from tests.accuracy.data_folder import DataFolder


@dataclass(frozen=True, slots=True)
class Result:
    """One method on one data set.

    Attributes:
        data: the set and the protocol, short ("Tennessee Eastman, limit from d00").
        method: name.
        ours: it is TagSight's.
        metrics: name with unit -> one value for each seed; a method without random numbers has one.
        note: what a reader must know.
    """

    data: str
    method: str
    ours: bool
    metrics: Mapping[str, Sequence[float]]
    note: str = ""

    def shown(self, metric: str) -> str:
        """Mean, and spread over seeds where there is any: "98.4 ±0.2"."""
        values = np.asarray(self.metrics[metric], dtype=np.float64)
        mean = f"{np.mean(values):.4g}"
        spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
        return f"{mean} ±{spread:.2g}" if spread > 1e-9 * max(1.0, abs(float(np.mean(values)))) else mean


Run: TypeAlias = Callable[[DataFolder, Sequence[int]], list[Result]]
"""(data, seeds) -> results of ours and of the baselines, measured in the same run."""


@dataclass(frozen=True, slots=True)
class Suite:
    """All results of one job on one set.

    Attributes:
        name: for the command line: "tep-health".
        job: of the models.
        protocol: one paragraph: what is learned from, what is scored, how.
        needs: files without which it cannot run.
        run: measures.
    """

    name: str
    job: str
    protocol: str
    needs: tuple[str, ...]
    run: Run
    aims: Mapping[str, str] = field(default_factory=dict)
