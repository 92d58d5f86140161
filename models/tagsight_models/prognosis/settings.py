"""What the engineer may say about a prognosis."""

from dataclasses import dataclass
from math import ceil
from typing import Final

WINDOW_STEPS: Final = 120
"""Steps of a window unless told otherwise: as long as wear can be told from noise, as short as new machines allow."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """For plants without runs to failure: the tag (or score) whose crossing of a limit counts as the end.

    Attributes:
        role: of the frame.
        limit: engineering units.
        rising: the limit is crossed from below; False: from above.
    """

    role: str
    limit: float
    rising: bool = True


@dataclass(frozen=True, slots=True)
class PrognosisSettings:
    """Settings of the job, with defaults that suit most plants.

    Attributes:
        horizon_hours: the engineer's horizon: the score reaches 1.0 when the remaining life falls to it; None: a
            quarter of the cap.
        cap_hours: remaining life beyond this counts as this: a machine without signs of wear tells no more; None:
            found on the training lives.
        interval: share of machines whose end the interval from Lower to Upper holds.
        conditions: roles that tell the operating condition; empty: found among all roles.
        crossing: predict the crossing of a limit instead of the end of a life.
        network: short name of the network ("mlp", "gru", "tcn").
        members: networks of the ensemble; each is calibrated on lives that it did not see.
    """

    horizon_hours: float | None = None
    cap_hours: float | None = None
    interval: float = 0.8
    conditions: tuple[str, ...] = ()
    crossing: Crossing | None = None
    network: str = "mlp"
    members: int = 10


def least_cases(interval: float) -> int:
    """Independent cases without which no data support an interval of this share: each tail must hold one more."""
    return ceil(2.0 / (1.0 - interval) - 1e-6) - 1
