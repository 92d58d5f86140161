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

from tagsight.demo.plant import EPISODE_MINUTES, FAULT_MINUTES, HISTORY_MINUTES, LIVE_MINUTES, ONSETS, TAGS

FAULTED = "TIC-201"
EFFECT_LEFT = 0.65
"""What fouling leaves of the effect of the heating valve."""

ADDITIVE_SHARE = 2 / 3
"""Additive per feed."""

POSITION_NOISE = 0.3
"""Standard deviation of a measured valve position, %; shown in steps of 0.1."""


def scenario() -> dict[str, Any]:
    """The plant without a fault."""
    text = Path(__file__).with_name("plant.yaml").read_text(encoding="utf-8")
    return {**import_module("yaml").safe_load(text), "interventions": load_changes()}


def load_changes() -> list[dict[str, Any]]:
    """A new load every few hours, as production asks for it: feed and additive ramp to it together."""
    generator = np.random.default_rng(5)
    changes: list[dict[str, Any]] = []
    minute = 0
    while (minute := minute + int(generator.integers(90, 300))) < HISTORY_MINUTES + LIVE_MINUTES:
        feed = round(float(generator.uniform(8.0, 13.0)), 1)
        for loop, setpoint in (("FIC-101", feed), ("FIC-103", round(feed * ADDITIVE_SHARE, 2))):
            ramp = {"profile": "ramp", "over": "20min"}
            changes.append({"at": f"{minute}min", "target": f"{loop}.sp", "value": setpoint, **ramp})
    return changes


def with_fault(onset: int) -> dict[str, Any]:
    """The plant that fouls at this minute and is cleaned `FAULT_MINUTES` later."""
    fouled = {"target": FAULTED, "fault": "fouling", "magnitude": EFFECT_LEFT, "profile": "step"}
    cleaned = {"target": f"{FAULTED}.plant.K", "action": "scale", "value": 1 / EFFECT_LEFT}
    normal = scenario()
    acts = [{"at": f"{onset}min", **fouled}, {"at": f"{onset + FAULT_MINUTES}min", **cleaned}]
    return {**normal, "duration": f"{onset + EPISODE_MINUTES}min", "interventions": [*normal["interventions"], *acts]}


def recorded(plan: dict[str, Any]) -> Any:
    """Measurements by tag: as simulated, and the valve positions as their transmitters show them."""
    table = import_module("homeostat").simulate(plan).observed
    table = table[[tag.source for tag in TAGS]].set_axis([tag.name for tag in TAGS], axis=1)
    generator = np.random.default_rng(6)
    for tag in TAGS:
        if tag.source.endswith(".out"):
            noise = generator.normal(0.0, POSITION_NOISE, HISTORY_MINUTES + LIVE_MINUTES)
            table[tag.name] = (table[tag.name] + noise[: len(table)]).round(1)
    return table.astype(np.float32)


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
