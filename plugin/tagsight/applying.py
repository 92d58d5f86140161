"""Applying a configuration: the one way, for the command line and for the pages."""

from pathlib import Path

from tagsight.applied import Applied, AppliedFolder
from tagsight.configuration import check_file
from tagsight.errors import ConfigurationError


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
