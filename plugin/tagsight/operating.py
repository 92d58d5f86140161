"""What operators did is applied by the service alone, each entry of the inbox exactly once; shelvings end in time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from tagsight.inbox import Inbox, Note, act_of
from tagsight.ledger.ledger import Ledger
from tagsight.ledger.records import OperatorAct, OperatorState
from tagsight.output_tags import PLUGIN
from tagsight.outputs import Circumstances, alarm_row, operator_row
from tagsight.plan import ModelPlan
from tagsight.recording import Recorder
from tagsight.results import OutputRow, Run
from tagsight.shelving import ended, shelved_words

Standing = Mapping[str, tuple[Run, Circumstances]]


@dataclass
class Operators:
    """Applies what operators did to the models of one plan.

    Attributes:
        models: by key.
        ledger: open for writing.
        inbox: what they wrote.
        recorder: knows how alarms stand.
        destinations: model key -> where its results are owed.
        note: (what, words) of what was done.
    """

    models: Mapping[str, ModelPlan]
    ledger: Ledger
    inbox: Inbox
    recorder: Recorder
    destinations: Mapping[str, str]
    note: Callable[[str, str], None]

    def apply(self) -> None:
        """Take over what is in the inbox. Raises StorageError; then nothing of it was taken."""
        entries = self.inbox.unread()
        if not entries:
            return
        notes = [(entry.id, entry.write) for entry in entries if isinstance(entry.write, Note)]
        self.ledger.note([(id_, one.time_ns, one.who, one.what, one.detail) for id_, one in notes])
        acts = [act for entry in entries if (act := act_of(entry)) is not None]
        self._act([act for act in acts if act.model in self.models or act.model == PLUGIN])
        self.inbox.remove(entries[-1].number)

    def end_shelvings(self, now_ns: int) -> None:
        """End those whose time is over."""
        states = self.ledger.operator_states()
        found = [ended(model, state, now_ns, PLUGIN) for model, state in states.items() if model in self.models]
        acts = [act for act in found if act is not None]
        if acts:
            self._act(acts)

    def _act(self, acts: Sequence[OperatorAct]) -> None:
        standing = self._standing({act.model for act in acts if act.shelved_until_ns is not None})

        def row(act: OperatorAct, state: OperatorState) -> OutputRow | None:
            return self._row(act, state, standing)

        for act in self.ledger.act(acts, row, self.destinations):
            self.note("operator", f"{act.by}: {act.model}: {words_of(act)}")

    def _standing(self, models: set[str]) -> Standing:
        found = {model: self.recorder.standing(self.models[model]) for model in models if model in self.models}
        return {model: one for model, one in found.items() if one is not None}

    def _row(self, act: OperatorAct, state: OperatorState, standing: Standing) -> OutputRow | None:
        if act.model == PLUGIN:
            return None
        if act.shelved_until_ns is not None and act.model in standing:
            run, now = standing[act.model]
            shelved = shelved_words(state, act.time_ns, self.recorder.timezone)
            time_ns = max(act.time_ns, run.due_ns)  # a historian's clock may be ahead of this machine's
            return alarm_row(run, time_ns, replace(now, shelved=shelved))
        if act.off is None and not act.feedback:
            return None
        return operator_row(act.model, act.time_ns, off=state.off, feedback_count=state.feedback_count)


def words_of(act: OperatorAct) -> str:
    """One line for the log."""
    done = [
        "off" if act.off else "on" if act.off is not None else "",
        f"feedback {act.feedback}" if act.feedback else "",
        "acknowledged" if act.acknowledge is not None else "",
        "confirmed" if act.confirm is not None else "",
        "commented" if act.remark is not None else "",
        "" if act.shelved_until_ns is None else "shelved" if act.shelved_until_ns else "not shelved any more",
    ]
    return ", ".join(word for word in done if word)
