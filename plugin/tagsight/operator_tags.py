"""What operators mean by `Feedback` and `Off` where results are written to a historian's tags (`to: write`). Pure.

`Feedback` is a message: 1, 2 or 3 is stored once for each source time, then TagSight writes 0 back. What is read again
because that 0 was lost, or after a restart, is the same entry and counts once; feedback given later has another source
time and counts.

`Off` is a switch, and the operator's: what is written there, holds. TagSight writes it in one case only, to show what
holds where that was set elsewhere: on its own OPC UA server, on the plugin's `Off` of another historian, or before this
tag was there. So a new tag that stands at its initial 0 switches nothing on, and one that stands at 1 switches off.
An operator who writes a tag while TagSight is stopped is heard at the next start. The same value written again is not
a new act.

Only a Good value means something: Bad and Uncertain are what a historian shows that has no value, or not yet, or one
from before its restart. Nor is a text, a fraction or a value out of range taken for something else.

What cannot be known: where there are no source times, a second feedback cannot be told from the first until the tag has
shown TagSight's 0, and where they move without a write, not while that 0 is refused: until then the same value counts
once in each run. Where they stand still, each value of `Feedback` counts once for ever. A value written in the
milliseconds between TagSight's look and its answer is overwritten: OPC UA has no write on condition.
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from tagsight.fence import address_of
from tagsight.ledger.records import OperatorAct, OperatorState
from tagsight.output_tags import FEEDBACK, OFF, PLUGIN
from tagsight.plan import Plan
from tagsight_connectors.history import Sample
from tagsight_connectors.quality import GOOD, Quality, quality_of

GREATEST: Final[Mapping[str, int]] = {FEEDBACK: 3, OFF: 1}


@dataclass(frozen=True, slots=True)
class OperatorTag:
    """A tag of a historian that operators write; `model` is a key, or `TagSight` for the plugin."""

    historian: str
    address: str
    model: str
    output: str

    def value_of(self, sample: Sample) -> int | None:
        """What the tag says; None where it says nothing."""
        value = sample.value
        if quality_of(sample.status) is not Quality.GOOD or value is None or isinstance(value, str):
            return None
        whole = math.isfinite(value) and value == int(value) and 0 <= value <= GREATEST[self.output]
        return int(value) if whole else None

    def entry_of(self, sample: Sample, value: int) -> str:
        """Names one write of an operator for ever."""
        return f"{self.historian}: {self.address}@{sample.time_ns}={value}"

    def notes(self, sample: Sample, value: int) -> tuple[str, str]:
        """Entries to be kept of a switch that was looked at."""
        return self.entry_of(sample, value), self.settled_before

    @property
    def settled_before(self) -> str:
        """Names that this tag has once shown what holds."""
        return f"{self.historian}: {self.address} shown"


@dataclass(frozen=True, slots=True)
class Before:
    """What is known when the tags are looked at.

    Attributes:
        states: what operators have set, by model; a model that is not in it is untouched.
        entries: those of `entries_in_question` that are in the ledger.
        answered: entries that stood there when TagSight wrote its answer, which may still be on its way; of this run.
        shown: address -> value of an `Off` that last agreed with what holds; of this run.
        refused: address -> value that stood there when TagSight's own write was refused, or, where there are no source
            times, was made; of this run.
        looked_ns: when the tags were looked at before, UTC ns; 0 at the start.
        now_ns: UTC ns, by the historian's clock.
    """

    states: Mapping[str, OperatorState] = field(default_factory=dict)
    entries: Collection[str] = frozenset()
    answered: Collection[str] = frozenset()
    shown: Mapping[str, int] = field(default_factory=dict)
    refused: Mapping[str, int] = field(default_factory=dict)
    looked_ns: int = 0
    now_ns: int = 0

    def given_ns(self, sample: Sample) -> int:
        """When it was written: by the source time, as far as that can be, for it may be an HMI's with a wrong clock."""
        return min(max(sample.time_ns, self.looked_ns), self.now_ns) if sample.time_ns > 0 else self.now_ns


