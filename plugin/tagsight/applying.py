"""Applying a configuration: the one way, for the command line and for the pages."""

import difflib
import os
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final

from tagsight.applied import Applied, AppliedFolder
from tagsight.configuration import check_file, check_text
from tagsight.errors import ConfigurationError, NotAllowed, StorageError

_SAVING: Final = Lock()
MOST_LINES: Final = 40
"""Of a difference that is shown."""


@dataclass
class EditedMeanwhile(NotAllowed):
    """Somebody else saved the file since it was read: nothing was written. `difference`: theirs, line by line."""

    difference: str = ""


def apply_file(file: Path, folder: AppliedFolder, who: str, now_ns: int) -> Applied:
    """Check the file, keep a dated copy, and ask the service to take it over.

    Raises:
        ConfigurationError: with all faults of the file.
        StorageError: the copy cannot be kept.
    """
    checked = check_file(file)
    if checked.plan is None:
        raise ConfigurationError(str(file), checked.faults)
    return folder.store(checked.text, checked.plan, file, who, now_ns)


def apply_text(text: str, based_on: str, file: Path, folder: AppliedFolder, *, who: str, now_ns: int) -> Applied:
    """Save a text that was edited, and apply it.

    Args:
        text: what the file shall be.
        based_on: what it was when the edit began.
        file: that the service runs with.
        folder: of applied configurations.
        who: edits.
        now_ns: UTC ns.

    Raises:
        ConfigurationError: with all faults of the text; nothing is written.
        EditedMeanwhile: the file is not `based_on` any more; nothing is written.
        StorageError: the file or the copy cannot be written.
    """
    checked = check_text(text, file)
    if checked.plan is None:
        raise ConfigurationError(str(file), checked.faults)
    with _SAVING:
        _save(text, based_on, file)
        return folder.store(text, checked.plan, file, who, now_ns)


def _save(text: str, based_on: str, file: Path) -> None:
    file = file.resolve()  # a link stays a link
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        now = file.read_text(encoding="utf-8-sig")
        if now != based_on:
            raise EditedMeanwhile(
                what=f"{file.name} was changed by somebody else since you opened it",
                mend="Compare, load it anew, and make your change again; yours was not saved.",
                difference=difference(based_on, now),
            )
        temporary.write_text(text, encoding="utf-8")
        temporary.chmod(file.stat().st_mode & 0o777)
        temporary.replace(file)
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(
            what=f"{file} cannot be written: {getattr(error, 'strerror', None) or error}",
            mend="Is the folder writable for the user that the pages run as?",
        ) from error


def difference(before: str, after: str) -> str:
    """Of two texts, line by line, shortened for people."""
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), "as you opened it", "as it is now", lineterm=""
    )
    return "\n".join(list(lines)[:MOST_LINES])
