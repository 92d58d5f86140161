"""Which output tags there are: one list for the tag server, `tagsight tags` and the write fence."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from tagsight_connectors.serving import ServedVariable, UserRole
from tagsight_connectors.tag import DataType, Range
from tagsight_explain.players import Groups, Players
from tagsight_models.job_output import JobOutput

PLUGIN: Final = "TagSight"
"""Level of the plugin's own tags, and its key in the ledger's operator state."""

PLUGIN_MODEL: Final = "Plugin"
"""What stands for {model} in the address of a plugin's tag when results are written to a historian."""

FEEDBACK: Final = "Feedback"
OFF: Final = "Off"
CONDITION: Final = "Condition"
"""Last level of the identifier of a model's alarm condition; no tag."""

OPERATORS_OUTPUTS: Final = frozenset({FEEDBACK, OFF})
"""What operators write; TagSight writes them only to show what it has taken over (`tagsight.operator_tags`)."""

TOP_RANKS: Final = 5

_NUMBER, _TEXT = DataType.NUMBER, DataType.TEXT
_SWITCH: Final = Range(0.0, 1.0)


class RoleLike(Protocol):
    """What an output needs to know of a role (`tagsight_models.frame.Role` has it)."""

    @property
    def name(self) -> str:
        """Unique within the model."""

    @property
    def unit(self) -> str:
        """Engineering unit, "" for none."""

    @property
    def low(self) -> float | None:
        """Lower end of the EU range."""

    @property
    def high(self) -> float | None:
        """Upper end of the EU range."""


@dataclass(frozen=True, slots=True)
class OutputTag:
    """One output of a model or of the plugin.

    Attributes:
        output: path below the model's folder: `Score`, `Expected/speed`.
        data_type: NUMBER or TEXT.
        integer: a NUMBER without decimals.
        unit: engineering unit, "" for none.
        eu_range: None for none.
        description: one line for people.
        writable_by: the lowest role that may write it; None: read-only.
        definition: how it is made, "" for none.
    """

    output: str
    data_type: DataType = DataType.NUMBER
    integer: bool = False
    unit: str = ""
    eu_range: Range | None = None
    description: str = ""
    writable_by: UserRole | None = None
    definition: str = ""


def output_tags(
    model: str,
    roles: Sequence[RoleLike],
    *,
    detail: bool,
    outputs: Sequence[JobOutput] = (),
    groups: Groups = (),
) -> tuple[OutputTag, ...]:
    """The outputs of a model.

    Args:
        model: its key, `<asset>/<name>`: named in the descriptions.
        roles: its inputs; only needed with `detail`.
        detail: one tag for each role too: expected value, band, contribution.
        outputs: what its job says beside the score.
        groups: names and roles of groups that are explained as one.
    """
    tags = [*_basic(model), *_top(), *_drift(model), *_of_operators(model), *(_of_job(one) for one in outputs)]
    if detail:
        tags += _per_role(roles, groups)
    return tuple(tags)


def _basic(model: str) -> Iterator[OutputTag]:
    words, made = (
        f"{model}: 0 is normal, 1.0 is the alarm limit",
        f"{model}: distance from the behaviour that it learned",
    )
    yield OutputTag("Score", eu_range=Range(0.0, 2.0), description=words, definition=made)
    yield OutputTag("Limit", eu_range=Range(0.0, 2.0), description="Alarm limit of the score")
    yield OutputTag("Alarm", _NUMBER, True, "", _SWITCH, f"{model}: 1 while the alarm is active")
    states = "NAMUR NE 107: 0 normal, 2 function check, 3 out of specification, 4 maintenance required"
    yield OutputTag("State", _NUMBER, True, "", Range(0.0, 4.0), states)
    yield OutputTag("Message", _TEXT, description=f"{model}: what is abnormal, in one sentence")
    yield OutputTag("Reason", _TEXT, description="Why the outputs are not Good")
    yield OutputTag("ModelVersion", _NUMBER, True, description="Version of the model that scored")
    yield OutputTag("LastRun", _TEXT, description="Due time of the last run, UTC")


def _top() -> Iterator[OutputTag]:
    for rank in range(1, TOP_RANKS + 1):
        name = f"Top{rank}"
        yield OutputTag(f"{name}_Tag", _TEXT, description=f"Tag that contributes to the excess, rank {rank}")
        yield OutputTag(
            f"{name}_Share", _NUMBER, False, "%", Range(0.0, 100.0), f"Its share of the excess, rank {rank}"
        )
        yield OutputTag(f"{name}_Actual", description=f"Its value, in its own unit, rank {rank}")
        yield OutputTag(f"{name}_Expected", description=f"Its expected value, in its own unit, rank {rank}")
        yield OutputTag(f"{name}_Direction", _TEXT, description=f"Whether it is too high or too low, rank {rank}")


