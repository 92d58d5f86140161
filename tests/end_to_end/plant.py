"""A small plant for whole-chain tests: four tags that belong together, in memory, and a plan to watch it."""

from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from tagsight.clocks import SetClock
from tagsight.connections import Link
from tagsight.plan import AlarmPlan, Detail, HistorianPlan, Job, ModelPlan, Plan, ResultsPlan, ScorePlan, TrainPlan
from tagsight_connectors.history import TagHistory
from tagsight_connectors.tag import Range, Tag

MINUTE = 60_000_000_000
START = 1_760_000_040_000_000_000 // MINUTE * MINUTE
TRAINED = START + 3 * 1440 * MINUTE
TAGS = ("Flow", "Pressure", "Current", "Temperature")
UNITS = ("m3/h", "bar", "A", "degC")


def values(steps: int, seed: int = 7, fault_from: int | None = None) -> dict[str, np.ndarray]:
    """Values at one a minute; from `fault_from` on the pressure is lost while the pump works as before."""
    rng = np.random.default_rng(seed)
    time = np.arange(steps)
    flow = 50.0 + 8.0 * np.sin(time / 97.0) + 3.0 * np.sin(time / 31.0) + rng.normal(0, 0.4, steps)
    pressure = 2.0 + 0.08 * flow + rng.normal(0, 0.04, steps)
    current = 10.0 + 0.3 * flow + rng.normal(0, 0.2, steps)
    temperature = 40.0 + 0.2 * np.convolve(flow, np.ones(15) / 15, mode="same") + rng.normal(0, 0.2, steps)
    if fault_from is not None:
        pressure[fault_from:] -= 1.2
    return {"Flow": flow, "Pressure": pressure, "Current": current, "Temperature": temperature}


def tag_history(series: np.ndarray, start_ns: int = START) -> TagHistory:
    """Good values, one a minute."""
    times = start_ns + MINUTE * np.arange(1, len(series) + 1, dtype=np.int64)
    return TagHistory(times, series.astype(np.float64), np.zeros(len(series), dtype=np.uint32))


def tags() -> list[Tag]:
    """Tags of the pump P101."""
    return [
        Tag(f"Plant/P101/{name}", f"Plant/P101/{name}", unit=unit, eu_range=Range(0.0, 100.0))
        for name, unit in zip(TAGS, UNITS, strict=True)
    ]


def model_plan(name: str = "Health", **changes: object) -> ModelPlan:
    """Health of P101, scored every minute."""
    fields: dict[str, object] = {
        "asset": "P101",
        "name": name,
        "job": Job.HEALTH,
        "historian": "default",
        "inputs": ("Plant/P101/*",),
        "train": TrainPlan(start_ns=START, end_ns=TRAINED, at_most_seconds=60.0),
        "score": ScorePlan(every_ns=MINUTE, grid_ns=MINUTE, window_steps=60, wait_ns=0),
        "alarm": AlarmPlan(on_delay_ns=5 * MINUTE, off_delay_ns=5 * MINUTE),
        "outputs": Detail.DETAIL,
        **changes,
    }
    return ModelPlan(**fields)  # type: ignore[arg-type]


def plan(*models: ModelPlan, url: str = "memory://plant", results: ResultsPlan | None = None) -> Plan:
    """A plan with one historian."""
    return Plan(
        timezone=ZoneInfo("UTC"),
        historians={"default": HistorianPlan("default", url)},
        results={"default": results or ResultsPlan()},
        models=models or (model_plan(),),
        digest="0" * 64,
    )


def link(historian: object, clock: SetClock) -> Link:
    """A link whose time is the injected clock's."""
    return Link("default", historian, clock, follow_server_time=False)  # type: ignore[arg-type]


def keys(folder: Path) -> tuple[Path, Path]:
    """Folder of the models and file of the signing key."""
    return folder / "models", folder / "keys" / "signing.key"
