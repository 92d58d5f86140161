"""Logs: structured JSON lines in rotating files; bounded in size and rate, without secrets. The place of structlog."""

import json
import logging
import logging.handlers
import re
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

import structlog

from tagsight.clocks import Clock, SystemClock

FILE_BYTES: Final = 4_000_000
FILES: Final = 12
"""Of all processes' logs together at most `FILE_BYTES` x `FILES` = 48 MB: each process gets its share."""

PROCESSES: Final = 6
"""Service, scoring, explaining, training, tag server, pages."""

PER_MINUTE: Final = 30
"""Lines of one event in one minute; what is more is counted and told with the next one."""

LONGEST_VALUE: Final = 2_000
MOST_EVENTS: Final = 1_000
REDACTED: Final = "(not logged)"
_SHOWN_OTHERWISE: Final = frozenset({"time", "time_ns", "level", "event", "message", "exception"})

Logger: TypeAlias = structlog.typing.FilteringBoundLogger
_Event: TypeAlias = MutableMapping[str, Any]
_SECRET_KEY: Final = re.compile(
    r"pass(word|wd|phrase)|secret|token|credential|private_?key|pin$|api_?key", re.IGNORECASE
)
_SECRET_IN_URL: Final = re.compile(r"(\w+://[^/\s:@]*):[^/\s@]+@")
_SECRET_IN_TEXT: Final = re.compile(r"(?i)\b(pass(?:word|wd|phrase)|secret|token)(\s*[=:]\s*)(\S+)")


@dataclass(frozen=True, slots=True)
class Echo:
    """A second place for the lines, for people: the console or the system's journal.

    Attributes:
        say: takes one line; what it raises loses the line.
        timezone: of the times in it.
    """

    say: Callable[[str], None]
    timezone: tzinfo = UTC


@contextmanager
def open_log(
    folder: Path, process: str, *, clock: Clock | None = None, debug: bool = False, echo: Echo | None = None
) -> Iterator[Logger]:
    """A logger that writes `<process>.log` and its rotated files; hand it on.

    What libraries say by Python's own `logging` goes there too, from warnings on, and not raw to the console.

    Args:
        folder: of the logs.
        process: name of the file: `service`, `scoring`, `explaining`, `training`, `tag-server`, `pages`.
        clock: for the stamps and the rate.
        debug: log debug lines too.
        echo: shows the same lines to people.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = max(2, FILES // PROCESSES)
    file = _QuietFile(
        folder / f"{process}.log", maxBytes=FILE_BYTES, backupCount=files - 1, encoding="utf-8", delay=True
    )
    with closing(_Lines(file)) as lines:
        log = logger_to(lines, clock or SystemClock(), debug=debug, echo=echo)
        libraries = _Libraries(log)
        logging.getLogger().addHandler(libraries)
        try:
            yield log
        finally:
            logging.getLogger().removeHandler(libraries)


def logger_to(lines: "_Lines | Any", clock: Clock, *, debug: bool = False, echo: Echo | None = None) -> Logger:
    """A logger over anything with `msg(text)`; what `open_log` makes, for tests."""
    wrapped = structlog.wrap_logger(
        lines,
        processors=[
            structlog.processors.add_log_level,
            RateLimit(clock),
            _Stamp(clock),
            structlog.processors.format_exc_info,
            redact,
            *([_Echoing(echo)] if echo is not None else []),
            _as_line,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if debug else logging.INFO),
        cache_logger_on_first_use=False,
    )
    return cast("Logger", wrapped)


class _QuietFile(logging.handlers.RotatingFileHandler):
    """A full disk loses lines, and says nothing on stderr for each."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Nothing."""


class _Lines:
    """Writes lines to a rotating file. A full disk loses lines and never stops the service."""

    def __init__(self, file: logging.handlers.RotatingFileHandler) -> None:
        self._file = file
        self._file.setFormatter(logging.Formatter("%(message)s"))

    def msg(self, text: str) -> None:
        """One line."""
        self._file.handle(logging.LogRecord("tagsight", logging.INFO, "", 0, text, None, None))

    debug = info = warning = error = critical = exception = msg

    def close(self) -> None:
        """Release the file."""
        self._file.close()


