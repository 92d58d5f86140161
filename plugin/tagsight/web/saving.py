"""The text of the configuration as the pages read and save it."""

from collections.abc import Callable
from pathlib import Path

from tagsight.applied import Applied, AppliedFolder
from tagsight.applying import apply_text
from tagsight.errors import NotReady, StorageError
from tagsight.web.site import Site


def file_of(site: Site) -> Path:
    """The file. Raises NotReady where the pages were started without one."""
    if site.file is None:
        raise NotReady("these pages were started without a configuration", "`tagsight web serve FILE` takes one.")
    return site.file


def text_of(site: Site) -> str:
    """What it says now. Raises NotReady, StorageError."""
    file = file_of(site)
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        cause = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise StorageError(
            what=f"{file} cannot be read: {cause}", mend="`tagsight init` writes a first file."
        ) from error


def save(site: Site, text: str, based_on: str, who: str) -> Applied:
    """Save and apply a text. Raises as `apply_text`: nothing is written then."""
    folder = AppliedFolder(site.data.applied)
    return apply_text(text, based_on, file_of(site), folder, who=who, now_ns=site.clock.now_ns())


def change(site: Site, edit: Callable[[str], str], who: str) -> Applied:
    """Read, edit, save and apply. Raises as `apply_text`, and whatever `edit` raises."""
    before = text_of(site)
    return save(site, edit(before), before, who)
