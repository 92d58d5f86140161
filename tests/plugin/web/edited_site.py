"""A configuration, a data folder and an inbox, as the pages have them: for what pages do, without the pages."""

from pathlib import Path

from tagsight.clocks import SECOND, SetClock
from tagsight.data_folder import DataFolder
from tagsight.inbox import Inbox, Note
from tagsight.plan import WebPlan
from tagsight.web.site import Site

NOW = 1_790_000_000 * SECOND


def site_with(folder: Path, text: str) -> Site:
    """A site whose file says this."""
    file = folder / "tagsight.yaml"
    file.write_text(text, encoding="utf-8")
    data = DataFolder(folder / "data")
    data.create()
    return Site(data, WebPlan(), SetClock(NOW), Inbox.open(data.inbox), file)


def written(site: Site) -> str:
    """What the file says now."""
    assert site.file is not None
    return site.file.read_text(encoding="utf-8")


def noted(site: Site) -> list[tuple[str, str]]:
    """Who and what, of the audit notes that wait for the service."""
    return [(one.write.who, one.write.what) for one in site.inbox.unread() if isinstance(one.write, Note)]
