"""The plant's historian: our OPC UA server over the recording, and the feed that appends a plant minute each second.

Both run in the event loop of the demo; TagSight itself runs in processes of its own and sees only the server.
"""

import asyncio
import hmac
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tagsight.clocks import SECOND, Clock
from tagsight.demo.plant import Plant, next_onset
from tagsight_connectors.opcua.embedded import PLANT_NAMESPACE, EmbeddedHistorian
from tagsight_connectors.opcua.memory_source import MemorySource
from tagsight_connectors.opcua.server_settings import ServerSettings
from tagsight_connectors.serving import UserRole

USER: Final = "tagsight"
HOST: Final = "127.0.0.1"


@dataclass
class Feed:
    """Appends one plant minute for every second of the clock, stamped with it; never one ahead, none left out."""

    plant: Plant
    source: MemorySource
    clock: Clock
    live_from_ns: int
    onset: int | None = None
    minute: int = 0
    """The next one to append."""

    def catch_up(self) -> None:
        """Append what is due."""
        while (at := self.time_of(self.minute)) <= self.clock.now_ns():
            self.source.append(self.plant.live(self.minute, at, self.onset))
            self.minute += 1

    def inject(self) -> int:
        """Let the fault begin at the next possible minute; its source time."""
        self.onset = next_onset(self.minute)
        return self.time_of(self.onset)

    def time_of(self, minute: int) -> int:
        """Source time of a live minute."""
        return self.live_from_ns + minute * SECOND

    async def run(self) -> None:
        """For ever."""
        while True:
            self.catch_up()
            wait_ns = self.time_of(self.minute) - self.clock.now_ns()
            await asyncio.sleep(max(wait_ns, 0) / SECOND)


@dataclass
class PlantHistorian:
    """The server, its feed, and the password that it made up for its one user."""

    folder: Path
    clock: Clock
    plant: Plant = field(default_factory=Plant)
    password: str = field(default_factory=lambda: secrets.token_urlsafe(18), repr=False)
    server: EmbeddedHistorian = field(init=False)
    feed: Feed = field(init=False)

    def __post_init__(self) -> None:
        live_from_ns = self.clock.now_ns() // SECOND * SECOND
        source = MemorySource(self.plant.variables(), self.plant.history(live_from_ns))
        settings = ServerSettings(
            host=HOST,
            port=0,
            certificates=self.certificates,
            application_uri="urn:tagsight:demo:plant",
            namespace_uri=PLANT_NAMESPACE,
            product_name="Plant historian of the demo",
        )
        self.server = EmbeddedHistorian(source, settings, self._authenticate, self.clock)
        self.feed = Feed(self.plant, source, self.clock, live_from_ns)

    @property
    def certificates(self) -> Path:
        """Its own certificate and those of the clients that it trusts."""
        return self.folder / "certificates"

    @asynccontextmanager
    async def live(self) -> AsyncIterator[None]:
        """Serve and feed."""
        async with self.server:
            feeding = asyncio.create_task(self.feed.run())
            try:
                yield
            finally:
                feeding.cancel()

    def _authenticate(self, user: str, password: str) -> UserRole | None:
        known = user == USER and hmac.compare_digest(password.encode(), self.password.encode())
        return UserRole.OPERATOR if known else None
