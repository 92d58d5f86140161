"""The job `production` where the bottleneck is known: drawn continuous plants, and drawn serial lines."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from tagsight_models.frame import Floats, Frame, Role, Series
from tagsight_models.production.fit import train_production
from tagsight_models.production.settings import ProductionSettings
from tagsight_models.regression.oblivious_trees import TreeSettings
from tagsight_models.regression.regressor import RegressorSettings
from tagsight_models.training import silent
from tagsight_models.training_data import TrainingData
from tagsight_models.training_settings import TrainingSettings
from tagsight_models.windows import windows
from tests.accuracy.data_folder import DataFolder
from tests.accuracy.limited_plants import EVERY_MINUTES, HARMLESS, LOOPS, LimitedPlant, limited_plants
from tests.accuracy.result import Result, Suite
from tests.accuracy.serial_line import DrawnLine, drawn_line

MINUTE = 60_000_000_000
START = 1_700_000_100_000_000_000
PLANTS, LINES, PARTS = 40, 40, 3000
SMALL = RegressorSettings(networks=0, trees=TreeSettings(trees=20))
"""The regression has no part in naming bottlenecks, and 240 trainings would take an hour."""

CLEAR = 0.005
"""A line's bottleneck raises its throughput by this share at least."""

Ranking = Sequence[str]


def frame(values: Floats, roles: Sequence[str], minutes: int) -> Frame:
    """Every value used."""
    shape, grid = values.shape, minutes * MINUTE
    return Frame(
        START // grid * grid + grid * np.arange(len(values), dtype=np.int64),
        values,
        np.zeros(shape, dtype=np.uint8),
        np.zeros(shape, dtype=np.bool_),
        tuple(Role(role) for role in roles),
        grid,
    )


def named(whole: Frame, target: Floats, steps: int, job: ProductionSettings, seed: int) -> Ranking:
    """Trained on the first half; bottlenecks of the windows of the second, the one named most often first."""
    half = len(target) // 2
    early = Frame(
        whole.times[:half],
        whole.values[:half],
        whole.reasons[:half],
        whole.uncertain[:half],
        whole.roles,
        whole.grid_ns,
    )
    said = Series(early.times, target[:half], np.zeros(half, dtype=np.uint8))
    data = TrainingData(early, target=said, target_name="production")
    settings = TrainingSettings(window_steps=steps, seed=seed, drop_constant=True, every_ns=whole.grid_ns)
    model = train_production(data, settings, job, silent).model
    kept = [role.name for role in whole.roles]
    columns = [kept.index(role.name) for role in model.roles]
    cut = windows(whole, steps, whole.times[half + steps - 1 :: steps])
    results = model.results(np.array(cut.values[cut.usable][:, :, columns]))
    if job.stations:
        votes = Counter(str(one["Bottleneck"]) for one in results)
        waits = {name: sum(float(one[f"Waiting/{name}"]) for one in results) for name in job.stations}
        return sorted(waits, key=lambda name: (-votes[name], waits[name]))
    roles = [name.removeprefix("LostBy/") for name in results[0] if name.startswith("LostBy/")]
    return _by({role: sum(float(one[f"LostBy/{role}"]) for one in results) for role in roles})


def of_plant(plant: LimitedPlant, seed: int) -> dict[str, Ranking]:
    """Loops by each method, the worst first."""
    tags, half = plant.tags, len(plant.target) // 2
    valves = {loop: tags[f"{loop}.out"].to_numpy(dtype=np.float64)[half:] for loop in (*LOOPS, HARMLESS)}
    target = plant.target[half:]
    job = ProductionSettings(conditions=("FIC-101.sp",), regressor=SMALL)
    whole = frame(tags.to_numpy(dtype=np.float64), list(tags.columns), EVERY_MINUTES)
    ours = [
        loop
        for role in named(whole, plant.target, 12, job, seed)
        for loop in valves
        if loop[-3:] == role.split(".")[0][-3:]
    ]
    return {
        "TagSight": list(dict.fromkeys(ours)),
        "longest at its limit": _by({loop: float((one > 99.0).mean()) for loop, one in valves.items()}),
        "highest utilisation": _by({loop: float(one.mean()) for loop, one in valves.items()}),
        "correlation with the target": _by({loop: abs(_correlation(one, target)) for loop, one in valves.items()}),
    }


