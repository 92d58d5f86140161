"""Subscribers for the burst benchmark: asyncua's client, node-opcua's, and a bare one that decodes nothing.

All of them connect with SignAndEncrypt and a user's password. The bare one decrypts each answer and reads from it no
more than how many values it has, so that its figure is about the server.
"""

import asyncio
import os
import statistics
import struct
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from shutil import which
from typing import Any, Protocol

from asyncua import Client, ua
from asyncua.common.utils import Buffer
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256
from asyncua.ua.ua_binary import struct_from_binary, struct_to_binary
from platformdirs import user_cache_path

from tagsight_connectors.opcua.certificates import OwnCertificate
from tagsight_connectors.opcua.publishing import DATA_CHANGE
from tagsight_connectors.opcua.wire import WireReader
from tests.interop.foreign_client import node_client

PUBLISHING_MS = 100.0
ITEMS_AT_ONCE = 1_000
USER, PASSWORD = "hmi", "password-of-this-benchmark"
CLIENT_URI = "urn:benchmark:hmi"
REQUESTS_WAITING = 5
DEADLINE_S = 120.0


class Subscriber(Protocol):
    """Who hears of the changes."""

    async def become(self, count: int) -> None:
        """Wait until so many values of the bursts were heard."""


class Changes:
    """What asyncua's subscription calls; values from `least` on count."""

    def __init__(self, least: float) -> None:
        self.least = least
        self.count = 0
        self.wanted = 0
        self.reached = asyncio.Event()

    def datachange_notification(self, _node: Any, value: float, _data: Any) -> None:
        """One value."""
        self.heard(value is not None and value >= self.least)

    def heard(self, count: int) -> None:
        """So many more."""
        self.count += count
        if self.count >= self.wanted:
            self.reached.set()

    async def become(self, count: int) -> None:
        """Wait until so many were heard."""
        self.wanted = count
        self.reached.clear()
        if self.count < count:
            await asyncio.wait_for(self.reached.wait(), DEADLINE_S)


@asynccontextmanager
async def connected(url: str, server: Path, own: OwnCertificate) -> AsyncIterator[Client]:
    """asyncua's client with a session."""
    client = Client(url, timeout=60, watchdog_intervall=60)
    client.application_uri = CLIENT_URI
    client.set_user(USER)
    client.set_password(PASSWORD)
    keys = {"server_certificate": str(server)}
    await client.set_security(SecurityPolicyBasic256Sha256, str(own.certificate), str(own.key), **keys)
    async with client:
        yield client


@asynccontextmanager
async def by_asyncua(
    url: str, server: Path, own: OwnCertificate, watched: Sequence[str], least: float
) -> AsyncIterator[Subscriber]:
    """asyncua's client with its subscription."""
    async with connected(url, server, own) as client:
        changes = Changes(least)
        subscription = await client.create_subscription(PUBLISHING_MS, changes)
        namespace = await client.get_namespace_index("urn:tagsight:results")
        nodes = [client.get_node(ua.NodeId(name, namespace)) for name in watched]
        for first in range(0, len(nodes), ITEMS_AT_ONCE):
            await subscription.subscribe_data_change(nodes[first : first + ITEMS_AT_ONCE], queuesize=10)
        yield changes
        print(f"  asyncua's client alone, on such a notification: {await alone(subscription):.2f} s")


async def alone(subscription: Any) -> float:
    """Seconds that asyncua's client needs to decode and hand over one value of each item; the median of several."""
    now = ua.uatypes.datetime.now(ua.uatypes.timezone.utc)
    value = ua.DataValue(ua.Variant(0.0, ua.VariantType.Double), SourceTimestamp=now, ServerTimestamp=now)
    items = [ua.MonitoredItemNotification(handle, value) for handle in subscription._monitored_items]
    response = ua.PublishResponse()
    response.Parameters.NotificationMessage.NotificationData = [ua.DataChangeNotification(MonitoredItems=items)]
    body, seconds = struct_to_binary(response), []
    for _ in range(3):
        started = time.perf_counter()
        decoded = struct_from_binary(ua.PublishResponse, Buffer(body))
        await subscription.publish_callback(decoded.Parameters)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


