"""The gas turbine: its yearly files as frames, in the order of time."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tagsight_models.frame import Floats, Frame, Role, Times
from tests.accuracy.data_folder import DataFolder, DataMissing

HOUR = 3_600_000_000_000
START = 1_293_840_000_000_000_000
TARGETS = {"CO": "mg/m3", "NOX": "mg/m3"}
UNITS = {"AT": "degC", "AP": "mbar", "AH": "%", "AFDP": "mbar", "GTEP": "mbar", "TIT": "degC", "TAT": "degC"}
UNITS |= {"TEY": "MWh", "CDP": "mbar"}
PATTERN = "gas_turbine/gt_*.csv"


@dataclass(frozen=True, slots=True)
class Years:
    """Files to learn from and to score; 2011-13 against 2014-15 as the authors ask, else the last year is scored."""

    train: tuple[str, ...]
    test: tuple[str, ...]


def years(data: DataFolder) -> Years:
    """By what is there."""
    files = data.matching(PATTERN)
    late = tuple(file for file in files if file[-8:-4] >= "2014")
    early = tuple(file for file in files if file not in late)
    if not late:
        early, late = early[:-1], early[-1:]
    if not early or not late:
        msg = f"missing in {data.root}: two years of {PATTERN}"
        raise DataMissing(msg)
    return Years(early, late)


def table(data: DataFolder, files: tuple[str, ...], use: str) -> pd.DataFrame:
    """Files one after the other."""
    assert use in {"train", "test"}
    return pd.concat([data.table(file, "train" if use == "train" else "test") for file in files], ignore_index=True)


def times(rows: int, first: int = 0) -> Times:
    """Rows are hours in order; the files have no times."""
    return START + HOUR * np.arange(first, first + rows, dtype=np.int64)


def frame(rows: pd.DataFrame, roles: list[str], first: int = 0) -> Frame:
    """Every value used."""
    values: Floats = rows[roles].to_numpy(dtype=np.float64)
    shape = values.shape
    return Frame(
        times(len(rows), first),
        values,
        np.zeros(shape, dtype=np.uint8),
        np.zeros(shape, dtype=np.bool_),
        tuple(Role(name, UNITS.get(name, "")) for name in roles),
        HOUR,
    )


def memory_steps(values: Floats, most: int = 60) -> int:
    """The median over roles of the first lag at which the autocorrelation is below a half: the length of a window."""
    centred = values - values.mean(axis=0)
    power = (centred**2).sum(axis=0)
    found = np.full(values.shape[1], most)
    for lag in range(most - 1, 1, -1):
        found[(centred[lag:] * centred[:-lag]).sum(axis=0) < 0.5 * power] = lag
    return int(np.median(found))
