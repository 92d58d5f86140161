"""What strangers and hostile clients get from our server: nothing but discovery, and no harm to the polite ones."""

import asyncio
import struct
from contextlib import suppress
from typing import Any

import psutil
import pytest
from asyncua import Client, ua
from asyncua.crypto.security_policies import SecurityPolicy, SecurityPolicyBasic256Sha256
from asyncua.ua.ua_binary import struct_to_binary

from tagsight_connectors.opcua import limits
from tagsight_connectors.opcua.endpoints import POLICIES, policy_name
from tagsight_connectors.opcua.trust import TrustList
from tests.connectors.opcua.raw_peer import raw_peer
from tests.connectors.opcua.served_plant import CLIENT_URI, Plant

pytestmark = pytest.mark.asyncio(loop_scope="module")

Codes = ua.StatusCodes
FIVE_BYTES = bytes.fromhex("c0c0160014")
MEGABYTE = 1024 * 1024
EVERY_POLICY = pytest.mark.parametrize("policy", POLICIES.values(), ids=lambda policy: policy_name(policy.URI))


REFUSED = [
    pytest.param(ua.CreateSessionRequest(), id="CreateSession"),
    pytest.param(ua.ActivateSessionRequest(), id="ActivateSession"),
    pytest.param(ua.ReadRequest(), id="Read"),
    pytest.param(ua.WriteRequest(), id="Write"),
    pytest.param(ua.BrowseRequest(), id="Browse"),
    pytest.param(ua.HistoryReadRequest(), id="HistoryRead"),
    pytest.param(ua.CallRequest(), id="Call"),
    pytest.param(ua.AddNodesRequest(), id="AddNodes"),
    pytest.param(ua.CreateSubscriptionRequest(), id="CreateSubscription"),
    pytest.param(ua.RegisterServerRequest(), id="RegisterServer"),
    pytest.param(ua.RegisterServer2Request(), id="RegisterServer2"),
]


@pytest.mark.parametrize("request_", REFUSED)
async def test_a_peer_without_a_channel_is_cut_off(plant: Plant, request_: Any) -> None:
    async with raw_peer(plant.server.port) as peer:
        assert await peer.hello() is not None
        assert await peer.ask(request_) is None


@pytest.mark.parametrize("request_", REFUSED)
async def test_a_peer_without_security_is_refused_every_service(plant: Plant, request_: Any) -> None:
    async with raw_peer(plant.server.port) as peer:
        await peer.hello()
        await peer.open_without_security()
        assert await peer.ask(request_) in {Codes.BadSecurityModeInsufficient, Codes.BadServiceUnsupported}


async def test_discovery_passes_without_security_and_offers_only_encryption(plant: Plant) -> None:
    endpoints = await Client(plant.server.url).connect_and_get_server_endpoints()
    assert {endpoint.SecurityMode for endpoint in endpoints} == {ua.MessageSecurityMode.SignAndEncrypt}
    tokens = {token.TokenType for endpoint in endpoints for token in endpoint.UserIdentityTokens}
    assert tokens == {ua.UserTokenType.UserName}


async def test_a_client_library_without_security_gets_no_session(plant: Plant) -> None:
    client = Client(plant.server.url)
    client.set_user("olga")
    client.set_password("olga-secret")
    with pytest.raises((ua.UaError, ConnectionError)):
        await client.connect()


async def test_anonymous_clients_are_refused(plant: Plant) -> None:
    with pytest.raises(ua.UaError):
        async with plant.client(user=""):
            pass


async def test_a_wrong_password_is_refused(plant: Plant) -> None:
    with pytest.raises(ua.uaerrors.BadUserAccessDenied):
        async with plant.client(password="guess"):
            pass


async def test_an_untrusted_certificate_is_refused_and_kept_for_the_engineer(plant: Plant) -> None:
    stranger = plant.own("stranger")
    with pytest.raises((ua.UaError, ConnectionError, TimeoutError)):
        async with plant.client(certificate=stranger):
            pass
    rejected = [entry.thumbprint for entry in TrustList(plant.folder / "server").list() if entry.place == "rejected"]
    assert rejected == [stranger.thumbprint]


