"""Settings of single jobs: the group of a model that is named like its job (`quality: {target: ...}`)."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

from tagsight.setting import Conflict, Setting, setting
from tagsight.setting_types import Bounds, Duration, Level, Line, Pattern

DAY: Final = 86_400_000_000_000
LABELS_LIMIT: Final = 200
ADJUSTABLE_LIMIT: Final = 50
INPUTS_LIMIT: Final = 500


class Labels(Setting):
    """Where the periods come from of which somebody said what they were."""

    file: Line | None = setting(
        "CSV file of periods: `from,to,label`, and `component` where one asset has several. Times without an offset "
        "are in the time zone of this file.",
        default=None,
        example="faults.csv",
    )
    tag: Pattern | None = setting(
        "Tag whose value says what is going on: a number or a state.", default=None, example="Plant/P101/FaultCode"
    )
    names: dict[Line, Level] = setting(
        "What the values of `tag` mean; a value that is not here has no label.",
        default={},
        example={"0": "normal", "1": "bearing"},
        max_length=LABELS_LIMIT,
    )
    feedback: bool = setting(
        "Alarms that operators called true are labelled `fault`, false ones `normal`.", default=False, example=True
    )
    normal: Line | None = setting(
        "The label that means no fault. Without it: `normal`, or `0` where all labels are numbers from 0 on.",
        default=None,
        example="ok",
    )
    normal_of: dict[Level, Line] = setting(
        "The same for single components, where it is another label. A component without a normal label is named, but "
        "never alarms.",
        default={},
        example={"valve": "100", "pump": "0"},
        max_length=LABELS_LIMIT,
    )

    @classmethod
    def together(cls, given: Mapping[str, Any]) -> Iterator[Conflict]:
        """At least one source; names belong to a tag."""
        if not given.get("file") and not given.get("tag") and not given.get("feedback"):
            yield Conflict("file", "labels from nowhere", "Write `file: faults.csv`, or `tag:`.")
        if given.get("names") and not given.get("tag"):
            yield Conflict("names", "`names` without `tag`", "Add `tag:`, or remove it.")
        if given.get("tag") and not given.get("names"):
            yield Conflict("names", "is missing: what the values of `tag` mean", 'Write `names: {"0": normal, ...}`.')


class Diagnosis(Setting):
    """Settings of the job `diagnosis`."""

    labels: Labels = setting("Which known faults were when.")
    sure_from: float = setting(
        "Probability of a fault from which on the score is 1.0, the alarm limit.",
        default=0.5,
        example=0.5,
        ge=0.05,
        le=0.95,
    )


class Prognosis(Setting):
    """Settings of the job `prognosis`."""

    lives: Line | None = setting(
        "CSV file of runs to failure: `from,to,failed` (`failed`: yes or no).", default=None, example="lives.csv"
    )
    tag: Pattern | None = setting(
        "Instead of lives: the input that must not cross a limit; its trend is extrapolated.",
        default=None,
        example="Plant/P101/Vibration",
    )
    above: float | None = setting("The limit that `tag` must not exceed.", default=None, example=7.1)
    below: float | None = setting("The limit that `tag` must not fall below.", default=None, example=1.2)
    horizon: Duration = setting(
        "Remaining life at which the score is 1.0, the alarm limit.", default=7 * DAY, example="7d", ge=1_000_000_000
    )
    coverage: float = setting(
        "Share of cases in which the true remaining life lies in the interval.",
        default=0.8,
        example=0.8,
        ge=0.5,
        le=0.99,
    )

    @classmethod
    def together(cls, given: Mapping[str, Any]) -> Iterator[Conflict]:
        """Lives, or a tag with one limit."""
        limits = [key for key in ("above", "below") if given.get(key) is not None]
        if bool(given.get("lives")) == bool(given.get("tag")):
            yield Conflict("lives", "one of `lives` and `tag` is needed", "Write `lives: lives.csv`, or `tag:`.")
        if given.get("tag") and len(limits) != 1:
            yield Conflict("tag", "needs one limit", "Write `above:` or `below:`.")
        if limits and not given.get("tag"):
            yield Conflict(limits[0], "a limit without `tag`", "Add `tag:`, or remove it.")


class Quality(Setting):
    """Settings of the job `quality`."""

    target: Pattern = setting("Tag of the laboratory value that is predicted.", example="Lab/Column1/Viscosity")
    delay: Duration | None = setting(
        "How much later than the inputs the sample shows what they did. Without it: found in the data.",
        default=None,
        example="30m",
        le=7 * DAY,
    )
    known_after: Duration = setting(
        "How long after the sample its value is in the historian.", default=0, example="4h", le=30 * DAY
    )
    low: float | None = setting("Lower limit of the target.", default=None, example=38.0)
    high: float | None = setting("Upper limit of the target.", default=None, example=42.0)
    coverage: float = setting(
        "Share of laboratory values that lie in the interval.", default=0.9, example=0.9, ge=0.5, le=0.99
    )
    adjustable: dict[Level, Bounds] = setting(
        "Roles that operators may move, each with its bounds: for advice.",
        default={},
        example={"Reflux": [12.0, 18.0]},
        max_length=ADJUSTABLE_LIMIT,
    )

    @classmethod
    def together(cls, given: Mapping[str, Any]) -> Iterator[Conflict]:
        """Limits in order; advice needs one."""
        low, high = given.get("low"), given.get("high")
        if isinstance(low, int | float) and isinstance(high, int | float) and low >= high:
            yield Conflict("low", f"{low:g} is not below `high: {high:g}`", "Exchange them, or correct one.")
        if given.get("adjustable") and low is None and high is None:
            yield Conflict("adjustable", "advice needs a limit", "Write `low:` or `high:`, or remove it.")


class Production(Setting):
    """Settings of the job `production`."""

    target: Pattern = setting("Tag of what is to be raised or lowered.", example="Plant/Line1/Throughput")
    goal: Literal["raise", "lower"] = setting("What is better.", default="raise", example="raise")
    coverage: float = setting(
        "Share of cases in which the gain lies in its interval.", default=0.9, example=0.9, ge=0.5, le=0.99
    )
    adjustable: dict[Level, Bounds] = setting(
        "Roles that operators may move, each with its bounds: for advice.",
        default={},
        example={"Feed": [80.0, 120.0]},
        max_length=ADJUSTABLE_LIMIT,
    )
    conditions: list[Level] = setting(
        "Roles that no move of operators changes: weather, feed, order. Without it: all that are not adjustable.",
        default=[],
        example=["AmbientTemperature"],
        max_length=INPUTS_LIMIT,
    )
    stations: dict[Level, list[Level]] = setting(
        "Stations of a line in the order of the flow, each with the roles that are 1 while it is starved and while it "
        "is blocked: to find the bottleneck.",
        default={},
        example={"Filler": ["FillerStarved", "FillerBlocked"]},
        max_length=ADJUSTABLE_LIMIT,
    )