class _Libraries(logging.Handler):
    """Takes the warnings of libraries into a log; the event is the name of their logger."""

    def __init__(self, log: Logger) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """One record, with its traceback if it has one."""
        with suppress(Exception):  # a library's log line that cannot be formatted
            self._log.warning(record.name, message=record.getMessage(), exc_info=record.exc_info)


@dataclass
class _Stamp:
    clock: Clock

    def __call__(self, _logger: Any, _name: str, event: _Event) -> _Event:
        now = self.clock.now_ns()
        event["time"] = _local(now, UTC).isoformat(timespec="milliseconds")
        event["time_ns"] = now
        return event


@dataclass
class _Echoing:
    echo: Echo

    def __call__(self, _logger: Any, _name: str, event: _Event) -> _Event:
        with suppress(OSError, ValueError):  # nobody listens any more, or cannot show a character
            self.echo.say(readable(event, self.echo.timezone))
        return event


def readable(event: Mapping[str, Any], timezone: tzinfo) -> str:
    """One line for people: local time, level, event, message, and what else there is; no traceback."""
    when = _local(event.get("time_ns", 0), timezone).strftime("%Y-%m-%d %H:%M:%S %Z")
    message = event.get("message", "")
    others = [f"{key}={value}" for key, value in event.items() if key not in _SHOWN_OTHERWISE and value is not None]
    text = f"{when} {event.get('level', 'info'):7} {event.get('event', '')}{f': {message}' if message else ''}"
    return " ".join("; ".join([text, *others]).splitlines())


def _local(time_ns: int, timezone: tzinfo) -> datetime:
    return datetime.fromtimestamp(time_ns // 1_000_000 / 1_000, tz=timezone)


@dataclass
class RateLimit:
    """At most `PER_MINUTE` lines of an event in a minute; the next line after that says how many were left out."""

    clock: Clock
    per_minute: int = PER_MINUTE
    _seen: dict[str, "_Window"] = field(default_factory=dict)

    def __call__(self, _logger: Any, _name: str, event: _Event) -> _Event:
        """Let pass, or raise `structlog.DropEvent`."""
        now = self.clock.monotonic()
        name = str(event.get("event", ""))[:200]
        window = self._seen.get(name)
        if window is None:
            if len(self._seen) >= MOST_EVENTS:
                self._seen.clear()
            window = self._seen[name] = _Window(now)
        if now - window.began >= 60.0:
            if window.left_out:
                event["left_out"] = window.left_out
            self._seen[name] = window = _Window(now)
        window.passed += 1
        if window.passed > self.per_minute:
            window.left_out += 1
            raise structlog.DropEvent
        return event


@dataclass
class _Window:
    began: float
    passed: int = 0
    left_out: int = 0


def redact(_logger: Any, _name: str, event: _Event) -> _Event:
    """Replace values under names of secrets, passwords in URLs and `password=...` in texts, at any depth."""
    return {key: _without_secrets(key, value) for key, value in event.items()}


def _without_secrets(key: str, value: Any) -> Any:
    if _SECRET_KEY.search(key):
        return REDACTED
    if isinstance(value, Mapping):
        return {str(name): _without_secrets(str(name), inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_without_secrets("", inner) for inner in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return _clean(str(value))


def _clean(text: str) -> str:
    text = _SECRET_IN_URL.sub(rf"\1:{REDACTED}@", text[:LONGEST_VALUE])
    return _SECRET_IN_TEXT.sub(rf"\1\2{REDACTED}", text)


def _as_line(_logger: Any, _name: str, event: _Event) -> str:
    first = {key: event[key] for key in ("time", "level", "event", "message") if key in event}
    return json.dumps({**first, **event}, ensure_ascii=False, default=str)