@dataclass(frozen=True, slots=True)
class Wish:
    """A value that TagSight wants in a tag, because of what was found there."""

    tag: OperatorTag
    found: Sample
    value: int

    def sample(self, now_ns: int) -> Sample:
        """Later than what was found, so that it is the newest also in a historian that sorts by source time."""
        return Sample(self.tag.address, max(now_ns, self.found.time_ns + 1_000_000), self.value, GOOD)

    def notes(self, written: Sample) -> tuple[str, ...]:
        """Entries to be kept once it is written: neither what was found nor this is an operator's."""
        found = self.tag.value_of(self.found)
        return () if found is None else (*self.tag.notes(self.found, found), *self.tag.notes(written, self.value))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one look comes to.

    Attributes:
        acts: to be applied, each once by its entry: one that was applied before is named again while its tag stands.
        wishes: what TagSight wants to write.
        settled: the `Off` tags, and their values, that show what holds once the acts are applied.
        notes: entries to be kept, so that the next run knows what has been looked at.
    """

    acts: tuple[OperatorAct, ...]
    wishes: tuple[Wish, ...]
    settled: Mapping[str, int]
    notes: tuple[str, ...]


def operator_tags(plan: Plan, historian: str) -> tuple[OperatorTag, ...]:
    """The tags that operators write in one historian: none in a file, and none where results go another way."""
    results = plan.results.get(historian)
    if results is None or not results.in_historian or plan.historians[historian].url.startswith("file:"):
        return ()
    places = [(PLUGIN, OFF)]
    for model in plan.models:
        if model.historian == historian:
            places += [(model.key, FEEDBACK), (model.key, OFF)]
    return tuple(
        OperatorTag(historian, address_of(results.address, model, output), model, output) for model, output in places
    )


def entries_in_question(
    found: Sequence[tuple[OperatorTag, Sample]], states: Mapping[str, OperatorState]
) -> tuple[str, ...]:
    """Of the `Off` tags that do not show what holds: entries that the ledger may have."""
    asked: list[str] = []
    for tag, sample in found:
        value = tag.value_of(sample)
        if tag.output == OFF and value is not None and value != _holds(states, tag.model):
            asked += tag.notes(sample, value)
    return tuple(asked)


def judge(found: Sequence[tuple[OperatorTag, Sample]], before: Before) -> Verdict:
    """What operators mean by what stands in their tags now."""
    acts: list[OperatorAct] = []
    wishes: list[Wish] = []
    settled: dict[str, int] = {}
    notes: list[str] = []
    for tag, sample in found:
        value = tag.value_of(sample)
        if value is None:
            continue
        if tag.output == FEEDBACK:
            acts += _feedback(tag, sample, value, before)
            wishes += [Wish(tag, sample, 0)] if value else []
        elif value == (holds := _holds(before.states, tag.model)) or _is_written_by_operator(
            tag, sample, value, before
        ):
            acts += _switched(tag, sample, value, before)
            settled[tag.address] = value
            if before.shown.get(tag.address) != value:
                notes += tag.notes(sample, value)
        else:
            wishes.append(Wish(tag, sample, holds))
    return Verdict(tuple(acts), tuple(wishes), settled, tuple(notes))


def _feedback(tag: OperatorTag, sample: Sample, value: int, before: Before) -> Iterator[OperatorAct]:
    if value and before.refused.get(tag.address) != value:
        yield OperatorAct(tag.entry_of(sample, value), tag.model, _who(tag), before.given_ns(sample), feedback=value)


def _switched(tag: OperatorTag, sample: Sample, value: int, before: Before) -> Iterator[OperatorAct]:
    """A switch is applied where it differs from what holds, so only once; seen to change, it needs no source time."""
    if value != _holds(before.states, tag.model):
        entry = tag.entry_of(sample, value) + (f" seen {before.now_ns}" if tag.address in before.shown else "")
        yield OperatorAct(entry, tag.model, _who(tag), before.given_ns(sample), off=bool(value))


def _is_written_by_operator(tag: OperatorTag, sample: Sample, value: int, before: Before) -> bool:
    """Of a tag that does not show what holds: whether the tag is newer, or what holds."""
    entry = tag.entry_of(sample, value)
    if tag.address in before.shown:
        return before.shown[tag.address] != value and entry not in before.answered
    return entry not in before.entries and (tag.settled_before in before.entries or value == 1)


def _holds(states: Mapping[str, OperatorState], model: str) -> int:
    """What `Off` has to show."""
    return int(states.get(model, OperatorState()).off)


def _who(tag: OperatorTag) -> str:
    return f"operator via {tag.historian}"
