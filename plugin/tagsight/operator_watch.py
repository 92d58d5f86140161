"""Watches the tags that operators write in one historian, and answers: the ledger first, then the tag."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from tagsight.connections import Link
from tagsight.errors import TagSightError
from tagsight.ledger.ledger import Ledger
from tagsight.ledger.records import OperatorAct, OperatorState, TickRecord
from tagsight.opening import accepted_now
from tagsight.operator_tags import Before, OperatorTag, Wish, entries_in_question, judge, operator_tags
from tagsight.output_tags import OFF, PLUGIN
from tagsight.outputs import operator_row
from tagsight.plan import Plan
from tagsight.results import OutputRow
from tagsight_connectors.errors import HistorianError
from tagsight_connectors.historian import Historian
from tagsight_connectors.history import Sample, WriteOutcome
from tagsight_connectors.quality import BAD_NODE_ID_UNKNOWN, BAD_USER_ACCESS_DENIED, Quality, quality_of

LOOK_S: Final = 2.0
"""Between two looks; one request for all tags of a historian, as far as it takes them at once."""

AGAIN_S: Final = 60.0
"""Before TagSight asks again for a write that was refused, or that changed nothing."""

_UNREADABLE: Final = frozenset({BAD_NODE_ID_UNKNOWN, BAD_USER_ACCESS_DENIED, 0x80330000, 0x803A0000})
"""With BadNodeIdInvalid and BadNotReadable: a tag that will not have a value by waiting."""

_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came of a write: of which wish, whether it was confirmed, and when (monotonic)."""

    wish: Wish
    confirmed: bool
    at: float

    @property
    def entry(self) -> str:
        """Of the value that was answered."""
        return self.wish.tag.entry_of(self.wish.found, self.wish.tag.value_of(self.wish.found) or 0)


