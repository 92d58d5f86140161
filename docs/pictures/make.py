"""Makes the pictures of `explanations.md` beside it: `python docs/pictures/make.py`, in a checkout, some 40 s.

A drawn pump: the flow follows the demand, pressure and current follow the flow, the bearing follows the current slowly.
At 14:05 of the last day the pump loses pressure; the current rises. The model is trained on the days before.
"""

import csv
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from tagsight.__main__ import run

HERE = Path(__file__).parent
START = datetime(2026, 3, 2, tzinfo=UTC)
DAYS = 4
FAULT = DAYS * 1440 + 14 * 60 + 5
STEPS = DAYS * 1440 + 16 * 60
NAMES = ("Flow FT-101", "Pressure PT-101", "Current IT-101", "Bearing TT-107", "Vibration VT-107")
CONFIGURATION = """
timezone: UTC
historian: {{url: "{url}"}}
models:
  - name: Health
    asset: P101
    job: health
    inputs: [{inputs}]
    train: {{from: "2026-03-02 00:00", to: "2026-03-06 00:00"}}
    score: {{every: 1m, grid: 1m}}
"""
ASKED = {
    "moment": ["--at", "2026-03-06 14:30"],
    "period": ["--from", "2026-03-06 13:00", "--to", "2026-03-06 15:00"],
}
KEPT = {"moment": ("waterfall", "heat_map"), "period": ("history", "beeswarm")}


def values() -> dict[str, np.ndarray]:
    """One a minute."""
    rng, time = np.random.default_rng(11), np.arange(STEPS)
    flow = 52.0 + 7.0 * np.sin(time / 130.0) + 3.0 * np.sin(time / 41.0) + rng.normal(0, 0.4, STEPS)
    pressure = 2.2 + 0.065 * flow + rng.normal(0, 0.04, STEPS)
    current = 11.0 + 0.31 * flow + rng.normal(0, 0.2, STEPS)
    lost = np.clip((time - FAULT) / 6.0, 0.0, 1.0)
    pressure, current = pressure - 1.3 * lost, current + 1.4 * lost
    bearing = 38.0 + 0.9 * np.convolve(current, np.ones(30) / 30, mode="full")[:STEPS] + rng.normal(0, 0.25, STEPS)
    bearing[:30] = bearing[30]
    vibration = 1.6 + 0.01 * flow + rng.gamma(6.0, 0.04, STEPS)
    return dict(zip(NAMES, (flow, pressure, current, bearing, vibration), strict=True))


def main() -> None:
    """Train, ask, keep."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        series = values()
        with (root / "pump.csv").open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(["time", *NAMES])
            for step in range(STEPS):
                moment = f"{START + timedelta(minutes=step):%Y-%m-%d %H:%M:%S}"
                rows.writerow([moment, *(f"{series[name][step]:.4f}" for name in NAMES)])
        inputs = ", ".join(f'"{name}"' for name in NAMES)
        text = CONFIGURATION.format(url=(root / "pump.csv").as_uri(), inputs=inputs)
        (root / "tagsight.yaml").write_text(text, encoding="utf-8")
        common = [str(root / "tagsight.yaml"), "--data", str(root / "data")]
        assert run(["train", *common]) == 0
        for name, options in ASKED.items():
            assert run(["explain", *common, *options, "--out", str(root / name)]) == 0
            for picture in KEPT.get(name, ()):
                shutil.copy(root / name / f"{picture}.svg", HERE / f"{picture}.svg")


if __name__ == "__main__":
    main()
