"""Laws of deliveries under any order of events: one of four states, and nothing pending disappears."""

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tagsight.clocks import SetClock
from tagsight.ledger.ledger import Ledger
from tagsight.ledger.records import DeliveryState, RefusedTag, Settlement, TickRecord
from tagsight.plan import Retention
from tagsight.results import OutputRow, OutputValue, Run

MINUTE = 60_000_000_000
MODELS = st.sampled_from(["A/H", "B/H"])
PARTS = st.sampled_from(["score", "explanation"])
MINUTES = st.integers(0, 12)


class Outbox(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = SetClock(20 * MINUTE)
        self.ledger = Ledger.open(Path(self.folder.name) / "ledger.sqlite", self.clock)
        self.expected: dict[tuple[str, str, int], DeliveryState] = {}
        self.forgotten: set[tuple[str, str, int]] = set()

    @rule(model=MODELS, part=PARTS, minute=MINUTES, digest=st.sampled_from("ab"))
    def store(self, model: str, part: str, minute: int, digest: str) -> None:
        due_ns = minute * MINUTE
        row = OutputRow(model, due_ns, part, (OutputValue("Score", digest, 0),))
        run = Run(model, due_ns, 1, 0.5, 0, input_digest=digest)
        self.ledger.record(TickRecord([run], [row], {model: "write:h"}))
        self.expected[model, part, due_ns] = DeliveryState.PENDING

    @rule(limit=st.integers(1, 5), state=st.sampled_from(list(DeliveryState)[:3]))
    def settle(self, limit: int, state: DeliveryState) -> None:
        refused = (RefusedTag("x", 0x80340000),) if state is DeliveryState.QUARANTINED else ()
        pending = self.ledger.pending("write:h", limit)
        self.ledger.settle([Settlement(one.sequence, "write:h", state, refused) for one in pending])
        for one in pending:
            self.expected[one.row.model, one.row.part, one.row.due_ns] = state

    @rule()
    def resend(self) -> None:
        self.ledger.resend("write:h", "anna")
        for key, state in self.expected.items():
            if state is DeliveryState.QUARANTINED:
                self.expected[key] = DeliveryState.PENDING

    @rule(minutes=MINUTES)
    def retain(self, minutes: int) -> None:
        before = self.ledger.counters().not_recovered
        limits = Retention(keep_ns=(20 - minutes) * MINUTE, at_most_bytes=1 << 30)
        given_up = 0
        while (step := self.ledger.retain(limits)).more:
            given_up += step.not_recovered
        assert self.ledger.counters().not_recovered == before + given_up
        kept = {(one.row.model, one.row.part, one.row.due_ns) for one in self.ledger.newest_rows()}
        for key, state in list(self.expected.items()):
            if key[2] < minutes * MINUTE and key not in kept:
                if state is DeliveryState.PENDING:
                    self.expected[key] = DeliveryState.NOT_RECOVERED
                elif state is not DeliveryState.NOT_RECOVERED:
                    del self.expected[key]

    @rule()
    def restart(self) -> None:
        self.ledger.close()
        self.ledger = Ledger.open(Path(self.folder.name) / "ledger.sqlite", self.clock)

    @invariant()
    def every_delivery_is_in_the_one_state_expected(self) -> None:
        states = list(self.expected.values())
        for state in DeliveryState:
            assert self.ledger.deliveries_in(state) == states.count(state)

    @invariant()
    def the_outbox_holds_exactly_what_is_pending(self) -> None:
        found = {(one.row.model, one.row.part, one.row.due_ns) for one in self.ledger.pending("write:h", 100)}
        assert found == {key for key, state in self.expected.items() if state is DeliveryState.PENDING}

    def teardown(self) -> None:
        self.ledger.close()
        self.folder.cleanup()


TestOutbox = Outbox.TestCase
TestOutbox.settings = settings(max_examples=15, stateful_step_count=15, deadline=None)
