"""A later version against the one that runs: what both did with the same windows, and whether it may take over."""

from dataclasses import dataclass
from typing import Final

from tagsight.judged_alarms import Verdict, judged_alarms
from tagsight.ledger.ledger import Ledger
from tagsight_models.delays import Delays
from tagsight_models.model_register import ModelRegister
from tagsight_models.rivals import Contest, Rivalry, contest

WHO: Final = "TagSight, by `train.promote`"


@dataclass(frozen=True, slots=True)
class Challenge:
    """A version that is not approved, against the one that runs.

    Attributes:
        model: key.
        champion: version that runs.
        challenger: newest later version.
        contest: what both did at the same due times.
        against: why it must not take over by itself, whatever the contest says; "" for nothing.
    """

    model: str
    champion: int
    challenger: int
    contest: Contest
    against: str = ""

    @property
    def holds(self) -> bool:
        """It may take over without being asked, where the configuration says so."""
        return self.contest.holds and not self.against


def challenge(ledger: Ledger, register: ModelRegister, model: str) -> Challenge | None:
    """None where no later version waits.

    Raises:
        NoSuchModel: no version of this name.
        ModelFileDamaged: a card that is not as it was written.
    """
    champion, challenger = register.approved(model), max(register.versions(model), default=0)
    if champion is None or challenger <= champion:
        return None
    ours, later = register.card(model, champion), register.card(model, challenger)
    times, scores, shadows = ledger.shadows(model, champion, challenger)
    delays = Delays(int(ours.budget["on_ns"]), int(ours.budget["off_ns"]))
    span = (int(times[0]), int(times[-1]) + 1) if len(times) else (0, 0)
    alarms = judged_alarms(ledger, model, *span)
    true = [(one.since_ns, one.until_ns) for one in alarms if one.verdict is Verdict.TRUE]
    against = "it is on trial" if later.trial else "; ".join(later.doubts)
    if not later.takes_windows_of(ours):
        against = "it has other inputs, another grid or another window, so it cannot score in the shadow"
    return Challenge(model, champion, challenger, contest(Rivalry(times, scores, shadows), delays, true), against)


def promoted(ledger: Ledger, register: ModelRegister, model: str) -> Challenge | None:
    """Approve the challenger if it holds; None where nothing was approved."""
    found = challenge(ledger, register, model)
    if found is None or not found.holds:
        return None
    register.approve(model, found.challenger, WHO)
    ledger.audit("TagSight", "promoted", f"{model} version {found.challenger}: {found.contest.verdict}")
    return found
