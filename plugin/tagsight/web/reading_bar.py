"""A line that follows what a page reads in the background, with a button that gives it up."""

from collections.abc import Callable, Coroutine
from typing import Any, Final

from nicegui import ui

from tagsight.web.background import Background, GivenUp
from tagsight.web.shell import EXPECTED, trouble

LOOK_S: Final = 0.4


class ReadingBar:
    """One on a page; `run` shows it while something is read."""

    def __init__(self) -> None:
        self.background = Background()
        with ui.row().classes("w-full items-center no-wrap gap-3") as self._row:
            ui.spinner(size="20px")
            self._words = ui.label("").classes("text-body2").style("flex: 1; overflow-wrap: anywhere")
            ui.button("Cancel", on_click=self.background.cancel).props("flat dense no-caps")
        self._row.visible = False
        self._troubles = ui.column().classes("w-full")
        ui.timer(LOOK_S, self._look)
        ui.context.client.on_delete(self.background.cancel)

    @property
    def tell(self) -> Callable[[str], None]:
        """For the work: how far it is."""
        return self.background.tell

    async def run(self, work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """The result; None where it failed, which is said, or was given up."""
        self._troubles.clear()
        self._row.visible = True
        try:
            return await self.background.run(work)
        except GivenUp as error:
            with self._troubles:
                ui.label(f"{str(error).capitalize()}.").classes("text-body2")
        except EXPECTED as error:
            with self._troubles:
                trouble(error)
        finally:
            self._row.visible = False
        return None

    def clear(self) -> None:
        """Forget the last trouble."""
        self._troubles.clear()

    def _look(self) -> None:
        if self.background.running and self._words.text != self.background.words:
            self._words.text = self.background.words
