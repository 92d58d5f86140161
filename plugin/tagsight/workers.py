"""Workers: long-lived processes that compute, so that a hang or a crash of a computation stops nothing else.

Started by `spawn`. A task is a name and a plain value; it goes over a pipe, has a deadline, and ends by its result or
by a `WorkerFailure`. A worker that hangs or dies is killed and replaced at the next task. Only plain values travel
(the pipe joins two processes of our own; nothing from outside is ever unpickled).

Seam for computing elsewhere later: whatever runs a `Task` and answers as `Worker.run` does.
"""

import asyncio
import multiprocessing
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Final

from tagsight.clocks import Clock
from tagsight.errors import TagSightError
from tagsight.platform import ignore_interrupts, lower_priority

TaskFunction = Callable[[Any, Callable[[float, str], None]], Any]
"""Takes the argument and `progress(fraction, text)`; returns a plain value."""

Registry = Callable[[], Mapping[str, TaskFunction]]
"""Called once in the worker's process: where torch is imported."""

_POLL_S: Final = 0.25


@dataclass(frozen=True, slots=True)
class Task:
    """Something to compute: a name of the registry, a plain argument, and the longest it may take."""

    name: str
    argument: Any
    seconds: float


@dataclass
class WorkerFailure(TagSightError):
    """A task did not end by a result: it raised, took too long, or its process died."""

    task: str
    cause: str
    mend: str = ""
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.task}: {self.cause}"


@dataclass(frozen=True, slots=True)
class _Progress:
    fraction: float
    text: str


@dataclass(frozen=True, slots=True)
class _Result:
    value: Any


@dataclass(frozen=True, slots=True)
class _Raised:
    cause: str
    mend: str
    detail: str


@dataclass
class Worker:
    """One process and the tasks it is given, one at a time, first come first served.

    Attributes:
        name: of the process, and of its log.
        registry: its tasks.
        clock: for deadlines.
        low_priority: everything else on this machine goes first.
        logs: folder where the process logs what goes wrong in it; None: nowhere.
        replaced: how often the process was.
    """

    name: str
    registry: Registry
    clock: Clock
    low_priority: bool = False
    logs: Path | None = None
    replaced: int = 0
    _process: BaseProcess | None = field(init=False, default=None)
    _pipe: Connection | None = field(init=False, default=None)
    _turn: asyncio.Lock = field(init=False, default_factory=asyncio.Lock)

    async def run(self, task: Task, progress: Callable[[float, str], None] = lambda _f, _t: None) -> Any:
        """The task's result. Raises WorkerFailure; `progress` is called from a thread.

        Who is cancelled while waiting gives the task up: its process is killed, so that no answer is left in the pipe.
        """
        async with self._turn:
            exchange = asyncio.create_task(asyncio.to_thread(self._exchange, task, progress))
            try:
                return await asyncio.shield(exchange)
            except asyncio.CancelledError:
                while not exchange.done():
                    self._kill()
                    await asyncio.wait([exchange], timeout=_POLL_S)
                exchange.exception()  # seen: nobody waits for it any more
                raise

    @property
    def pid(self) -> int | None:
        """Of the process that would take the next task; None before the first and after a failure."""
        return self._process.pid if self._process is not None else None

    async def close(self) -> None:
        """End the process; a task that runs is given up."""
        await asyncio.to_thread(self._end)

    def _exchange(self, task: Task, progress: Callable[[float, str], None]) -> Any:
        pipe = self._started()
        done, late = threading.Event(), threading.Event()
        watch = threading.Thread(target=self._watch, args=(task.seconds, done, late), daemon=True)
        watch.start()
        try:
            pipe.send(task)
            return _answered(task, pipe, progress)
        except (EOFError, OSError) as error:
            self._replace()
            cause = "its process ended unexpectedly and was replaced"
            if late.is_set():
                cause = f"took longer than {task.seconds:g} s; its process was replaced"
            raise WorkerFailure(task.name, cause, detail=repr(error)) from error
        finally:
            done.set()
            watch.join()

    def _watch(self, seconds: float, done: threading.Event, late: threading.Event) -> None:
        """Kill the process at the deadline: whatever the exchange waits for, a send included, then ends."""
        deadline = self.clock.monotonic() + seconds
        while not done.wait(_POLL_S):
            if self.clock.monotonic() > deadline:
                late.set()
                self._kill()
                return

    def _started(self) -> Connection:
        if self._process is None or not self._process.is_alive() or self._pipe is None:
            if self._process is not None:
                self._replace()
            context = multiprocessing.get_context("spawn")
            self._pipe, theirs = context.Pipe()
            self._process = context.Process(
                target=serve,
                args=(theirs, self.registry, self.low_priority, self.logs, self.name),
                name=f"tagsight {self.name}",
                daemon=True,
            )
            self._process.start()
            theirs.close()
        return self._pipe

    def _kill(self) -> None:
        process = self._process
        if process is not None:
            with suppress(ValueError):  # closed meanwhile by the exchange
                process.kill()

    def _replace(self) -> None:
        self.replaced += 1
        self._end()

    def _end(self) -> None:
        process, pipe = self._process, self._pipe
        self._process = self._pipe = None
        if process is not None:
            process.kill()
            process.join()
        if pipe is not None:
            pipe.close()


@dataclass(frozen=True, slots=True)
class Workers:
    """The processes of a service that compute.

    Scoring never waits for an explanation, nor either for a training (design law 14): each has a process of its own.
    """

    scoring: Worker
    explaining: Worker
    training: Worker

    async def close(self) -> None:
        """End them all."""
        await asyncio.gather(self.scoring.close(), self.explaining.close(), self.training.close())


def _answered(task: Task, pipe: Connection, progress: Callable[[float, str], None]) -> Any:
    while True:
        match pipe.recv():
            case _Progress(fraction, text):
                progress(fraction, text)
            case _Result(value):
                return value
            case _Raised(cause, mend, detail):
                raise WorkerFailure(task.name, cause, mend, detail)


def serve(
    pipe: Connection,
    registry: Registry,
    low_priority: bool,  # noqa: FBT001 - argument of a process
    logs: Path | None = None,
    name: str = "worker",
) -> None:
    """The worker's own loop; ends when the other end of the pipe is closed."""
    ignore_interrupts()
    if low_priority:
        lower_priority()
    with _log(logs, name) as tell:
        functions = registry()
        while True:
            try:
                task = pipe.recv()
            except (EOFError, OSError):
                return
            pipe.send(_answer(functions, task, lambda fraction, text: pipe.send(_Progress(fraction, text)), tell))


@contextmanager
def _log(folder: Path | None, name: str) -> Iterator[Callable[[str, Exception], None]]:
    """Where a worker tells what went wrong: an error that says its mend in words, any other with its traceback."""
    from tagsight.logs import open_log  # noqa: PLC0415 - only in the worker's process

    if folder is None:
        yield lambda _task, _error: None
        return
    with open_log(folder, name) as log:
        yield lambda task, error: log.warning(
            task, message=_words(error), exc_info=None if getattr(error, "mend", "") else error
        )


def _answer(
    functions: Mapping[str, TaskFunction],
    task: Task,
    progress: Callable[[float, str], None],
    tell: Callable[[str, Exception], None],
) -> _Result | _Raised:
    import traceback  # noqa: PLC0415 - needed only when something raised

    try:
        return _Result(functions[task.name](task.argument, progress))
    except Exception as error:  # noqa: BLE001 - whatever a task raises is told to the service, with its mend
        tell(task.name, error)
        return _Raised(_words(error), getattr(error, "mend", ""), traceback.format_exc())


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
