"""Cases of the Tennessee Eastman process: the window at the first confirmed alarm, and 10 and 30 rows later."""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from tagsight_models.frame import Floats
from tests.accuracy.data_folder import DataFolder
from tests.accuracy.tep_health import GRID, ONSET, rows_of
from tests.explain_bench.cases import Case, Cases, Learned, first_confirmed, learned

LATER: Final = (0, 10, 30)
BEFORE: Final = 60
"""Rows of d00_te before a fault that has no test file."""
SEAM: Final = 10
"""Rows after the seam whose newest steps reach over it: not scored, since the jump there is nobody's fault."""

TRUTH: Final[Mapping[str, tuple[str, ...]]] = {
    "01": ("XMEAS_04", "XMV_04", "XMEAS_01", "XMV_03", "XMEAS_23", "XMEAS_25"),
    "02": ("XMEAS_30", "XMEAS_24", "XMEAS_10", "XMV_06"),
    "04": ("XMV_10", "XMEAS_09", "XMEAS_21"),
    "05": ("XMV_11", "XMEAS_22", "XMEAS_11"),
    "06": ("XMEAS_01", "XMV_03"),
    "07": ("XMEAS_04", "XMV_04"),
    "10": ("XMEAS_18", "XMV_09", "XMEAS_19"),
    "11": ("XMV_10", "XMEAS_09", "XMEAS_21"),
    "12": ("XMV_11", "XMEAS_22", "XMEAS_11"),
    "14": ("XMV_10", "XMEAS_21", "XMEAS_09"),
    "17": ("XMEAS_21", "XMV_10", "XMEAS_09"),
}


def tennessee_cases(data: DataFolder, seed: int) -> Cases:
    """Every fault with a known cause whose file is there, at each reading."""
    names = [str(name) for name in data.table("tep/d00.csv", "train").columns[1:53]]
    model = learned(rows_of(data, "tep/d00.csv", "train"), names, GRID, seed)
    return Cases(model.model, model.normal, list(_cases(data, model)))


def _cases(data: DataFolder, model: Learned) -> Iterator[Case]:
    for fault, truth in TRUTH.items():
        found = _series(data, fault)
        if found is None:
            continue
        values, start = found
        first = first_confirmed(model.score(values), start, GRID)
        for later in LATER if first is not None else ():
            row = min((first or 0) + later, len(values) - 1)
            yield Case(f"fault {fault}", fault, model.window(values, row), model.columns(truth), later)


def _series(data: DataFolder, fault: str) -> tuple[Floats, int] | None:
    """The rows of a fault and the first that may raise an alarm."""
    if data.matching(f"tep/d{fault}_te.csv"):
        return rows_of(data, f"tep/d{fault}_te.csv", "test"), ONSET
    if not data.matching(f"tep/d{fault}.csv"):
        return None
    normal = rows_of(data, "tep/d00_te.csv", "test")[:BEFORE]
    return np.vstack([normal, rows_of(data, f"tep/d{fault}.csv", "test")]), BEFORE + SEAM
