"""5 % of the training data: the same network with and without augmentation and transfer, on held-out time."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from tagsight_models.frame import Flags, Floats, Role
from tagsight_models.health_fit import context_rows
from tagsight_models.health_network import (
    LAGS,
    VALIDATION,
    NetworkSettings,
    first_network,
    fit_network,
    held_out_loss,
    spread_of,
)
from tagsight_models.networks.leave_role_out import LeaveRoleOut, context
from tagsight_models.training import FitSettings, silent
from tagsight_models.transfer import Sister
from tests.accuracy.data_folder import DataFolder
from tests.accuracy.little_fits import SHARE, Labelled, Task, sister, trained, windows_of
from tests.accuracy.result import Result, Suite
from tests.accuracy.turbine_tables import TARGETS, UNITS, table, years

ENGINES: Final = "cmapss/train_*.csv"
CYCLES: Final = 30
CAP: Final = 125.0
HOURS: Final = 12
COMPONENTS: Final = ("cooler", "valve", "pump_leak", "accumulator")
FOLDS: Final = 5
UNHURRIED: Final = FitSettings(at_most_seconds=1e4)


def run(data: DataFolder, seeds: Sequence[int]) -> list[Result]:
    """Each study whose files are there."""
    found: list[Result] = []
    if len(data.matching(ENGINES)) > 1:
        found += _engines(data, seeds)
    if len(data.matching("gas_turbine/gt_*.csv")) > 2:
        found += [*_turbine_quality(data, seeds), *_turbine_health(data, seeds)]
    if data.matching("hydraulic/labels.csv"):
        found += _rig(data, seeds)
    return found


def _results(name: str, metric: str, values: dict[str, list[float]]) -> list[Result]:
    plain = np.asarray(values["plain"])
    notes = {
        variant: f"against plain, seed by seed: {', '.join(f'{one:+.3g}' for one in np.asarray(found) - plain)}"
        for variant, found in values.items()
        if variant != "plain"
    }
    return [
        Result(name, variant, variant != "plain", {metric: found}, notes.get(variant, ""))
        for variant, found in values.items()
    ]


def _squared(network: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    return nn.functional.mse_loss(network(inputs), targets)


# Remaining life: the sister is another fleet.


def _engines(data: DataFolder, seeds: Sequence[int]) -> list[Result]:
    files = [file for file in data.matching(ENGINES) if data.matching(file.replace("train_", "test_"))]
    tables = {file: data.table(file, "train") for file in files}
    columns = [name for name in tables[files[0]].columns if name not in {"unit", "cycle"}]
    task = Task(tuple(Role(name) for name in columns), 1, _squared)
    found: list[Result] = []
    for number, file in enumerate(files):
        other = files[(number + 1) % len(files)]
        started = sister(task, _lives(tables[other], columns, _units(tables[other]), every=5))
        truth, last = _last_windows(data, file, columns)
        errors: dict[str, list[float]] = {}
        for seed in seeds:
            units = _units(tables[file])
            few = np.random.default_rng(seed).permutation(units)[: max(round(SHARE * len(units)), 2)]
            for variant, outputs in trained(task, _lives(tables[file], columns, few), seed, started).items():
                left = np.clip(CAP * outputs(last)[:, 0], 0.0, CAP)
                errors.setdefault(variant, []).append(float(np.sqrt(np.mean((left - truth) ** 2))))
        name = f"prognosis: {_fleet(file)}, {len(few)} of {len(units)} engines; sister {_fleet(other)}"
        found += _results(name, "RMSE at the last cycle, capped at 125", errors)
    return found


def _fleet(file: str) -> str:
    return file.removesuffix(".csv").rsplit("_", 1)[1]


def _units(lives: pd.DataFrame) -> Floats:
    return np.asarray(lives["unit"].unique())


def _lives(lives: pd.DataFrame, columns: list[str], units: Floats, every: int = 1) -> Labelled:
    """Windows of these engines; every fifth engine, at least one, is held out."""
    windows, left, held = list[Floats](), list[Floats](), list[Flags]()
    for place, unit in enumerate(units):
        rows = lives.loc[lives["unit"] == unit, columns].to_numpy(dtype=np.float64)
        seen = windows_of(_at_least(rows), CYCLES)[::-every][::-1]
        windows.append(seen)
        left.append(np.minimum(np.arange(len(seen))[::-1] * every, CAP) / CAP)
        held.append(np.full(len(seen), place % FOLDS == 0))
    targets = torch.as_tensor(np.concatenate(left)[:, None], dtype=torch.float32)
    return Labelled(np.concatenate(windows), targets, np.concatenate(held))


def _at_least(rows: Floats) -> Floats:
    """Where an engine is younger than a window, its first cycle is repeated."""
    return np.concatenate([np.repeat(rows[:1], max(CYCLES - len(rows), 0), axis=0), rows])


def _last_windows(data: DataFolder, file: str, columns: list[str]) -> tuple[Floats, Floats]:
    test = data.table(file.replace("train_", "test_"), "test")
    truth = data.table(file.replace("train_", "RUL_"), "test")["rul"].to_numpy(dtype=np.float64)
    last = [
        _at_least(rows[columns].to_numpy(dtype=np.float64))[-CYCLES:] for _, rows in test.groupby("unit", sort=False)
    ]
    return np.minimum(truth, CAP), np.stack(last)


# Soft sensor and normal behaviour: the sister is the same turbine in earlier years.


def _stretch(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """5 % of the rows, one after the other, from anywhere in the year."""
    count = int(SHARE * len(rows))
    first = int(np.random.default_rng(seed).integers(0, len(rows) - count))
    return rows.iloc[first : first + count]


def _turbine_quality(data: DataFolder, seeds: Sequence[int]) -> list[Result]:
    files = years(data)
    before, last, later = (
        table(data, part, use)
        for part, use in ((files.train[:-1], "train"), (files.train[-1:], "train"), (files.test, "test"))
    )
    task = Task(tuple(Role(name, unit) for name, unit in UNITS.items()), 1, _squared)
    found: list[Result] = []
    for target in TARGETS:
        wanted = later[target].to_numpy(dtype=np.float64)[HOURS - 1 :]
        started = sister(task, _hours(before, target))
        shares: dict[str, list[float]] = {}
        for seed in seeds:
            for variant, outputs in trained(task, _hours(_stretch(last, seed), target), seed, started).items():
                said = outputs(windows_of(later[list(UNITS)].to_numpy(dtype=np.float64), HOURS))[:, 0]
                error = float(np.mean(np.abs(said - wanted)))
                shares.setdefault(variant, []).append(error)
        name = f"quality: gas turbine {target}, 5 % of its last year to learn from; sister: the years before"
        found += _results(name, f"mean absolute error, {TARGETS[target]}", shares)
    return found


def _hours(rows: pd.DataFrame, target: str) -> Labelled:
    """Windows of hours with the target of their last; two of ten blocks are held out, as in trainings of `health`."""
    wanted = rows[target].to_numpy(dtype=np.float64)[HOURS - 1 :]
    windows = windows_of(rows[list(UNITS)].to_numpy(dtype=np.float64), HOURS)
    held = np.isin(np.arange(len(wanted)) * 10 // len(wanted), VALIDATION)
    return Labelled(windows, torch.tensor(wanted[:, None], dtype=torch.float32), held)


def _turbine_health(data: DataFolder, seeds: Sequence[int]) -> list[Result]:
    files = years(data)
    names = [*UNITS, *TARGETS]
    roles = tuple(Role(name) for name in names)
    before, last, later = (
        table(data, part, use)[names]
        for part, use in ((files.train[:-1], "train"), (files.train[-1:], "train"), (files.test, "test"))
    )
    scale = later.to_numpy(dtype=np.float64).std(axis=0)
    other = NetworkSettings(fit=UNHURRIED)
    old, _, _ = _expecting(before.to_numpy(dtype=np.float64), roles, other)
    sister_of = Sister("the years before", roles, old, 1)
    errors: dict[str, list[float]] = {}
    for seed in seeds:
        values = _stretch(last, seed).to_numpy(dtype=np.float64)
        plain = NetworkSettings(fit=replace(UNHURRIED, seed=seed))
        given = replace(plain, sister=sister_of)
        _, _, rows = context_rows(values, roles, LAGS)
        losses = [held_out_loss(rows, roles, one, silent) for one in (plain, given)]
        for variant, chosen in (("plain", plain), ("transferred", given if losses[1] < losses[0] else plain)):
            errors.setdefault(variant, []).append(
                _expectation_error(_expecting(values, roles, chosen), later.to_numpy(dtype=np.float64), scale)
            )
    return _results(
        "health: gas turbine, 5 % of its last year to learn from; sister: the years before",
        "error of the expected values, % of each role's spread",
        errors,
    )


def _expecting(
    values: Floats, roles: tuple[Role, ...], settings: NetworkSettings
) -> tuple[LeaveRoleOut, Floats, Floats]:
    centre, scale, rows = context_rows(values, roles, LAGS)
    network, linear = first_network(rows, roles, settings)
    fit_network(network, spread_of(rows[:, : len(roles)] - rows @ linear), rows, settings, silent)
    return network, centre, scale


def _expectation_error(made: tuple[LeaveRoleOut, Floats, Floats], values: Floats, spread: Floats) -> float:
    network, centre, scale = made
    seen = context(torch.as_tensor((values - centre) / scale, dtype=torch.float32)[None], LAGS)[0]
    with torch.no_grad():
        expected = network(seen)[0].double().numpy()
    error = np.abs(expected - seen[:, : len(centre)].double().numpy()) * scale / spread
    return float(100.0 * np.median(error, axis=0).mean())


# Diagnosis: several components of the rig at once; there is no sister.


def _rig(data: DataFolder, seeds: Sequence[int]) -> list[Result]:
    sensors, labels = data.table("hydraulic/sensors_1hz.csv", "train"), data.table("hydraulic/labels.csv", "train")
    names = [name for name in sensors.columns if name not in {"cycle", "second"}]
    cycles = sensors[names].to_numpy(dtype=np.float64).reshape(len(labels), -1, len(names))
    codes = np.stack([np.unique(labels[name], return_inverse=True)[1] for name in COMPONENTS], axis=1)
    sizes = [int(codes[:, column].max()) + 1 for column in range(len(COMPONENTS))]
    groups = np.unique(codes, axis=0, return_inverse=True)[1].reshape(-1)

    def loss(network: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
        parts = network(inputs).split(sizes, dim=1)
        return torch.stack([nn.functional.cross_entropy(one, targets[:, n]) for n, one in enumerate(parts)]).mean()

    task = Task(tuple(Role(name) for name in names), sum(sizes), loss)
    shares: dict[str, list[float]] = {}
    for seed in seeds:
        random = np.random.default_rng(seed)
        fold = random.permutation(int(groups.max()) + 1)[groups] % FOLDS
        test = fold == 0
        few = random.permutation(np.flatnonzero(~test))[: int(SHARE * (~test).sum())]
        labelled = Labelled(cycles[few], torch.as_tensor(codes[few]), fold[few] == 1)
        for variant, outputs in trained(task, labelled, seed, None).items():
            parts = np.split(outputs(cycles[test]), np.cumsum(sizes)[:-1], axis=1)
            right = [float(np.mean(one.argmax(axis=1) == codes[test][:, n])) for n, one in enumerate(parts)]
            shares.setdefault(variant, []).append(float(np.mean(right)))
    return _results("diagnosis: hydraulic rig, 5 % of the cycles", "accuracy, mean of the components", shares)


SUITE = Suite(
    name="little-data",
    job="little data",
    protocol=(
        "The same small perceptron over windows (for `health`: the network of that job) learns from 5 % of the "
        "training data: plain, with changed copies of its windows (`tagsight_models.augmentation.usual`), starting "
        "from a network that learned from all data of a sister (`tagsight_models.transfer`: trained from there, with "
        "her scaling and with its own, and from nothing; the best on held-out blocks of the 5 % is kept), and with "
        "both. One configuration for all; "
        "the seed also draws the 5 %: engines, a stretch of one year, or cycles. Scored on test engines, on the later "
        "year, and on combinations of severities that were not learned from. The sister is trained once. Notes give "
        "the difference to plain for each seed."
    ),
    needs=(),
    run=run,
)
