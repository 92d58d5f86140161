"""By how much the event loop is late, and how much of that is the machine's: other programs on its processors."""

import asyncio
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

import numpy as np

PAUSE_S: Final = 0.002


class LoopLag:
    """Run beside the work: `async with LoopLag() as lag: ...`, then `print(lag.said())`.

    A thread that is ready to run and gets no processor waits; Linux counts that (`schedstat`). It is told apart,
    because no program can help it.
    """

    def __init__(self) -> None:
        self._samples: list[tuple[float, float]] = []
        self._schedule = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat")
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    def said(self) -> str:
        """The longest, and what nine hundred and ninety-nine of thousand stayed below, ms."""
        late, waited = 1000 * np.array(self._samples).T
        worst = int(late.argmax())
        return (
            f"loop late by at most {late[worst]:.0f} ms ({waited[worst]:.0f} of them waiting for a processor), "
            f"99.9 % below {np.percentile(late, 99.9):.0f} ms; without waiting for a processor at most "
            f"{(late - waited).max():.0f} ms"
        )

    async def _watch(self) -> None:
        while True:
            waited = self._waited_s()
            started = time.perf_counter()
            await asyncio.sleep(PAUSE_S)
            late = time.perf_counter() - started - PAUSE_S
            self._samples.append((late, self._waited_s() - waited))

    def _waited_s(self) -> float:
        try:
            return int(self._schedule.read_text(encoding="ascii").split()[1]) / 1e9
        except OSError:
            return 0.0
