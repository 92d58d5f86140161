"""Work of a page that waits for a historian: in a thread and a loop of its own, so that no other page waits too."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from tagsight.errors import NotAllowed

Result = TypeVar("Result")

AT_ONCE: Final = 3
"""Of all pages together; who comes later waits."""

AT_MOST_S: Final = 1_800.0

_THREADS: Final = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="reading for pages")


@dataclass
class GivenUp(NotAllowed):
    """Somebody cancelled it."""

    what: str = "given up"


@dataclass
class Background:
    """One piece of work at a time of one page.

    Attributes:
        words: how far it is; written by the work.
        running: something goes on.
    """

    words: str = ""
    running: bool = field(init=False, default=False)
    _cancelled: bool = field(init=False, default=False)
    _loop: asyncio.AbstractEventLoop | None = field(init=False, default=None)
    _task: "asyncio.Task[Any] | None" = field(init=False, default=None)

    async def run(self, work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        """The result of what `work` makes there.

        Raises:
            NotAllowed: it does something already; GivenUp: cancelled, or it took longer than half an hour.
        """
        if self.running:
            raise NotAllowed(what="this page is still at it", mend="Wait, or cancel it.")
        self.running, self._cancelled, self.words = True, False, "waiting"
        try:
            return await asyncio.get_running_loop().run_in_executor(_THREADS, self._run, work)
        finally:
            self.running = False

    def tell(self, words: str) -> None:
        """Called by the work."""
        self.words = words

    def cancel(self) -> None:
        """Give it up; harmless when nothing goes on."""
        self._cancelled = True
        loop, task = self._loop, self._task
        if loop is not None and task is not None and not loop.is_closed():
            loop.call_soon_threadsafe(task.cancel)

    def _run(self, work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        async def main() -> Result:
            self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
            if self._cancelled:
                raise GivenUp
            async with asyncio.timeout(AT_MOST_S):
                return await work()

        try:
            return asyncio.run(main())
        except asyncio.CancelledError as error:
            raise GivenUp from error
        except TimeoutError as error:
            raise GivenUp(what=f"given up after {AT_MOST_S / 60.0:.0f} minutes") from error
        finally:
            self._loop = self._task = None
