"""Three pumps and a service without connections: ledger, inbox, recorder, tag server are real; scores are given."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
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
from tagsight.tag_server import APPLICATION_URI
from tagsight.users import Users
from tagsight_connectors.opcua.server import TagServer
from tagsight_connectors.opcua.server_settings import ServerSettings
from tagsight_connectors.opcua.trust import TrustList
from tagsight_connectors.quality import BAD, GOOD
from tagsight_connectors.serving import UserRole
from tests.plugin.small_site import MINUTE, plan_of

ASSETS = ("P101", "P102", "P103")
USER, PASSWORD = "olga", "olga-secret"
LOOK_S = 0.1
UNITS = {"Bearing temperature": "degC", "Motor current": "A", "Flow": "m3/h", "Vibration": "mm/s", "Speed": "1/min"}
NORMAL = (
    RoleResult("Bearing temperature", 88.4, 61.7, 58.0, 65.4),
    RoleResult("Motor current", 42.1, 36.9, 35.1, 38.8),
    RoleResult("Vibration", 4.6, 2.9, 2.1, 3.7),
    RoleResult("Flow", 112.0, 121.5, 117.0, 126.0),
    RoleResult("Speed", 1478.0, 1484.0, 1476.0, 1492.0),
)
SHARES = (0.55, 0.2, 0.13, 0.09, 0.03)


@dataclass
class Site:
    """What a test does to it."""

    folder: Path
    ledger: Ledger
    operators: Operators
    recorder: Recorder
    heartbeat: HeartbeatFile
    server: TagServer
    start_ns: int
    minutes: dict[str, int] = field(default_factory=dict)

    @property
    def trust(self) -> TrustList:
        """Of the tag server."""
        return TrustList(self.folder / "certificates")

    @property
    def configuration(self) -> str:
        """As the engineer would have written it."""
        listen = self.server.url.removeprefix("opc.tcp://").partition("/")[0]
        models = [f'  - {{name: Health, asset: {one}, inputs: ["{one}/*"], score: {{every: 1m}}}}' for one in ASSETS]
        head = (
            f'timezone: UTC\nhistorian: {{url: "memory://plant"}}\nresults: {{to: server, listen: "{listen}"}}\nmodels:'
        )
        return "\n".join([head, *models, ""])

    def score(self, asset: str, *scores: float) -> None:
        """A minute after each other, each explained."""
        plan = plan_for(asset)
        for score in scores:
            minute = self.minutes[asset] = self.minutes.get(asset, -1) + 1
            run = Run(plan.key, self.start_ns + minute * MINUTE, 1, score, GOOD)
            made = self.recorder.record(plan, MINUTE, [ScoredRun(run)])
            self.ledger.record(TickRecord(runs=made.runs, rows=made.rows, activations=made.activations))
            standing = self.recorder.standing(plan)
            assert standing is not None
            contributions = {one.role: score * share for one, share in zip(NORMAL, SHARES, strict=True)}
            told = replace(standing[0], roles=NORMAL, explanation=ExplanationResult(0.0, contributions, {}))
            self.ledger.record(TickRecord(rows=[explanation_row(told, standing[1])]))

    def stand_still(self, asset: str) -> None:
        """A minute in which there is nothing to score."""
        plan = plan_for(asset)
        minute = self.minutes[asset] = self.minutes.get(asset, -1) + 1
        run = Run(plan.key, self.start_ns + minute * MINUTE, 1, None, BAD, "not running", stopped=True)
        made = self.recorder.record(plan, MINUTE, [ScoredRun(run)])
        self.ledger.record(TickRecord(runs=made.runs, rows=made.rows, activations=made.activations))

    async def work(self) -> None:
        """What the service does all the time."""
        beats = 0
        while True:
            beats += 1
            self.heartbeat.write(PluginStatus(beats, SystemClock().now_ns()))
            self.operators.apply()
            await asyncio.sleep(LOOK_S)


def plan_for(asset: str) -> ModelPlan:
    """An alarm needs two minutes, as does its end."""
    own = plan_of(asset)
    return replace(own, alarm=replace(own.alarm, on_delay_ns=MINUTE, off_delay_ns=MINUTE))


@asynccontextmanager
async def pumps(folder: Path) -> AsyncIterator[Site]:
    """Served until the end."""
    clock, heartbeat = SystemClock(), HeartbeatFile(folder / "heartbeat")
    heartbeat.write(PluginStatus(1, clock.now_ns()))
    plans = {plan.key: plan for plan in map(plan_for, ASSETS)}
    users = Users(folder / "users.json", clock)
    users.add(USER, PASSWORD, UserRole.OPERATOR)
    async with AsyncExitStack() as stack:
        writer = stack.enter_context(Ledger.open(folder / "ledger.sqlite", clock))
        reader = stack.enter_context(Ledger.open_reader(folder / "ledger.sqlite", clock))
        inbox = stack.enter_context(Inbox.open(folder / "inbox.sqlite"))
        for key in plans:
            writer.bind(BoundModel(key, None, severity=250))
        source = LedgerSource(reader, heartbeat, inbox, clock)
        alarms = LedgerAlarms(reader, heartbeat, inbox, clock)
        settings = ServerSettings("127.0.0.1", 0, folder / "certificates", APPLICATION_URI, types=served_types())
        server = TagServer(source, replace(settings, poll_s=LOOK_S), users.authenticate, clock, alarms)
        await stack.enter_async_context(server)
        recorder = Recorder(writer, ZoneInfo("UTC"), dict.fromkeys(plans, UNITS))
        operators = Operators(plans, writer, inbox, recorder, {}, lambda _what, _words: None)
        start_ns = clock.now_ns() // MINUTE * MINUTE - 30 * MINUTE
        site = Site(folder, writer, operators, recorder, heartbeat, server, start_ns)
        working = asyncio.create_task(site.work())
        try:
            yield site
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
