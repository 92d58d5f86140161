"""The index by which FUXA asks our own server for the outputs."""

from pathlib import Path

from tagsight.clocks import SystemClock
from tagsight.heartbeat import HeartbeatFile, PluginStatus
from tagsight.inbox import Inbox
from tagsight.ledger.bindings import BoundModel
from tagsight.ledger.ledger import Ledger
from tagsight.served_alarms import LedgerAlarms
from tagsight.served_results import LedgerSource
from tagsight.served_types import served_types
from tagsight.tag_list import SERVER_INDEX, SERVER_NAMESPACE
from tagsight.tag_server import APPLICATION_URI
from tagsight_connectors.opcua.server import TagServer
from tagsight_connectors.opcua.server_settings import ServerSettings


async def test_the_outputs_have_always_the_same_index_of_namespace(tmp_path: Path) -> None:
    clock, heartbeat = SystemClock(), HeartbeatFile(tmp_path / "heartbeat")
    heartbeat.write(PluginStatus(1, clock.now_ns()))
    with (
        Ledger.open(tmp_path / "ledger.sqlite", clock) as ledger,
        Ledger.open_reader(tmp_path / "ledger.sqlite", clock) as reader,
        Inbox.open(tmp_path / "inbox.sqlite") as inbox,
    ):
        ledger.bind(BoundModel("P101/Health", None, severity=250))
        source = LedgerSource(reader, heartbeat, inbox, clock)
        alarms = LedgerAlarms(reader, heartbeat, inbox, clock)
        settings = ServerSettings("127.0.0.1", 0, tmp_path / "certificates", APPLICATION_URI, types=served_types())
        async with TagServer(source, settings, lambda _user, _password: None, clock, alarms) as server:
            assert (await server._server.get_namespace_array())[SERVER_INDEX] == SERVER_NAMESPACE
