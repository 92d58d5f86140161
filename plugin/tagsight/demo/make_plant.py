"""Makes the recording of the demo again: `python -m tagsight.demo.make_plant`. Needs `homeostat[fast]==0.1.0a3`.

The plant is simulated once without a fault and once for every onset with it. The noise is the same, so a recording with
the fault differs from the normal one only in the faulted loop, and only until that has settled after the repair.
"""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tagsight.demo.plant import EPISODE_MINUTES, FAULT_MINUTES, HISTORY_MINUTES, ONSETS, TAGS

FAULTED = "TIC-201"
EFFECT_LEFT = 0.8
"""What fouling leaves of the effect of the heating valve."""


def scenario() -> dict[str, Any]:
    """The plant without a fault."""
    return dict(import_module("homeostat").load_scenario(str(Path(__file__).with_name("plant.yaml"))))


def with_fault(onset: int) -> dict[str, Any]:
    """The plant that fouls at this minute and is cleaned `FAULT_MINUTES` later."""
    fouled = {"target": FAULTED, "fault": "fouling", "magnitude": EFFECT_LEFT, "profile": "step"}
    cleaned = {"target": f"{FAULTED}.plant.K", "action": "scale", "value": 1 / EFFECT_LEFT}
    acts = [{"at": f"{onset}min", **fouled}, {"at": f"{onset + FAULT_MINUTES}min", **cleaned}]
    return {**scenario(), "duration": f"{onset + EPISODE_MINUTES}min", "interventions": acts}


def recorded(plan: dict[str, Any]) -> Any:
    """Simulated measurements by tag, float32: finer than the resolution of any instrument here."""
    table = import_module("homeostat").simulate(plan).observed
    return table[[tag.source for tag in TAGS]].astype(np.float32).set_axis([tag.name for tag in TAGS], axis=1)


def episodes() -> Iterator[pa.Table]:
    """What the tags of the faulted loop show from each onset on."""
    names = [tag.name for tag in TAGS if tag.loop == FAULTED]
    for onset in ONSETS:
        rows = recorded(with_fault(HISTORY_MINUTES + onset)).iloc[-EPISODE_MINUTES:]
        onsets = np.full(len(rows), onset, dtype=np.int32)
        yield pa.table({"onset": onsets, **{name: rows[name].to_numpy() for name in names}})


def main() -> None:
    """Write both files."""
    folder = Path(__file__).parent
    normal = recorded(scenario())
    columns = pa.table({name: normal[name].to_numpy() for name in normal.columns})
    pq.write_table(columns, folder / "plant.parquet", compression="zstd", compression_level=19)
    pq.write_table(pa.concat_tables(episodes()), folder / "faults.parquet", compression="zstd", compression_level=19)


if __name__ == "__main__":
    main()
