"""A service without connections, its tag server, and an operator's HMI that somebody else wrote.

The ledger, the inbox, the recorder and the server are ours and real; scores are given, one a minute.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import ZoneInfo

from tagsight.clocks import SystemClock
from tagsight.heartbeat import HeartbeatFile, PluginStatus
from tagsight.inbox import Inbox
from tagsight.ledger.bindings import BoundModel
from tagsight.ledger.ledger import Ledger
from tagsight.ledger.records import TickRecord
from tagsight.operating import Operators
from tagsight.outputs import explanation_row
from tagsight.plan import ModelPlan
from tagsight.recording import Recorder
from tagsight.results import ExplanationResult, RoleResult, Run
from tagsight.scoring_task import ScoredRun
from tagsight.served_alarms import LedgerAlarms
from tagsight.served_results import LedgerSource
from tagsight.served_types import served_types
from tagsight_connectors.opcua.server import TagServer
from tagsight_connectors.opcua.server_settings import ServerSettings
from tagsight_connectors.quality import GOOD
from tagsight_connectors.serving import UserRole
from tests.interop.foreign_client import ForeignClient, node_client
from tests.plugin.small_site import MINUTE, START, plan_of

PLAN = replace(plan_of("P101"), alarm=replace(plan_of("P101").alarm, on_delay_ns=MINUTE, off_delay_ns=MINUTE))
MODEL = PLAN.key
URI = "urn:tagsight:results"
CONDITION = f"nsu={URI};s={MODEL}/Condition"
LOOK_S = 0.1


@dataclass
class Site:
    """A service without connections, its tag server, and an operator's HMI."""

    ledger: Ledger
    operators: Operators
    recorder: Recorder
    heartbeat: HeartbeatFile
    server: TagServer
    client: ForeignClient
    minute: int = 0

    def score(self, *scores: float, plan: ModelPlan = PLAN) -> None:
        for score in scores:
            run = Run(MODEL, START + self.minute * MINUTE, 1, score, GOOD)
            made = self.recorder.record(plan, MINUTE, [ScoredRun(run)])
            self.ledger.record(TickRecord(runs=made.runs, rows=made.rows, activations=made.activations))
            self.minute += 1

    def explain(self) -> None:
        found = self.recorder.standing(PLAN)
        assert found is not None
        role = RoleResult("Flow", 60.0, 50.0, 45.0, 55.0)
        explained = ExplanationResult(0.0, {"Flow": found[0].score or 0.0}, {})
        row = explanation_row(replace(found[0], roles=(role,), explanation=explained), found[1])
        self.ledger.record(TickRecord(rows=[row]))

    async def work(self) -> None:
        """What the service does all the time."""
        beats = 0
        while True:
            beats += 1
            now_ns = SystemClock().now_ns()
            self.heartbeat.write(PluginStatus(beats, now_ns))
            self.operators.apply()
            self.operators.end_shelvings(now_ns)
            await asyncio.sleep(LOOK_S)


@asynccontextmanager
async def served_site(node_modules: Path, tmp_path: Path) -> AsyncIterator[Site]:
    clock, heartbeat = SystemClock(), HeartbeatFile(tmp_path / "heartbeat")
    heartbeat.write(PluginStatus(1, clock.now_ns()))
    async with AsyncExitStack() as stack:
        writer = stack.enter_context(Ledger.open(tmp_path / "ledger.sqlite", clock))
        reader = stack.enter_context(Ledger.open_reader(tmp_path / "ledger.sqlite", clock))
        inbox = stack.enter_context(Inbox.open(tmp_path / "inbox.sqlite"))
        writer.bind(BoundModel(MODEL, None, severity=250))
        source = LedgerSource(reader, heartbeat, inbox, clock)
        alarms = LedgerAlarms(reader, heartbeat, inbox, clock)
        settings = ServerSettings("127.0.0.1", 0, tmp_path / "certificates", "urn:tagsight:server", poll_s=LOOK_S)
        settings = replace(settings, types=served_types())
        server = TagServer(source, settings, lambda _user, _password: UserRole.OPERATOR, clock, alarms)
        await stack.enter_async_context(server)
        client = await stack.enter_async_context(
            node_client(
                node_modules, tmp_path, server.url, server.certificate.certificate,
                user="olga", password="olga-secret", certificates=tmp_path / "certificates",
            )
        )  # fmt: skip
        recorder = Recorder(writer, ZoneInfo("UTC"))
        operators = Operators({MODEL: PLAN}, writer, inbox, recorder, {}, lambda _what, _words: None)
        site = Site(writer, operators, recorder, heartbeat, server, client)
        working = asyncio.create_task(site.work())
        try:
            yield site
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