async def test_signing_without_encryption_is_refused(plant: Plant) -> None:
    client, own = Client(plant.server.url), plant.own()
    client.application_uri = CLIENT_URI
    await client.set_security(
        SecurityPolicyBasic256Sha256,
        str(own.certificate),
        str(own.key),
        server_certificate=str(plant.server.certificate.certificate),
        mode=ua.MessageSecurityMode.Sign,
    )
    with pytest.raises((ua.UaError, ConnectionError, TimeoutError)):
        await client.connect()


async def test_an_application_that_is_not_its_certificates_is_refused(plant: Plant) -> None:
    async with plant.client() as client:
        await client.disconnect()
        client.application_uri = "urn:somebody:else"
        with pytest.raises(ua.uaerrors.BadCertificateUriInvalid):
            await client.connect()


async def test_guessing_passwords_stops_being_answered(tmp_path: Any) -> None:
    plant = Plant(tmp_path)
    plant.trust(plant.own())
    async with plant.make_server():
        for _ in range(limits.SERVER_LOGIN_FAILURES):
            with pytest.raises(ua.uaerrors.BadUserAccessDenied):
                async with plant.client(password="guess"):
                    pass
        with pytest.raises(ua.uaerrors.BadUserAccessDenied):
            async with plant.client():
                pass


@EVERY_POLICY
async def test_the_five_bytes_that_hang_asyncua_are_answered_at_once(
    plant: Plant, policy: type[SecurityPolicy]
) -> None:
    async with plant.client(policy=policy) as client:
        node = await plant.node(client, "Plant/P101/Feedback")
        write = ua.WriteValue(NodeId=node.nodeid, AttributeId=ua.AttributeIds.Value)
        write.Value = ua.DataValue(ua.Variant(b"*" * 32, ua.VariantType.ByteString))
        request = ua.WriteRequest(Parameters=ua.WriteParameters(NodesToWrite=[write]))
        request.RequestHeader.AuthenticationToken = client.uaclient.protocol.authentication_token
        honest = struct_to_binary(request)
        hostile = honest.replace(bytes((15,)) + struct.pack("<i", 32) + b"*" * 32, FIVE_BYTES)
        assert len(hostile) < len(honest)
        with pytest.raises(ua.uaerrors.BadDecodingError):
            await send_bytes(client, hostile)
        assert await node.read_data_value(raise_on_bad_status=False) is not None


async def send_bytes(client: Client, body: bytes) -> None:
    """Send a request as these bytes through an encrypted channel, and raise what is answered."""
    protocol = client.uaclient.protocol
    number = protocol._request_id = protocol._request_id + 1
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    protocol._callbackmap[number] = future
    protocol.transport.write(protocol._connection.message_to_binary(body, request_id=number))
    answer = await asyncio.wait_for(future, 10)
    ua.ua_binary.nodeid_from_binary(answer)
    ua.ua_binary.struct_from_binary(ua.ResponseHeader, answer).ServiceResult.check()


@pytest.mark.parametrize("secure_first", [False, True], ids=["no channel", "channel without security"])
async def test_a_flood_of_chunks_keeps_memory_and_the_polite_reader_alive(plant: Plant, secure_first: bool) -> None:  # noqa: FBT001
    async with plant.client() as client:
        speed = await plant.node(client, "Plant/P101/Speed")
        before = psutil.Process().memory_info().rss
        floods = [asyncio.create_task(flood(plant.server.port, secure_first)) for _ in range(30)]
        while not all(task.done() for task in floods):
            assert await asyncio.wait_for(speed.read_value(), 10) == 999.0
        await asyncio.gather(*floods)
        assert psutil.Process().memory_info().rss - before < 50 * MEGABYTE


async def flood(port: int, secure_first: bool) -> None:  # noqa: FBT001
    """Intermediate chunks that never end, up to 10 MB."""
    async with raw_peer(port) as peer:
        await peer.hello()
        if secure_first:
            await peer.open_without_security()
        try:
            for _ in range(160):
                await peer.send_message(bytes(65_000), b"C")
        except ConnectionError:
            return
        answer = await peer.receive()
        assert answer is None or answer[0] == b"ERR"


