"""From patterns to roles: which tag of the historian is what for a model. Pure; the browsing is done by the caller.

A binding is made when a model is trained and kept in the ledger, so a service starts without browsing, and a tag that
is added to the plant later changes no model by itself.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from tagsight.errors import TagSightError
from tagsight.plan import InputPlan, Job, ModelPlan
from tagsight_connectors.patterns import matches
from tagsight_connectors.tag import DataType, Tag
from tagsight_models.frame import Role

_NOT_IN_A_LEVEL: Final = str.maketrans(dict.fromkeys("/+#$.", "_"))
_LONGEST_LEVEL: Final = 64


@dataclass
class BindingError(TagSightError):
    """Inputs or operands that cannot be bound to tags."""

    model: str
    cause: str
    mend: str = "`tagsight browse URL` lists the tags; correct `inputs` or `running`."
    exit_code = 4

    def __str__(self) -> str:
        return f"{self.model}: {self.cause}"


@dataclass(frozen=True, slots=True)
class Binding:
    """What each role and each operand of the running condition is in the historian.

    Attributes:
        roles: in the order of the model's columns.
        addresses: role name -> address.
        operands: operand as written in the condition -> address.
        descriptions: role name -> description in the historian.
        skipped: (path, why) of tags that matched a pattern and cannot be an input.
        max_gaps: role -> ns, where the engineer set one; needed for training only, so the ledger does not keep it.
        wait_ns: how long values take to arrive, as measured beside the training; None: not known.
        beside: pattern as the job's settings name it -> address: a target, or what tells the labels. Never an input.
    """

    roles: tuple[Role, ...]
    addresses: Mapping[str, str]
    operands: Mapping[str, str]
    descriptions: Mapping[str, str]
    skipped: tuple[tuple[str, str], ...] = ()
    max_gaps: Mapping[str, int] = field(default_factory=dict)
    wait_ns: int | None = None
    beside: Mapping[str, str] = field(default_factory=dict)

    @property
    def all_addresses(self) -> tuple[str, ...]:
        """Every address that the model reads, once."""
        return tuple(dict.fromkeys([*self.addresses.values(), *self.operands.values(), *self.beside.values()]))


def bind(model: ModelPlan, tags: Sequence[Tag], is_result: Callable[[Tag], bool] = lambda _tag: False) -> Binding:
    """Bind `model` to the tags of its historian.

    Args:
        model: whose patterns and operands.
        tags: what browsing found for `patterns_of(model)`; others do no harm.
        is_result: True for a tag that TagSight itself writes: never an input, whatever the pattern.

    Raises:
        BindingError: no tag for a pattern or operand, a text tag named as an input, nothing left.
    """
    tags = [tag for tag in tags if not is_result(tag)]
    beside = {pattern: _beside(model, pattern, tags) for pattern in model.beside_inputs}
    apart = {tag.address for tag in beside.values()}
    inputs, skipped = _inputs(model, [tag for tag in tags if tag.address not in apart])
    if not inputs:
        raise BindingError(model.key, "no tag is left as an input" + _because(skipped))
    names = _role_names(model, inputs)
    roles = tuple(_role(model, name, tag) for name, tag in zip(names, inputs, strict=True))
    addresses = {role.name: tag.address for role, tag in zip(roles, inputs, strict=True)}
    descriptions = {role.name: tag.description for role, tag in zip(roles, inputs, strict=True)}
    return Binding(
        roles,
        addresses,
        _operands(model, tags, addresses),
        descriptions,
        tuple(skipped),
        _max_gaps(model, names, inputs),
        beside={pattern: tag.address for pattern, tag in beside.items()},
    )


def merged(new: Binding, old: Binding | None) -> Binding:
    """`new`, and what only `old` has: the version that still runs keeps its inputs until the new one is approved."""
    if old is None:
        return new
    names = {role.name for role in new.roles}
    return replace(
        new,
        roles=(*new.roles, *(role for role in old.roles if role.name not in names)),
        addresses={**old.addresses, **new.addresses},
        operands={**old.operands, **new.operands},
        beside={**old.beside, **new.beside},
        descriptions={**old.descriptions, **new.descriptions},
        wait_ns=old.wait_ns if new.wait_ns is None else new.wait_ns,
    )


def patterns_of(model: ModelPlan) -> tuple[str, ...]:
    """What must be browsed for a model: its inputs, the operands of its running condition, the target of its job."""
    operands = model.running.operands if model.running else ()
    return tuple(dict.fromkeys([*model.inputs, *operands, *model.beside_inputs]))


def legal_level(name: str) -> str:
    """A name as one level of an output's path: 1 to 64 characters, none of `/ + # $ .` or control characters."""
    printable = "".join(character for character in name if character.isprintable())
    return printable.translate(_NOT_IN_A_LEVEL).strip()[:_LONGEST_LEVEL].rstrip() or "_"