@dataclass
class OperatorWatch:
    """The operators of one historian.

    An act is in the ledger before its tag is answered, and has the same entry as often as it is read: a lost answer or
    a restart in between counts nothing twice. Nothing is written to an address outside the accepted list; acts are
    heard all the same.
    """

    plan: Plan
    historian: str
    link: Link
    ledger: Ledger
    destinations: Mapping[str, str]
    tell: Callable[[str, str], None]
    note: Callable[[str, str], None] = lambda _what, _words: None
    tags: tuple[OperatorTag, ...] = field(init=False)
    _shown: dict[str, int] = field(init=False, default_factory=dict)
    _answers: dict[str, _Answer] = field(init=False, default_factory=dict)
    _untimed: frozenset[str] = field(init=False, default=frozenset())
    _looked_ns: int = field(init=False, default=0)
    _told: dict[str, str] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.tags = operator_tags(self.plan, self.historian)

    async def look(self) -> None:
        """Read, store what operators did, answer. Raises StorageError; then nothing was answered."""
        if not self.tags or not self.link.connected:
            return
        try:
            samples = await self.link.use(partial(_read, [tag.address for tag in self.tags]))
        except HistorianError as error:
            self._say("read", str(error))
            return
        self._say("read", _unreadable(samples))
        await self._answer(self._heard(samples))

    def _heard(self, samples: Sequence[Sample]) -> list[Wish]:
        """Store what operators did; what is to be written now."""
        now_ns = self.link.now_ns()
        found = [(tag, _timed(sample, now_ns)) for tag, sample in zip(self.tags, samples, strict=True)]
        self._untimed = frozenset(sample.address for sample in samples if sample.time_ns <= 0)
        self._forget_old_answers(found)
        states = self.ledger.operator_states()
        questions = entries_in_question(found, states)
        before = Before(
            states=states,
            entries=self.ledger.acted(questions) if questions else frozenset(),
            answered={answer.entry for answer in self._answers.values()},
            shown=self._shown,
            refused={
                at: int(answer.wish.found.value or 0) for at, answer in self._answers.items() if self._holds(answer)
            },
            looked_ns=self._looked_ns,
            now_ns=now_ns,
        )
        verdict = judge(found, before)
        if verdict.acts:
            for act in self.ledger.act(verdict.acts, self._row, self.destinations):
                self.note("operator", f"{act.by}: {act.model}: off {act.off}, feedback {act.feedback}")
        if verdict.notes:
            self.ledger.record(TickRecord(acted=verdict.notes))
        self._shown.update(verdict.settled)
        self._looked_ns = now_ns
        return [wish for wish in verdict.wishes if self._is_due(wish)]

    async def _answer(self, wishes: Sequence[Wish]) -> None:
        try:
            allowed = accepted_now(self.plan, self.historian, self.ledger) if wishes else frozenset()
            now_ns = self.link.now_ns()
            samples = [wish.sample(now_ns) for wish in wishes if wish.tag.address in allowed]
            outcomes = await self.link.use(partial(_write, samples)) if samples else ()
        except (HistorianError, TagSightError) as error:
            self._say("write", str(error))
            return
        confirmed = {one.address for one in outcomes if quality_of(one.status) is Quality.GOOD}
        for wish in wishes:
            answer = _Answer(wish, wish.tag.address in confirmed, self.link.clock.monotonic())
            self._answers[wish.tag.address] = answer
        self._note([one for one in wishes if one.tag.output == OFF and one.tag.address in confirmed], now_ns)
        self._say_what_was_refused()

    def _note(self, switches: Sequence[Wish], now_ns: int) -> None:
        """These show what holds from now on: whoever changes them is an operator, be it before the next look."""
        notes = [note for wish in switches for note in wish.notes(wish.sample(now_ns))]
        if notes:
            self.ledger.record(TickRecord(acted=notes))
        self._shown.update({wish.tag.address: wish.value for wish in switches})

    def _is_due(self, wish: Wish) -> bool:
        """At once, but not again and again where it is refused, or confirmed and without effect."""
        before = self._answers.get(wish.tag.address)
        if before is None or (before.wish.found != wish.found and not self._holds(before)):
            return True
        return self.link.clock.monotonic() - before.at >= AGAIN_S

    def _forget_old_answers(self, found: Sequence[tuple[OperatorTag, Sample]]) -> None:
        """An answer belongs to the value that stood there; a tag without a value keeps its answer."""
        for tag, sample in found:
            answer, value = self._answers.get(tag.address), tag.value_of(sample)
            if answer is not None and value is not None and value != tag.value_of(answer.wish.found):
                del self._answers[tag.address]

    def _holds(self, answer: _Answer) -> bool:
        """The tag's value is still the one that was answered: refused, or no source time tells it from another."""
        return not answer.confirmed or answer.wish.tag.address in self._untimed

    def _refused(self) -> list[Wish]:
        return [answer.wish for answer in self._answers.values() if not answer.confirmed]

    def _say_what_was_refused(self) -> None:
        refused = [wish.tag.address for wish in self._refused()]
        why = f"what operators wrote is stored, but these tags do not take TagSight's answer: {_some(refused)}"
        self._say("write", why if refused else "")

    def _say(self, what: str, why: str) -> None:
        """Tell a trouble once, until there is another."""
        if why and why != self._told.get(what):
            self.tell(f"operators of {self.historian}", why)
        self._told[what] = why

    def _row(self, act: OperatorAct, state: OperatorState) -> OutputRow | None:
        if act.model == PLUGIN:
            return None
        return operator_row(act.model, self.link.now_ns(), off=state.off, feedback_count=state.feedback_count)


def watches_of(
    plan: Plan,
    links: Mapping[str, Link],
    ledger: Ledger,
    destinations: Mapping[str, str],
    *,
    tell: Callable[[str, str], None],
    note: Callable[[str, str], None] = lambda _what, _words: None,
) -> tuple[OperatorWatch, ...]:
    """One for each historian in which operators write."""
    made = [OperatorWatch(plan, name, link, ledger, destinations, tell, note) for name, link in links.items()]
    return tuple(watch for watch in made if watch.tags)


def _timed(sample: Sample, now_ns: int) -> Sample:
    """A value without source time is as old as the look."""
    return sample if sample.time_ns > 0 else replace(sample, time_ns=now_ns)


def _unreadable(samples: Sequence[Sample]) -> str:
    missing = [sample.address for sample in samples if sample.status & 0xFFFF0000 in _UNREADABLE]
    return f"{len(missing)} tags that operators write are missing or not readable: {_some(missing)}" if missing else ""


def _some(addresses: Sequence[str]) -> str:
    more = f" and {len(addresses) - _SHOWN} more" if len(addresses) > _SHOWN else ""
    return ", ".join(addresses[:_SHOWN]) + more


async def _read(addresses: Sequence[str], historian: Historian) -> Sequence[Sample]:
    return await historian.read_current(addresses)


async def _write(samples: Sequence[Sample], historian: Historian) -> Sequence[WriteOutcome]:
    return await historian.write(samples)
