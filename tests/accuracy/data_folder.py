"""The folder of public data sets: what is there, what is missing, and a log of which files a run opened."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pandas as pd

Use = Literal["train", "test"]


class DataMissing(Exception):
    """Files that a suite needs are not in the folder."""


@dataclass
class DataFolder:
    """Opens files for a use, and remembers it. Test files are opened by scorers alone, once per configuration.

    Attributes:
        root: holds `tep/`, `skab/`, `cmapss/`, `gas_turbine/`, `hydraulic/`, `petrobras_process/`.
        opened: (file, use) in the order of opening.
    """

    root: Path
    opened: list[tuple[str, Use]] = field(default_factory=list)

    def need(self, *files: str) -> None:
        """Raise DataMissing unless all are there."""
        missing = [file for file in files if not (self.root / file).is_file()]
        if missing:
            msg = f"missing in {self.root}: {', '.join(missing)}"
            raise DataMissing(msg)

    def matching(self, pattern: str) -> list[str]:
        """Files that match a glob pattern, sorted; suites take whatever of a set is there."""
        return sorted(str(path.relative_to(self.root)) for path in self.root.glob(pattern))

    def table(self, file: str, use: Use, separator: str = ",") -> pd.DataFrame:
        """One file as a table."""
        self.need(file)
        self.opened.append((file, use))
        return pd.read_csv(self.root / file, sep=separator)