def _inputs(model: ModelPlan, tags: Sequence[Tag]) -> tuple[list[Tag], list[tuple[str, str]]]:
    chosen: dict[str, Tag] = {}
    skipped: dict[str, str] = {}
    for pattern in model.inputs:
        found = [tag for tag in tags if matches(pattern, tag)]
        if not found:
            raise BindingError(model.key, f"no tag matches {pattern!r}")
        named_itself = not any(character in pattern for character in "*?")
        for tag in found:
            why = _unusable(model, tag)
            if why and named_itself:
                raise BindingError(model.key, f"{tag.path} cannot be an input: {why}")
            if why:
                skipped[tag.path] = why
            else:
                chosen.setdefault(tag.address, tag)
    return list(chosen.values()), list(skipped.items())


def _beside(model: ModelPlan, pattern: str, tags: Sequence[Tag]) -> Tag:
    """The one tag that the settings of the job name; of a target the values are numbers."""
    found = [tag for tag in tags if matches(pattern, tag)]
    mend = f"`tagsight browse URL` lists the tags; correct `{model.job.value}`."
    if len(found) != 1:
        words = "no tag matches" if not found else f"{len(found)} tags match"
        raise BindingError(model.key, f"{words} {pattern!r}, and `{model.job.value}` needs one", mend)
    if model.job is not Job.DIAGNOSIS and found[0].data_type not in (DataType.NUMBER, DataType.BOOLEAN):
        raise BindingError(model.key, f"{found[0].path} cannot be a target: its values are no numbers", mend)
    return found[0]


def _unusable(model: ModelPlan, tag: Tag) -> str:
    if any(matches(pattern, tag) for pattern in model.exclude_inputs):
        return "left out by the configuration"
    if tag.data_type is DataType.TEXT:
        return "its values are text"
    if tag.data_type is DataType.OTHER:
        return "its values are arrays or structures"
    return "" if tag.historizing else "the historian does not keep its history"


def _because(skipped: Sequence[tuple[str, str]]) -> str:
    return ": " + "; ".join(f"{path}: {why}" for path, why in skipped[:5]) if skipped else ""


def _role_names(model: ModelPlan, tags: Sequence[Tag]) -> list[str]:
    settings = [_settings(model, tag) for tag in tags]
    names = [one.role or legal_level(tag.name) for one, tag in zip(settings, tags, strict=True)]
    depth = 2
    longest = max(tag.path.count("/") for tag in tags) + 1
    while len(set(names)) < len(names) and depth <= longest:
        twice = {name for name in names if names.count(name) > 1}
        names = [
            legal_level("-".join(tag.path.split("/")[-depth:])) if name in twice else name
            for name, tag in zip(names, tags, strict=True)
        ]
        depth += 1
    if len(set(names)) < len(names):
        twice = {name for name in names if names.count(name) > 1}
        raise BindingError(model.key, f"two inputs have the role {min(twice)!r}", "Give one of them `role: NAME`.")
    return names


def _settings(model: ModelPlan, tag: Tag) -> InputPlan:
    for key in (tag.path, tag.address, tag.name):
        if key in model.input_settings:
            return model.input_settings[key]
    return InputPlan()


def _role(model: ModelPlan, name: str, tag: Tag) -> Role:
    settings = model.input_settings.get(name) or _settings(model, tag)
    step = settings.interpolation == "step" or (settings.interpolation is None and tag.data_type is DataType.BOOLEAN)
    return Role(
        name=name,
        unit=tag.unit,
        low=tag.eu_range.low if tag.eu_range else None,
        high=tag.eu_range.high if tag.eu_range else None,
        step=step,
        smallest_deviation=settings.smallest_deviation,
    )


def _max_gaps(model: ModelPlan, names: Sequence[str], tags: Sequence[Tag]) -> dict[str, int]:
    settings = {
        name: model.input_settings.get(name) or _settings(model, tag) for name, tag in zip(names, tags, strict=True)
    }
    return {name: one.max_gap_ns for name, one in settings.items() if one.max_gap_ns is not None}


def _operands(model: ModelPlan, tags: Sequence[Tag], addresses: Mapping[str, str]) -> dict[str, str]:
    if model.running is None:
        return {}
    found = {}
    for operand in model.running.operands:
        address = addresses.get(operand) or next((tag.address for tag in tags if matches(operand, tag)), None)
        if address is None:
            raise BindingError(model.key, f"no tag or role {operand!r} for the running condition")
        found[operand] = address
    return found