@asynccontextmanager
async def bare(url: str, server: Path, own: OwnCertificate, watched: Sequence[str]) -> AsyncIterator[Subscriber]:
    """asyncua's channel and session; the answers to Publish are only decrypted."""
    async with connected(url, server, own) as client:
        namespace = await client.get_namespace_index("urn:tagsight:results")
        parameters = ua.CreateSubscriptionParameters(
            RequestedPublishingInterval=PUBLISHING_MS, RequestedLifetimeCount=1_000, RequestedMaxKeepAliveCount=20,
            PublishingEnabled=True,
        )  # fmt: skip
        body = await ask(client, ua.CreateSubscriptionRequest(Parameters=parameters))
        number = struct_from_binary(ua.CreateSubscriptionResponse, Buffer(body)).Parameters.SubscriptionId
        for first in range(0, len(watched), ITEMS_AT_ONCE):
            names = watched[first : first + ITEMS_AT_ONCE]
            items = [_item(ua.NodeId(name, namespace), first + at) for at, name in enumerate(names)]
            await ask(client, ua.CreateMonitoredItemsRequest(Parameters=_items(number, items)))
        changes = Changes(0.0)
        listening = [asyncio.create_task(_listen(client, changes)) for _ in range(REQUESTS_WAITING)]
        await changes.become(len(watched))  # what there was at the start
        changes.count = 0
        yield changes
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)


def _item(node: ua.NodeId, handle: int) -> ua.MonitoredItemCreateRequest:
    wanted = ua.MonitoringParameters(ClientHandle=handle, SamplingInterval=0.0, QueueSize=10, DiscardOldest=True)
    read = ua.ReadValueId(NodeId=node, AttributeId=ua.AttributeIds.Value)
    return ua.MonitoredItemCreateRequest(
        ItemToMonitor=read, MonitoringMode=ua.MonitoringMode.Reporting, RequestedParameters=wanted
    )


def _items(subscription: int, items: list[Any]) -> ua.CreateMonitoredItemsParameters:
    both = ua.TimestampsToReturn.Both
    return ua.CreateMonitoredItemsParameters(SubscriptionId=subscription, TimestampsToReturn=both, ItemsToCreate=items)


async def ask(client: Client, request: Any) -> bytes:
    """The decrypted answer to one request."""
    return bytes(await client.uaclient.protocol.send_request(request, DEADLINE_S))


async def _listen(client: Client, changes: Changes) -> None:
    acknowledged: list[ua.SubscriptionAcknowledgement] = []
    while True:
        request = ua.PublishRequest()
        request.Parameters.SubscriptionAcknowledgements = acknowledged
        number, sequence, count = counted(await ask(client, request))
        acknowledged = [ua.SubscriptionAcknowledgement(number, sequence)] if count else []
        changes.heard(count)


def counted(body: bytes) -> tuple[int, int, int]:
    """Subscription, number of the message, and how many values it has."""
    reader = WireReader(body, where="Publish answer")
    reader.response_header(int(ua.ObjectIds.PublishResponse_Encoding_DefaultBinary))
    number = reader.uint32()
    reader.skip(4 * reader.array_length(4))
    reader.byte()
    sequence = reader.uint32()
    reader.int64()
    count = 0
    for _ in range(reader.array_length(3)):
        type_id, data = reader.structure()
        if type_id.Identifier == DATA_CHANGE and data is not None:
            (length,) = struct.unpack("<i", data.take(4))
            count += length
    return number, sequence, count


def node_modules() -> Path | None:
    """Where node-opcua is installed; None: nowhere."""
    cache = Path(os.environ.get("TAGSIGHT_INTEROP_CACHE") or user_cache_path("tagsight-interop"))
    modules = cache / "node" / "node_modules"
    return modules if which("node") is not None and modules.is_dir() else None


class NodeChanges:
    """What node-opcua's client counts."""

    def __init__(self, client: Any) -> None:
        self.client = client

    async def become(self, count: int) -> None:
        """Wait until so many were heard."""
        await self.client.ask("changes", count=count)


@asynccontextmanager
async def by_node_opcua(
    modules: Path, folder: Path, url: str, watched: Sequence[str], least: float
) -> AsyncIterator[Subscriber]:
    """node-opcua's client."""
    server, certificates = folder / "server" / "own" / "server.der", folder / "server"
    login = {"user": USER, "password": PASSWORD}
    async with node_client(modules, folder, url, server, certificates=certificates, **login) as client:
        names = [f"nsu=urn:tagsight:results;s={name}" for name in watched]
        await client.ask("watch", nodes=names, publishing_ms=PUBLISHING_MS, least=least)
        yield NodeChanges(client)
