"""PLACE."""

from nicegui import ui

from tagsight.web.site import Site
from tagsight.web.visitors import Visitor


def build(site: Site, visitor: Visitor) -> None:
    """Draw it."""
    ui.label(f"{site.data.root} {visitor.user}")
