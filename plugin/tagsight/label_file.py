"""The table of labelled periods: one more row, as an engineer would write it."""

import csv
import io
import os
from pathlib import Path
from threading import Lock
from typing import Final

from tagsight.errors import NotAllowed, StorageError

COLUMNS: Final = ("from", "to", "label", "component")
MOST_BYTES: Final = 5_000_000
_WRITING: Final = Lock()


def add_period(file: Path, start: str, end: str, label: str, component: str = "") -> None:
    """Append a row; a file that is not there is made, columns of the engineer stay.

    Args:
        file: CSV with a head; comma, semicolon or tab.
        start: in the time zone of the configuration, `2026-01-31 06:30`.
        end: the same; not included.
        label: what it was.
        component: where one asset has several.

    Raises:
        NotAllowed: a component for a table without that column, or a table without the columns that are needed.
        StorageError: the file cannot be read or written.
    """
    given = {"from": start, "to": end, "label": label, "component": component}
    with _WRITING:
        text = _text(file)
        lines = text.splitlines()
        separator = max(",;\t", key=lines[0].count) if lines else ","
        head = [name.strip() for name in lines[0].split(separator)] if lines else list(COLUMNS[: 4 if component else 3])
        missing = [name for name, value in given.items() if value and name not in head]
        if missing:
            raise NotAllowed(
                what=f"{file.name} has no column {missing[0]!r}",
                mend=f"Add it to the first line, which names {', '.join(head)}.",
            )
        out = io.StringIO()
        writer = csv.writer(out, delimiter=separator, lineterminator="\n")
        if not lines:
            writer.writerow(head)
        writer.writerow([given.get(name, "") for name in head])
        whole = text + ("" if not text or text.endswith("\n") else "\n") + out.getvalue()
        _replace(file, whole)


def _text(file: Path) -> str:
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise StorageError(what=f"{file} cannot be read: {error.strerror}", mend="May this user read it?") from error
    if len(data) > MOST_BYTES:
        raise StorageError(
            what=f"{file} has more than {MOST_BYTES} bytes", mend="Keep periods of one asset in one file."
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise StorageError(what=f"{file} is not UTF-8", mend="Save it as CSV UTF-8.") from error


def _replace(file: Path, text: str) -> None:
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(file)
    except OSError as error:
        raise StorageError(
            what=f"{file} cannot be written: {error.strerror}", mend="May this user write it?"
        ) from error
