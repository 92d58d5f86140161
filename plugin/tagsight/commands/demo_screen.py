"""What the demo shows in the terminal: a tick for each step, and a small trend of the score."""

from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.text import Text

from tagsight.demo.viewer import Seen

if TYPE_CHECKING:
    from rich.status import Status

BARS: Final = "▁▂▃▄▅▆▇█"
TREND: Final = 40
FULL_SCALE: Final = 2.0
"""Score at the top of the trend: the limit 1.0 is in its middle."""


def trend(scores: list[float]) -> str:
    """The newest scores as bars."""
    steps = len(BARS) - 1
    return "".join(BARS[min(steps, max(0, round(score / FULL_SCALE * steps)))] for score in scores[-TREND:])


class DemoScreen:
    """Lines on a console; where that is no terminal, plain lines and no trend."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status: Status | None = None
        self._step = ""

    def begin(self, text: str) -> None:
        """A step has begun."""
        self._step = text
        if not self._console.is_terminal:
            return
        if self._status is None:
            self._status = self._console.status(text, spinner="dots")
            self._status.start()
        self._status.update(text)

    def done(self, text: str, detail: str = "") -> None:
        """The step is done."""
        self._console.print(Text.assemble("✓ ", (text, "bold")), soft_wrap=True)
        if detail:
            self._console.print(Text(f"  {detail}", style="dim"), soft_wrap=True)

    def scores(self, looks: list[Seen]) -> None:
        """The trend."""
        if self._status is None:
            return
        newest = looks[-1]
        words = Text(f"{self._step}   score ")
        words.append(trend([look.score or 0.0 for look in looks]), style="red" if newest.alarm else "")
        words.append(f" {newest.score or 0.0:.2f} (limit 1.0)")
        self._status.update(words)

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._status is not None:
            self._status.stop()
            self._status = None