@EVERY_POLICY
@pytest.mark.parametrize("signed_in", [False, True], ids=["no session", "a session"])
async def test_a_flood_through_a_secured_channel_is_cut_off(
    plant: Plant,
    policy: type[SecurityPolicy],
    signed_in: bool,  # noqa: FBT001
) -> None:
    async with plant.client() as polite:
        speed = await plant.node(polite, "Plant/P101/Speed")
        before = psutil.Process().memory_info().rss
        flooder = await plant.make_client(policy=policy)
        await (flooder.connect() if signed_in else flooder.connect_sessionless())
        protocol = flooder.uaclient.protocol
        transport = protocol.transport
        transport.write(protocol._connection.message_to_binary(bytes(6 * MEGABYTE), request_id=4_711))
        assert await asyncio.wait_for(speed.read_value(), 10) == 999.0
        while not transport.is_closing():  # noqa: ASYNC110 - asyncua has no event for it; pytest's deadline holds
            await asyncio.sleep(0.01)
        with suppress(ua.UaError, ConnectionError, TimeoutError):
            await flooder.disconnect()
        assert psutil.Process().memory_info().rss - before < 50 * MEGABYTE


@pytest.mark.parametrize(
    "hostile",
    [
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="another protocol"),
        pytest.param(b"MSGF" + struct.pack("<I", 0xFFFFFFFF), id="a chunk of 4 GB"),
        pytest.param(b"HELF" + struct.pack("<I", 8), id="an empty Hello"),
        pytest.param(b"HELF" + struct.pack("<I", 32) + bytes(24), id="a Hello without buffers"),
        pytest.param(b"OPNF" + struct.pack("<I", 32) + bytes(24), id="no Hello"),
        pytest.param(b"ERRF" + struct.pack("<I", 32) + bytes(24), id="an error"),
    ],
)
async def test_nonsense_ends_the_connection(plant: Plant, hostile: bytes) -> None:
    async with raw_peer(plant.server.port) as peer:
        peer.writer.write(hostile)
        answer = await peer.receive()
        assert answer is None or answer[0] == b"ERR"


@EVERY_POLICY
async def test_the_budget_of_subscriptions_holds(plant: Plant, policy: type[SecurityPolicy]) -> None:
    class Sink:
        def datachange_notification(self, *_: object) -> None:
            pass

    async with plant.client(policy=policy) as client:
        for _ in range(limits.SERVER_SUBSCRIPTIONS_PER_SESSION):
            await client.create_subscription(60_000, Sink())
        with pytest.raises(ua.uaerrors.BadTooManySubscriptions):
            await client.create_subscription(60_000, Sink())


async def test_the_budget_of_connections_holds(plant: Plant) -> None:
    peers = [await asyncio.open_connection("127.0.0.1", plant.server.port) for _ in range(60)]
    reads = [reader.read(1) for reader, _ in peers[limits.SERVER_CONNECTIONS_PER_ADDRESS :]]
    for ended in await asyncio.gather(*reads, return_exceptions=True):
        assert ended == b"" or isinstance(ended, ConnectionError)
    for _, writer in peers:
        writer.close()
    await asyncio.gather(*(writer.wait_closed() for _, writer in peers), return_exceptions=True)


async def test_a_client_cannot_touch_another_clients_subscription(plant: Plant) -> None:
    class Sink:
        def datachange_notification(self, *_: object) -> None:
            pass

    async with plant.client("olga") as victim, plant.client("erik") as other:
        subscription = await victim.create_subscription(1_000, Sink())
        (answer,) = await other.uaclient.delete_subscriptions([subscription.subscription_id])
        assert answer.value == Codes.BadSubscriptionIdInvalid
        await subscription.delete()


async def test_a_request_that_asks_too_much_is_refused(plant: Plant) -> None:
    async with plant.client() as client:
        node = (await plant.node(client, "Plant/P101/Speed")).nodeid
        browse = ua.BrowseParameters(NodesToBrowse=[ua.BrowseDescription(NodeId=node)] * 101)
        with pytest.raises(ua.uaerrors.BadTooManyOperations):
            await client.uaclient.browse(browse)


async def test_a_flood_of_nonsense_writes_few_log_lines(plant: Plant, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(100):
        async with raw_peer(plant.server.port) as peer:
            peer.writer.write(b"GET / HTTP/1.1\r\n\r\n")
            await peer.receive()
    assert len(caplog.records) <= 2 * limits.LOG_LINES_PER_MINUTE  # a minute may end in between
