"""What the tag server shows of alarms: the ledger's activations and what operators said and set, as conditions.

Reads a ledger that another process writes; operators' acts go to the inbox, and become visible when the service has
put them into the ledger.
"""

from dataclasses import dataclass, field, replace

from tagsight.alarms import LIMIT
from tagsight.clocks import Clock
from tagsight.heartbeat import HeartbeatFile, HeartbeatWatch
from tagsight.inbox import Inbox
from tagsight.ledger.bindings import BoundModel
from tagsight.ledger.ledger import Ledger
from tagsight.ledger.records import Activation, AlarmComment, OperatorState
from tagsight.output_tags import CONDITION, PLUGIN, identifier_of, split_identifier
from tagsight.outputs import EXPLANATION_PART, SCORE_PART
from tagsight.results import OutputRow
from tagsight.shelving import LONGEST_SHELVING_NS, is_shelved
from tagsight_connectors.alarming import ConditionAct, ConditionState, Shelving
from tagsight_connectors.quality import (
    BAD_WAITING_FOR_INITIAL_DATA,
    UNCERTAIN_LAST_USABLE,
    Quality,
    quality_of,
)
from tagsight_explain.language import ENGLISH, Language, language

UNTOUCHED = OperatorState()


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the newest runs of a model say: quality of its score, and the sentence."""

    quality: int = BAD_WAITING_FOR_INITIAL_DATA
    quality_ns: int = 0
    message: str = ""
    message_ns: int = 0


@dataclass
class LedgerAlarms:
    """A `ConditionSource` over ledger, heartbeat and inbox, for one server: one condition for each model."""

    ledger: Ledger
    heartbeat: HeartbeatFile
    inbox: Inbox
    clock: Clock
    longest_shelving_ns: int = LONGEST_SHELVING_NS
    language: str = ENGLISH
    _watch: HeartbeatWatch = field(init=False)
    _known: tuple[object, ...] = field(default=(), init=False)
    _states: tuple[ConditionState, ...] = field(default=(), init=False)
    _models: tuple[BoundModel, ...] = field(default=(), init=False)
    _structure: str = field(default="", init=False)
    _seen: dict[str, _Seen] = field(default_factory=dict, init=False)
    _sequence: int = field(default=0, init=False)
    _shelving_ends_ns: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._watch = HeartbeatWatch(self.heartbeat, self.clock)

    def conditions(self) -> tuple[ConditionState, ...]:
        """Of each model of the plan; made anew when the ledger has something new, or a shelving is over."""
        now_ns, alive = self.clock.now_ns(), self._watch.is_alive()
        known = (self.ledger.last_sequence(), self.ledger.last_audit(), self.ledger.bindings_digest(), alive)
        if known == self._known and not 0 < self._shelving_ends_ns <= now_ns:
            return self._states
        self._look(known)
        self._states = tuple(self._states_at(now_ns, alive=alive))
        ends = [one.shelved_until_ns for one in self._states if one.shelved]
        self._known, self._shelving_ends_ns = known, min(ends, default=0)
        return self._states

    def act(self, act: ConditionAct) -> bool:
        """Store an act in the inbox; False where there is no such condition."""
        place = split_identifier(act.condition)
        if place is None or place[0] == PLUGIN or place[1] != CONDITION:
            return False
        self.inbox.append_act(act)
        return True

    def _look(self, known: tuple[object, ...]) -> None:
        if known[2] != self._structure:
            self._models, self._structure = self.ledger.bindings(), str(known[2])
        for one in self.ledger.newest_rows(self._sequence):
            self._sequence = max(self._sequence, one.sequence)
            self._see(one.row)

    def _see(self, row: OutputRow) -> None:
        found = {value.output: value for value in row.values}
        seen = self._seen.get(row.model, _Seen())
        if row.part == SCORE_PART and "Score" in found:
            seen = replace(seen, quality=found["Score"].status, quality_ns=row.due_ns)
        elif row.part == EXPLANATION_PART and "Message" in found:
            seen = replace(seen, message=str(found["Message"].value or ""), message_ns=row.due_ns)
        self._seen[row.model] = seen

    def _states_at(self, now_ns: int, *, alive: bool) -> list[ConditionState]:
        newest, comments = self.ledger.newest_activations(), self.ledger.newest_comments()
        states, words = self.ledger.operator_states(), language(self.language)
        everything_off = states.get(PLUGIN, UNTOUCHED).off
        found = []
        for bound in self._models:
            seen, set_by = self._seen.get(bound.model, _Seen()), states.get(bound.model, UNTOUCHED)
            state = _condition(bound, seen, words, alive=alive)
            state = _with_alarm(state, newest.get(bound.model), seen, words)
            state = _with_comment(state, comments.get(bound.model))
            state = replace(state, suppressed=set_by.off or everything_off)
            found.append(_with_shelving(state, set_by, now_ns))
        return found


def _condition(bound: BoundModel, seen: _Seen, words: Language, *, alive: bool) -> ConditionState:
    last_usable = not alive and quality_of(seen.quality) is not Quality.BAD
    return ConditionState(
        identifier_of(bound.model, CONDITION),
        bound.model,
        bound.model,
        identifier_of(bound.model, "Score"),
        limit=LIMIT,
        severity=bound.severity,
        message=words.say("normal", name=bound.model),
        quality=UNCERTAIN_LAST_USABLE if last_usable else seen.quality,
        quality_ns=seen.quality_ns,
    )


def _with_alarm(state: ConditionState, newest: Activation | None, seen: _Seen, words: Language) -> ConditionState:
    if newest is None:
        return state
    active = newest.cleared_ns is None
    explained = seen.message_ns >= newest.announced_ns and bool(seen.message)
    message = seen.message if explained else words.say("above_limit", name=state.name)
    acknowledged, confirmed = newest.acknowledged_ns, newest.confirmed_ns
    return replace(
        state,
        occurrence=newest.announced_ns,
        active=active,
        active_ns=newest.cleared_ns or newest.announced_ns,
        message=message if active else words.say("back_to_normal", name=state.name),
        complete=explained or not active,
        acknowledged=acknowledged is not None,
        acknowledged_ns=acknowledged or 0,
        confirmed=acknowledged is None or confirmed is not None,
        confirmed_ns=confirmed or 0,
        comment=newest.comment,
        comment_by=newest.acknowledged_by,
        comment_ns=acknowledged or 0,
    )


def _with_comment(state: ConditionState, newest: AlarmComment | None) -> ConditionState:
    if newest is None or newest.announced_ns != state.occurrence or newest.time_ns < state.comment_ns:
        return state
    return replace(state, comment=newest.comment, comment_by=newest.by, comment_ns=newest.time_ns)


def _with_shelving(state: ConditionState, set_by: OperatorState, now_ns: int) -> ConditionState:
    """A shelving is over at its time, also while the service does not run."""
    until_ns, since_ns = set_by.shelved_until_ns or 0, set_by.shelving_ns or 0
    if is_shelved(set_by, now_ns):
        shelving = Shelving.ONE_SHOT if set_by.shelved_once else Shelving.TIMED
        return replace(state, shelving=shelving, shelved_until_ns=until_ns, shelving_ns=since_ns)
    return replace(state, shelving_ns=max(since_ns, until_ns))
