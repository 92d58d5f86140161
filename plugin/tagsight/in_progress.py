"""Work that ends by itself before a service hands over to its successor: counted, and refused once it is shut."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class InProgress:
    """Counts what is going on."""

    _count: int = field(init=False, default=0)
    _shut: bool = field(init=False, default=False)
    _idle: asyncio.Event = field(init=False, default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._idle.set()

    @contextmanager
    def begun(self) -> Iterator[bool]:
        """False where it may not begin any more: its caller then does nothing."""
        if self._shut:
            yield False
            return
        self._count += 1
        self._idle.clear()
        try:
            yield True
        finally:
            self._count -= 1
            if not self._count:
                self._idle.set()

    async def idle(self) -> None:
        """Wait until nothing goes on; nothing has begun again when this returns."""
        while self._count:
            await self._idle.wait()

    def shut(self) -> None:
        """From now on nothing begins; what goes on goes on."""
        self._shut = True
