"""Tasks for the tests of `tagsight.workers`: plain functions that a spawned process can import."""

import os
import signal
import time
from collections.abc import Callable, Mapping
from typing import Any

from tagsight.workers import TaskFunction

Progress = Callable[[float, str], None]


class Unusable(Exception):
    """An error that says how to mend it."""

    mend = "Give it another argument."


def _echo(argument: Any, _progress: Progress) -> Any:
    return argument


def _pid(_argument: Any, _progress: Progress) -> int:
    return os.getpid()


def _raise(argument: Any, _progress: Progress) -> Any:
    raise Unusable(argument)


def _die(_argument: Any, _progress: Progress) -> Any:
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


def _hang(argument: str, _progress: Progress) -> None:
    with open(argument, "w", encoding="ascii") as file:  # noqa: PTH123 - says to the test that the task runs
        file.write(str(os.getpid()))
    time.sleep(3_600.0)


def _chatter(_argument: Any, progress: Progress) -> None:
    while True:
        progress(0.5, "still at it")
        time.sleep(0.01)


def _halves(_argument: Any, progress: Progress) -> str:
    progress(0.5, "half")
    progress(1.0, "whole")
    return "done"


def tasks() -> Mapping[str, TaskFunction]:
    """The registry."""
    return {
        "echo": _echo,
        "pid": _pid,
        "raise": _raise,
        "die": _die,
        "hang": _hang,
        "chatter": _chatter,
        "halves": _halves,
    }


def deaf() -> Mapping[str, TaskFunction]:
    """A registry that never comes: the process takes no task."""
    time.sleep(3_600.0)
    return {}
