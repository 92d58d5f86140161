"""Alarms of our tag server at an HMI that somebody else wrote: node-opcua's own list of alarms, SignAndEncrypt, a user.

The ledger, the inbox, the recorder and the server are ours and real; scores are given, one a minute.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio

from tagsight.clocks import SystemClock
from tagsight.heartbeat import HeartbeatFile, PluginStatus
from tagsight.inbox import Inbox
from tagsight.ledger.bindings import BoundModel
from tagsight.ledger.ledger import Ledger
from tagsight.ledger.records import TickRecord
from tagsight.operating import Operators
from tagsight.outputs import explanation_row
from tagsight.recording import Recorder
from tagsight.results import ExplanationResult, RoleResult, Run
from tagsight.scoring_task import ScoredRun
from tagsight.served_alarms import LedgerAlarms
from tagsight.served_results import LedgerSource
from tagsight_connectors.opcua.server import TagServer
from tagsight_connectors.opcua.server_settings import ServerSettings
from tagsight_connectors.quality import GOOD
from tagsight_connectors.serving import UserRole
from tests.interop.foreign_client import ForeignClient, node_client
from tests.plugin.small_site import MINUTE, START, plan_of

pytestmark = [pytest.mark.interop, pytest.mark.slow]

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

    def score(self, *scores: float) -> None:
        for score in scores:
            run = Run(MODEL, START + self.minute * MINUTE, 1, score, GOOD)
            made = self.recorder.record(PLAN, MINUTE, [ScoredRun(run)])
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


@pytest_asyncio.fixture
async def site(node_modules: Path, tmp_path: Path) -> AsyncIterator[Site]:
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
        yield site
        working.cancel()


async def test_an_alarm_becomes_active_is_acknowledged_with_a_comment_and_ends(site: Site) -> None:
    assert await site.client.ask("alarms") == 0
    site.score(1.4, 1.4)
    alarm = await site.client.heard(lambda one: bool(one["active_id"]))
    assert (alarm["active"], alarm["acked"], alarm["retain"]) == ("Active", "Unacknowledged", True)
    assert (alarm["condition"], alarm["severity"]) == (f"{MODEL}/Condition", 250)
    assert (alarm["source"], alarm["name"], alarm["quality"]) == (MODEL, MODEL, "Good")
    site.explain()
    alarm = await site.client.heard(lambda one: "Flow" in one["message"])

    answer = await site.client.ask("acknowledge", condition=CONDITION, event=alarm["event"], comment="filter is dirty")
    assert answer == "Good"
    alarm = await site.client.heard(lambda one: one["acked"] == "Acknowledged")
    assert (alarm["comment"], alarm["user"], alarm["confirmed"]) == ("filter is dirty", "olga", "Unconfirmed")
    (kept,) = site.ledger.activations(0, 2**62)
    assert (kept.acknowledged_by, kept.comment) == ("olga", "filter is dirty")

    assert await site.client.ask("confirm", condition=CONDITION, event=alarm["event"], comment="cleaned") == "Good"
    alarm = await site.client.heard(lambda one: one["confirmed"] == "Confirmed")
    (kept,) = site.ledger.activations(0, 2**62)
    assert kept.confirmed_by == "olga"
    remark = [["ByteString", alarm["event"]], ["LocalizedText", "ordered a new one"]]
    method = {"condition": CONDITION, "method": "ns=0;i=9029", "arguments": remark}
    assert await site.client.ask("call", **method) == "Good"
    await site.client.heard(lambda one: one["comment"] == "ordered a new one")
    said = [(one.by, one.comment) for one in site.ledger.comments(MODEL, kept.announced_ns)]
    assert said == [("olga", "filter is dirty"), ("olga", "cleaned"), ("olga", "ordered a new one")]

    site.score(0.2, 0.2)
    alarm = await site.client.heard(lambda one: one["active"] == "Inactive")
    assert alarm["retain"] is False
    assert site.ledger.verify_audit() == 3


async def test_who_connects_later_finds_the_alarm_by_a_refresh(site: Site) -> None:
    site.score(1.4, 1.4)
    await site.server.publish()
    await site.client.ask("alarms")
    alarm = await site.client.heard(lambda one: bool(one["active_id"]))
    assert alarm["condition"] == f"{MODEL}/Condition"


async def test_a_shelved_alarm_says_so_and_comes_back_by_itself(site: Site) -> None:
    await site.client.ask("alarms")
    site.score(1.4, 1.4)
    await site.client.heard(lambda one: bool(one["active_id"]))
    shelve = {"condition": CONDITION, "method": "ns=0;i=2949", "arguments": [["Double", 3_000.0]]}
    assert await site.client.ask("call", **shelve) == "Good"
    alarm = await site.client.heard(lambda one: one["shelving"] == "Timed Shelved")
    assert (alarm["suppressedOrShelved"], alarm["active"]) == (True, "Active")
    assert (await site.client.ask("read", node=f"nsu={URI};s={MODEL}/Alarm"))["value"] == 0
    alarm = await site.client.heard(lambda one: one["shelving"] == "Unshelved")
    assert alarm["suppressedOrShelved"] is False
