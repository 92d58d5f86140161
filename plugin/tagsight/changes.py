"""What one plan changes of another: which models are new, changed, gone; which connections are made anew."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tagsight.plan import ModelPlan, Plan

NAMED: Final = 5
"""So many models are named, of more only the count."""

AT_A_RESTART: Final = {"history_store": "history_store"}
"""Field of the plan -> setting: what a running service does not take over."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Differences of two plans.

    Attributes:
        added: keys of models.
        removed: the same.
        changed: key of a model -> names of the fields that differ.
        unchanged: number of models that run on.
        historians: names of historians whose connection is made anew, new ones included.
        other: settings of the whole that differ.
        at_a_restart: those of them that take effect at the next start of the service.
    """

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: dict[str, tuple[str, ...]]
    unchanged: int
    historians: tuple[str, ...]
    other: tuple[str, ...]
    at_a_restart: tuple[str, ...]

    @property
    def nothing(self) -> bool:
        """Both plans mean the same."""
        return not (self.added or self.removed or self.changed or self.historians or self.other or self.at_a_restart)

    @property
    def words(self) -> str:
        """One line."""
        told = [_counted("new", self.added), _counted("changed", self._with_fields()), _counted("gone", self.removed)]
        told.append(f"{self.unchanged} unchanged and running on")
        if self.historians:
            told.append(f"connected anew: {', '.join(self.historians)}")
        if self.other:
            told.append(f"also changed: {', '.join(self.other)}")
        if self.at_a_restart:
            told.append(f"takes effect at the next start of the service: {', '.join(self.at_a_restart)}")
        return "; ".join(one for one in told if one)

    def _with_fields(self) -> tuple[str, ...]:
        return tuple(f"{key} ({', '.join(fields)})" for key, fields in self.changed.items())


def changes_of(before: Plan, after: Plan) -> Changes:
    """From `before` to `after`."""
    old, new = ({model.key: model for model in plan.models} for plan in (before, after))
    both = [key for key in new if key in old]
    changed = {key: found for key in both if (found := _differing(old[key], new[key]))}
    whole = ("timezone", "language", "retention", "web", "report")
    plans = [name for name in whole if getattr(before, name) != getattr(after, name)]
    later = [setting for name, setting in AT_A_RESTART.items() if getattr(before, name) != getattr(after, name)]
    gone = [f"historian {name}" for name in before.historians if name not in after.historians]
    return Changes(
        added=tuple(key for key in new if key not in old),
        removed=tuple(key for key in old if key not in new),
        changed=changed,
        unchanged=len(both) - len(changed),
        historians=tuple(name for name in after.historians if not same_connection(before, after, name)),
        other=(*plans, *gone),
        at_a_restart=tuple(later),
    )


def same_connection(before: Plan, after: Plan, historian: str) -> bool:
    """A connection that was made for one plan serves the other too.

    Where results are written into the historian, what may be written depends on the models: it is opened anew.
    """
    results = after.results.get(historian)
    return (
        before.historians.get(historian) == after.historians.get(historian)
        and before.results.get(historian) == results
        and before.timezone == after.timezone
        and (results is None or not results.in_historian or before.models == after.models)
    )


def _differing(before: ModelPlan, after: ModelPlan) -> tuple[str, ...]:
    names = (one.name for one in dataclasses.fields(before))
    return tuple(name for name in names if getattr(before, name) != getattr(after, name))


def _counted(word: str, keys: Sequence[str]) -> str:
    if not keys:
        return ""
    more = f" and {len(keys) - NAMED} more" if len(keys) > NAMED else ""
    return f"{word}: {', '.join(keys[:NAMED])}{more}"