def of_line(line: DrawnLine, seed: int) -> dict[str, Ranking]:
    """Stations by each method, the worst first."""
    count = line.starved.shape[1]
    names = [f"station {number}" for number in range(count)]
    roles = [f"{name} {what}" for what in ("starved", "blocked") for name in names]
    values = np.concatenate([line.starved, line.blocked], axis=1)
    made = 4.0 * np.convolve(line.parts, np.ones(15), mode="full")[: len(line.parts)]
    waits = {name: (f"{name} starved", f"{name} blocked") for name in names}
    job = ProductionSettings(stations=waits, regressor=SMALL)
    half = len(made) // 2
    idle = line.starved[half:] + line.blocked[half:]
    return {
        "TagSight": named(frame(values, roles, 1), made, 60, job, seed),
        "least waiting": _by(dict(zip(names, (-idle.mean(axis=0)).tolist(), strict=True))),
        "longest waiting behind it": _by(dict(zip(names, _behind(line.blocked[half:]).tolist(), strict=True))),
        "slowest by itself": _by(dict(zip(names, (-line.alone).tolist(), strict=True))),
        "correlation with the target": _by(
            {name: abs(_correlation(idle[:, n], made[half:])) for n, name in enumerate(names)}
        ),
    }


def _behind(blocked: Floats) -> Floats:
    """Blocked share of the station before each."""
    return np.concatenate([[0.0], blocked.mean(axis=0)[:-1]])


def _correlation(one: Floats, other: Floats) -> float:
    return float(np.corrcoef(one, other)[0, 1]) if one.std() > 0.0 else 0.0


def _by(values: Mapping[str, float]) -> Ranking:
    return sorted(values, key=lambda name: -values[name])


def results(data: str, cases: Sequence[Sequence[tuple[str, dict[str, Ranking]]]], note: str) -> list[Result]:
    """For each seed, cases of (true bottleneck, rankings by method)."""
    found = []
    for method in cases[0][0][1]:
        first = [100.0 * float(np.mean([case[method][:1] == [true] for true, case in one])) for one in cases]
        third = [100.0 * float(np.mean([true in case[method][:3] for true, case in one])) for one in cases]
        metrics = {"first named is true, %": first, "among the first three, %": third}
        found.append(Result(data, method, method == "TagSight", metrics, note if method == "TagSight" else ""))
    return found


def run(_data: DataFolder, seeds: Sequence[int]) -> list[Result]:
    """Other plants and lines for each seed."""
    plants = limited_plants(PLANTS * len(seeds), 31)
    parts = [plants[n * PLANTS : (n + 1) * PLANTS] for n in range(len(seeds))]
    of_plants = [
        [(one.bottleneck, of_plant(one, seed)) for one in part if one.bottleneck is not None]
        for seed, part in zip(seeds, parts, strict=True)
    ]
    lines = [[drawn_line(7000 + 1000 * seed + n, PARTS, 60.0) for n in range(LINES)] for seed in seeds]
    of_lines = [
        [(f"station {int(one.gains.argmax())}", of_line(one, seed)) for one in part if one.gains.max() >= CLEAR]
        for seed, part in zip(seeds, lines, strict=True)
    ]
    said = "{} of {} drawn have a bottleneck: more capacity there would help; the others are left out"
    counts = [sum(map(len, each)) for each in (of_plants, of_lines)]
    return [
        *results("drawn plants (homeostat)", of_plants, said.format(counts[0], len(plants))),
        *results("drawn serial lines", of_lines, said.format(counts[1], LINES * len(seeds))),
    ]


SUITE = Suite(
    name="plants-production",
    job="production",
    protocol="Plants whose bottleneck is known: the loop (station) whose capacity (speed), 15 % (10 %) higher with "
    "all random numbers the same, would have raised production most. Continuous plants by `homeostat`: "
    "four days, five loops that can run out of valve travel and one that can without any harm, a new "
    "demand every four hours. Serial lines of 5 to 8 stations with stops and small buffers by a discrete- "
    "event simulation of this suite (homeostat has none). Learned from the first half of each; "
    "bottlenecks of the windows of the second half: the station that is named most often first, or the "
    "loop by which most was lost. Each seed draws 40 other plants and 40 other lines. The regressions "
    "have no part in naming bottlenecks, and are kept small here.",
    needs=(),
    run=run,
)
