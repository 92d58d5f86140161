"""A bar that follows what the pages let compute, with a button that gives it up."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from nicegui import ui

from tagsight.web.shell import EXPECTED, trouble
from tagsight.web.site import Site

LOOK_S: Final = 0.5


class JobBar:
    """One on a page; `run` shows it while something is computed."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._task: asyncio.Task[Any] | None = None
        with ui.card().classes("w-full q-pa-sm gap-1") as self._card:
            with ui.row().classes("w-full items-center no-wrap gap-3"):
                self._words = ui.label("").classes("text-body2").style("flex: 1")
                self._cancel = ui.button("Cancel", on_click=self._give_up).props("flat dense no-caps")
            self._bar = ui.linear_progress(value=0.0, show_value=False).props("instant-feedback")
        self._troubles = ui.column().classes("w-full")
        self._look()
        ui.timer(LOOK_S, self._look)

    async def run(self, work: Callable[[], Awaitable[Any]]) -> Any:
        """The result; None where it failed, which is said, or was given up."""
        self._troubles.clear()
        self._task = asyncio.ensure_future(work())
        self._look()
        try:
            return await self._task
        except asyncio.CancelledError:
            with self._troubles:
                ui.label("Given up.").classes("text-body2")
        except EXPECTED as error:
            with self._troubles:
                trouble(error)
        finally:
            self._task = None
            self._look()
        return None

    def _look(self) -> None:
        job = self.site.computing.current
        self._card.visible = job is not None
        if job is not None:
            self._words.text = f"{job.what}, started by {job.who}: {100.0 * job.share:.0f} %, {job.words}"
            self._bar.value = round(job.share, 3)
            self._cancel.visible = self._task is not None

    def _give_up(self) -> None:
        if self._task is not None:
            self._task.cancel()
