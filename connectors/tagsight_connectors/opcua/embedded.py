"""An OPC UA historian inside this process, for the demo and the tests: a guarded server over values in memory."""

from dataclasses import replace
from typing import Self

from tagsight_connectors.opcua.certificates import OwnCertificate
from tagsight_connectors.opcua.memory_source import MemorySource
from tagsight_connectors.opcua.server import TagServer
from tagsight_connectors.opcua.server_settings import Clock, ServerSettings
from tagsight_connectors.opcua.server_users import Authenticate

PLANT_NAMESPACE = "urn:plant:historian"


class EmbeddedHistorian:
    """A historian as plants have them: browsable tags with unit and range, live values, raw history, result tags.

    NodeIds are `nsu=<namespace>;s=<identifier>`; with identifiers like `Plant/P101/Speed` they read as the paths.
    Variables with `writable_by` take Write with source time and status, and keep it in their history.
    """

    def __init__(
        self, source: MemorySource, settings: ServerSettings, authenticate: Authenticate, clock: Clock
    ) -> None:
        self.source = source
        self.server = TagServer(source, replace(settings, client_times=True), authenticate, clock)

    @property
    def url(self) -> str:
        """Where clients connect; known after the start."""
        return self.server.url

    @property
    def certificate(self) -> OwnCertificate:
        """The certificate that clients must trust."""
        return self.server.certificate

    async def start(self) -> None:
        """Listen."""
        await self.server.start()

    async def stop(self) -> None:
        """Stop listening; the values stay."""
        await self.server.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
