"""The seam between TagSight and a historian: one Protocol, its laws in words."""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from tagsight_connectors.aggregates import STANDARD, Aggregate, AggregateConfiguration, ProcessedHistory
from tagsight_connectors.history import Page, Sample, Span, Times, WriteOutcome
from tagsight_connectors.tag import Tag


@dataclass(frozen=True, slots=True)
class Description:
    """What a historian says about itself once connected. Shown by `probe`.

    Attributes:
        url: where we are connected.
        product: name and version, "" if unknown.
        security: for instance "Basic256Sha256 SignAndEncrypt, user tagsight"; "" for files and memory.
        certificate: thumbprint (SHA-1, hex) of the server's certificate, "" if none.
        certificate_expires_ns: UTC ns, None if there is no certificate.
        server_time_ns: the historian's clock when asked, UTC ns; None where it has none of its own (files).
        history: what it says of its history, in words, which decides nothing; "" where it says nothing.
        service_level: 0 to 255 (OPC 10000-4, 6.6.2); None where it tells none.
    """

    url: str
    product: str = ""
    security: str = ""
    certificate: str = ""
    certificate_expires_ns: int | None = None
    server_time_ns: int | None = None
    service_level: int | None = None
    history: str = ""


class Historian(Protocol):
    """A source of histories and, where it allows it, a destination of results.

    Laws, held by the contract tests for every implementation:

    * `connect` is called first, and again after any `NotConnected`, by one owner with back-off; it never retries
      by itself. `close` may be called at any time, more than once, and releases everything, also on the server.
    * Every method may raise any `HistorianError`, and nothing else. After `NotConnected` the object is usable
      again once `connect` has returned.
    * Nothing here writes except `write`, and that only to addresses of the accepted list it was built with.
    * Source times are UTC ns. Order, duplicates and qualities of the historian are kept; nothing is filled in.
    * Every call ends: by its result, or by an error within the connection's timeout for each request.
    """

    async def connect(self) -> None:
        """Open one session. Raises NotConnected, AccessRefused."""

    async def close(self) -> None:
        """End the session and release what the server holds for it."""

    async def describe(self) -> Description:
        """Who is there, how we are connected, and what time it is there."""

    def browse(self, pattern: str = "*") -> AsyncIterator[Tag]:
        """Tags whose path or address matches.

        `*` matches within one level, `**` any number of levels, `?` one character; an address
        (`nsu=...;s=...` or `ns=2;s=...`) names itself. The order is stable between calls. A pattern without match
        yields nothing; the caller decides whether that is an error.
        """

    def read_raw(self, addresses: Sequence[str], span: Span) -> AsyncIterator[Page]:
        """Every stored value with `span.start_ns <= source time < span.end_ns`, in pages.

        Memory is bounded by pages, not by the span. A tag without values yields no page. When the iterator ends
        without an error, the read was complete for all addresses; otherwise `IncompleteRead` or `UnknownTag`
        says what is missing. Leaving the iterator early (`aclose`) releases continuation points.
        """

    async def read_processed(
        self,
        addresses: Sequence[str],
        span: Span,
        aggregate: Aggregate,
        interval_ns: int,
        *,
        configuration: AggregateConfiguration = STANDARD,
        own: Collection[str] = (),
    ) -> ProcessedHistory:
        """One aggregate of each address: a value for each interval of `span`, stamped with the interval's start.

        Intervals are `[start, start + interval_ns)`; the last one ends with the span. The historian computes where it
        can, else TagSight does, by the same rules; the result says who did; `own`: addresses for which TagSight shall
        compute in any case. Every interval has a value: NaN with
        Bad_NoData where there were none, so an empty history is no error. Bounding values are looked for as far as
        `aggregates.rows.search_ns` says. Raises UnknownTag; Unsupported for text where numbers are needed; ValueError
        for an interval without length.
        """

    async def read_at_times(
        self, addresses: Sequence[str], times: Times, *, configuration: AggregateConfiguration = STANDARD
    ) -> ProcessedHistory:
        """The value of each address at each of `times`, in their order: stored or interpolated, or Bad_NoData."""

    async def read_current(self, addresses: Sequence[str]) -> Sequence[Sample]:
        """The newest value of each address, in the order asked; an unknown address has a Bad status, no error."""

    async def write(self, samples: Sequence[Sample]) -> Sequence[WriteOutcome]:
        """Store samples; one outcome for each, in order. Update semantics: writing the same again is harmless.

        A refused sample is an outcome, not an error. Raises WriteNotAllowed before anything is sent when one
        address is not in the accepted list.
        """
