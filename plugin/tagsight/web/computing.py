"""What pages let compute: one training or rehearsal at a time, in a process of its own at low priority."""

from dataclasses import dataclass, field
from typing import Any, Final

from tagsight.clocks import Clock
from tagsight.errors import NotAllowed
from tagsight.page_tasks import page_tasks
from tagsight.workers import Task, Worker

NAME: Final = "pages' work"


@dataclass
class Job:
    """What is going on; `share` and `words` are written by another thread."""

    what: str
    who: str
    share: float = 0.0
    words: str = "waiting"


@dataclass
class Computing:
    """The one process that computes for all pages."""

    clock: Clock
    current: Job | None = field(default=None, init=False)
    _worker: Worker | None = field(default=None, init=False)

    async def run(self, what: str, who: str, task: Task) -> Any:
        """The result of a task. Who is cancelled while waiting gives it up: the process is ended.

        Raises:
            NotAllowed: something else runs.
            WorkerFailure: it did not end by a result.
        """
        if self.current is not None:
            raise NotAllowed(
                what=f"{self.current.what} runs already, started by {self.current.who}",
                mend="One at a time: wait until it has ended, or cancel it.",
            )
        job = self.current = Job(what, who)
        if self._worker is None:
            self._worker = Worker(NAME, page_tasks, self.clock, low_priority=True)

        def told(share: float, words: str) -> None:
            job.share, job.words = share, words

        try:
            return await self._worker.run(task, told)
        finally:
            await self._worker.close()  # what a training took of the memory is given back to the plant's server
            self.current = None
