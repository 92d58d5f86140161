"""The seam between a subscription and whoever keeps what it brings: values as they come, and what is lost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tagsight_connectors.historian import Historian
from tagsight_connectors.history import TagHistory


@dataclass(frozen=True, slots=True)
class Arrived:
    """Values of one tag, in the order in which they came.

    Attributes:
        address: of the tag.
        history: of them; the first ever is the value that was current when the subscription began.
        lost: others before or among them were discarded, because the server's queue was full.
        sampled: the server looks at the tag from time to time; of several changes between it tells the last alone.
    """

    address: str
    history: TagHistory
    lost: bool = False
    sampled: bool = False


class Receiver(Protocol):
    """Who keeps the values. Called from the event loop; returns at once and never raises."""

    def receive(self, arrived: Sequence[Arrived], until_ns: int) -> None:
        """Values, or none (a sign of life); `until_ns`: the server's time when it sent them, UTC ns."""


class LiveSubscription(Protocol):
    """Values as they change, until it fails or is closed. Nothing is missing in what arrives, or `lost` says so."""

    @property
    def failure(self) -> str:
        """Why nothing arrives any more, in words; "" while the server gives signs of life."""

    async def watch(self, addresses: Sequence[str]) -> Mapping[str, str]:
        """Begin to watch; address -> why not, of those that the server refuses. Raises HistorianError."""

    async def close(self) -> None:
        """End it, also on the server."""


class LiveSource(Historian, Protocol):
    """A historian that also tells values as they change."""

    async def subscribe(self, receiver: Receiver) -> LiveSubscription:
        """Begin a subscription without any tag. Raises HistorianError; NotConnected without a session.

        It ends with the session: after `connect` it is begun again by whoever wants it.
        """

    async def without_history(self, addresses: Sequence[str]) -> Sequence[str]:
        """Those of the addresses whose history may not be read, or that have none."""
