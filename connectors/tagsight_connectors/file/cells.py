"""One column of a file, told apart cell by cell: numbers, Booleans, texts, and cells with nothing in them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Cells:
    """A column.

    Attributes:
        numbers: shape (n,), NaN where the cell holds no number; Booleans are 1.0 and 0.0.
        texts: shape (n,), what is written, stripped; None where the cell is blank or was read as a number at once.
        blank: shape (n,), nothing is written.
        boolean: shape (n,), `true` or `false` is written.
    """

    numbers: NDArray[np.float64]
    texts: NDArray[np.object_]
    blank: NDArray[np.bool_]
    boolean: NDArray[np.bool_]

    @property
    def text_only(self) -> NDArray[np.bool_]:
        """Cells that hold neither a number nor a Boolean nor nothing."""
        return np.isnan(self.numbers) & ~self.blank

    def written(self) -> NDArray[np.object_]:
        """Every cell as text; numbers that were read at once in their shortest form, None where blank."""
        out = self.texts.copy()
        bare = ~self.blank & np.array([text is None for text in out], dtype=bool)
        different, places = np.unique(self.numbers[bare], return_inverse=True)
        out[bare] = np.array([f"{number:.15g}" for number in different], dtype=object)[places]
        return out

    def taken(self, rows: NDArray[Any]) -> "Cells":
        """Some of the rows."""
        return Cells(self.numbers[rows], self.texts[rows], self.blank[rows], self.boolean[rows])


def cells_of(column: "pd.Series[Any]", decimal: str = ".") -> Cells:
    """Tell the cells of one column apart."""
    if pd.api.types.is_numeric_dtype(column.dtype):
        return _of_numbers(column)
    return _of_texts(column, decimal)


def _of_numbers(column: "pd.Series[Any]") -> Cells:
    numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    boolean = np.full(len(numbers), pd.api.types.is_bool_dtype(column.dtype))
    return Cells(numbers, np.full(len(numbers), None, dtype=object), np.isnan(numbers), boolean)


def _of_texts(column: "pd.Series[Any]", decimal: str) -> Cells:
    blank = column.isna().to_numpy(dtype=bool, copy=True)
    texts = np.full(len(column), None, dtype=object)
    texts[~blank] = [str(cell).strip() for cell in column.to_numpy(dtype=object)[~blank]]
    blank |= texts == ""
    texts[blank] = None
    truth = {text: text.casefold() == "true" for text in set(texts[~blank]) if text.casefold() in {"true", "false"}}
    numbers = _numbers(texts, decimal)
    boolean = np.array([text in truth for text in texts], dtype=bool) if truth else np.zeros(len(texts), dtype=bool)
    numbers[boolean] = [float(truth[text]) for text in texts[boolean]]
    return Cells(numbers, texts, blank, boolean)


def _numbers(texts: NDArray[np.object_], decimal: str) -> NDArray[np.float64]:
    written = pd.Series(texts, dtype=object)
    if decimal != ".":
        written = written.str.replace(decimal, ".", regex=False)
    return np.asarray(pd.to_numeric(written, errors="coerce"), dtype=np.float64).copy()