def _drift(model: str) -> Iterator[OutputTag]:
    words = f"{model}: how far its inputs are from all training data, 1.0 is the limit; no alarm"
    yield OutputTag("Drift", eu_range=Range(0.0, 2.0), description=words)
    words = f"{model}: how far the relations between its inputs have moved since training, 1.0 is the limit; no alarm"
    yield OutputTag("DriftRelations", eu_range=Range(0.0, 2.0), description=words)
    yield OutputTag("DriftRoles", _TEXT, description="Inputs beyond a limit of drift, the farthest first")
    yield OutputTag("DriftReason", _TEXT, description="What moved and how, or why no drift is known")


def _of_operators(model: str) -> Iterator[OutputTag]:
    given = f"{model}: was the alarm right? 1 true, 2 false, 3 maintenance; goes back to 0 once stored"
    yield OutputTag(FEEDBACK, _NUMBER, True, "", Range(0.0, 3.0), given, UserRole.OPERATOR)
    yield OutputTag("FeedbackCount", _NUMBER, True, description="How often feedback was stored")
    off = f"{model}: 1 announces nothing; scoring goes on"
    yield OutputTag(OFF, _NUMBER, True, "", _SWITCH, off, UserRole.OPERATOR)


def _of_job(output: JobOutput) -> OutputTag:
    ranged = None if output.low is None or output.high is None else Range(output.low, output.high)
    kind = _TEXT if output.text else _NUMBER
    return OutputTag(output.name, kind, False, output.unit, ranged, output.description)


def _per_role(roles: Sequence[RoleLike], groups: Groups) -> Iterator[OutputTag]:
    for role in roles:
        ranged = None if role.low is None or role.high is None else Range(role.low, role.high)
        for kind, words in (
            ("Expected", "expected value"),
            ("Lower", "lower end of band"),
            ("Upper", "upper end of band"),
        ):
            yield OutputTag(f"{kind}/{role.name}", _NUMBER, False, role.unit, ranged, f"{role.name}: {words}")
    for player in Players.of([role.name for role in roles], groups).names:
        yield OutputTag(f"Contribution/{player}", description=f"{player}: its Shapley value in the score")
    yield OutputTag("ContributionBase", description="Score of the normal reference; contributions add to it")
    yield OutputTag("ContributionSum", description="Base and contributions together: equals the score")


def plugin_tags() -> tuple[OutputTag, ...]:
    """The tags of the plugin itself."""
    return (
        OutputTag("Heartbeat", _NUMBER, True, description="Counts up every few seconds; unchanged for 15 s: stopped"),
        OutputTag(
            "PluginState", _NUMBER, True, "", Range(0.0, 4.0), "NAMUR NE 107: 0 normal, 1 failure, 2 function check"
        ),
        OutputTag("Buffered", _NUMBER, True, description="Results not yet confirmed by their historian"),
        OutputTag("Missed", _NUMBER, True, description="Due times that were never scored"),
        OutputTag("NotRecovered", _NUMBER, True, description="Given up for good: results, and gaps in histories"),
        OutputTag("AlarmsPerDay", description="Alarms announced in the last 24 hours, all models together"),
        OutputTag("CertificateDays", _NUMBER, False, "d", None, "Days until the first certificate in use expires"),
        OutputTag(OFF, _NUMBER, True, "", _SWITCH, "1: no model announces anything", UserRole.ENGINEER),
    )


def identifier_of(model: str, output: str) -> str:
    """Identifier of an output in the tag server: `<asset>/<model>/<output>`; the plugin's under `TagSight/`."""
    return f"{model}/{output}"


def split_identifier(identifier: str) -> tuple[str, str] | None:
    """Model key and output of an identifier; None where it cannot be one."""
    levels = identifier.split("/", 2)
    if len(levels) == 2 and levels[0] == PLUGIN:
        return PLUGIN, levels[1]
    return (f"{levels[0]}/{levels[1]}", levels[2]) if len(levels) == 3 else None


def served_variable(model: str, tag: OutputTag, *, path: str = "", part_of: str = "") -> ServedVariable:
    """The variable of the tag server for an output of a model, or of the plugin (`PLUGIN`).

    Args:
        model: key of the model.
        tag: the output.
        path: where it is not the identifier.
        part_of: type of the model's folder.
    """
    identifier = identifier_of(model, tag.output)
    return ServedVariable(
        identifier=identifier,
        path=path or identifier,
        data_type=tag.data_type,
        integer=tag.integer,
        unit=tag.unit,
        eu_range=tag.eu_range,
        description=tag.description,
        writable_by=tag.writable_by,
        definition=tag.definition,
        part_of=part_of,
    )
