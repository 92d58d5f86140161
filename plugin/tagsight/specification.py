"""The specification of the configuration file: every setting with its description, unit, default and example.

Validation, the sample, the reference page and the JSON schema all come from here. Rules that concern several settings
of one group are in `together`; what needs the whole file (names, dates, references) is in `tagsight.compilation`.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple

from pydantic import JsonValue

from tagsight.job_settings import Diagnosis, Production, Prognosis, Quality
from tagsight.report_settings import Report
from tagsight.setting import Conflict, Setting, setting
from tagsight.setting_types import (
    Address,
    AdviceText,
    Budget,
    CausePattern,
    Duration,
    LanguageCode,
    Level,
    Line,
    Listen,
    Moment,
    Origin,
    Pattern,
    Running,
    Size,
    Timetable,
    Trials,
    Url,
)

MODELS_LIMIT: Final = 2_000
INPUTS_LIMIT: Final = 500
PERIODS_LIMIT: Final = 1_000
HISTORIANS_LIMIT: Final = 32
CAUSES_LIMIT: Final = 100
FRAMES_LIMIT: Final = 50
LOOPBACK: Final = ("127.", "localhost:", "[::1]:")
MINUTE: Final = 60_000_000_000
HOUR: Final = 60 * MINUTE
DAY: Final = 1_440 * MINUTE
JOB_GROUPS: Final = ("diagnosis", "prognosis", "quality", "production")


class Results(Setting):
    """Which way results go back."""

    to: Literal["server", "write", "history"] = setting(
        "`server`: TagSight's own OPC UA server, from which historian and HMI collect. `write`: tags that the "
        "historian already has, by the Write service. `history`: such tags, by HistoryUpdate.",
        default="server",
        example="server",
    )
    address: Address | None = setting(
        "Where `write` and `history` go: each tag's address with {asset}, {model}, {output} (and {role} for detail).",
        default=None,
        example="ns=2;s=TagSight.{asset}.{model}.{output}",
    )
    root: Line | None = setting(
        "Every address that is written must begin with this. Without it: the part of `address` before its first brace.",
        default=None,
        example="ns=2;s=TagSight.",
    )
    listen: Listen = setting(
        "Host and port of TagSight's own OPC UA server. On loopback no other machine can connect.",
        default=("127.0.0.1", 4841),
        example="0.0.0.0:4841",
    )
    listen_security: Literal["sign_and_encrypt", "sign"] = setting(
        "Least security there. `sign` also admits HMIs that sign and do not encrypt: readable on the network.",
        default="sign_and_encrypt",
        example="sign_and_encrypt",
    )

    @classmethod
    def together(cls, given: Mapping[str, Any]) -> Iterator[Conflict]:
        """`address` belongs to `write` and `history`, `listen` to `server`."""
        write = given.get("to") in {"write", "history"}
        for key in ("listen", "listen_security"):
            if write and key in given:
                yield Conflict(key, "only the destination `server` listens", "Remove it, or write `to: server`.")
        for key in ("address", "root"):
            if not write and key in given:
                cause = "only the destinations `write` and `history` have it"
                yield Conflict(key, cause, "Remove it, or write `to: write`.")


class Historian(Setting):
    """One historian. Its password is never here: `tagsight password set NAME` stores it."""

    url: Url = setting(
        "Where it is; the scheme picks the connector: `opc.tcp`, `file` or `memory`.", example="opc.tcp://scada01:4840"
    )
    redundant: list[Url] = setting(
        "Further servers of the same historian (OPC UA redundancy): the one with the highest ServiceLevel is used.",
        default=[],
        example=["opc.tcp://scada02:4840"],
        max_length=3,
    )
    user: Line = setting("User name at an OPC UA server.", default="", example="tagsight")
    user_certificate: Line | None = setting(
        "File of an X.509 certificate (DER or PEM) that says who TagSight is, instead of `user`.",
        default=None,
        example="tagsight-user.der",
    )
    user_key: Line | None = setting(
        "File of its private key (DER or PEM), readable by TagSight's account only (0600). Without it: "
        "`certificates/users/NAME.pem` in the data folder. `tagsight password set NAME` keeps the passphrase of an "
        "encrypted one.",
        default=None,
        example="tagsight-user.pem",
    )
    anonymous: bool = setting(
        "Connect without a user. Only for OPC UA servers that take no users at all.", default=False, example=False
    )
    security: Literal["sign_and_encrypt", "sign", "none"] = setting(
        "Least security of the messages; the best that the server offers is used. `sign` also takes servers that do "
        "not encrypt; `none` sends everything readable, passwords too: for commissioning only.",
        default="sign_and_encrypt",
        example="sign_and_encrypt",
    )
    timeout: Duration = setting(
        "The longest that one request may take.", default=10_000_000_000, example="10s", ge=100_000_000, le=10 * MINUTE
    )
    live: Literal["auto", "history", "subscription"] = setting(
        "Where live scoring gets new values. `history`: asked of the history at every scoring, late values included. "
        "`subscription`: told by the server as they change, and the history is asked only for what was not received. "
        "`auto`: history, and a subscription for tags whose history cannot be read: they are Bad until enough of "
        "them was received. Training always needs a history.",
        default="auto",
        example="history",
    )
    results: Results | None = setting("Like `results` of the file, for this historian alone.", default=None)

    @classmethod
    def together(cls, given: Mapping[str, Any]) -> Iterator[Conflict]:
        """Only OPC UA servers are redundant; they need exactly one way to say who connects."""
        urls = [given.get("url"), *(given.get("redundant") or [])]
        if len(urls) > 1 and not all(str(url).startswith("opc.tcp:") for url in urls):
            yield Conflict("redundant", "only `opc.tcp` servers are redundant", "Remove it.")
        yield from _users(given)


def _users(given: Mapping[str, Any]) -> Iterator[Conflict]:
    ways = [key for key in ("user", "user_certificate", "anonymous") if given.get(key)]
    is_opc_ua = str(given.get("url")).startswith("opc.tcp:")
    if is_opc_ua and not ways:
        mend = "Write `user: tagsight`; `anonymous: true` only where the server takes no users at all."
        yield Conflict("user", "is missing: an OPC UA server wants to know who connects", mend)
    if len(ways) > 1:
        yield Conflict(ways[1], f"`{ways[0]}` and `{ways[1]}` exclude one another", f"Remove `{ways[1]}`.")
    if given.get("user_key") and "user_certificate" not in ways:
        yield Conflict("user_key", "`user_key` without `user_certificate`", "Add `user_certificate:`, or remove it.")
    if "user_certificate" in ways and given.get("security") == "none":
        yield Conflict("user_certificate", "needs secured messages", "Remove `security: none`, or use `user`.")


class HeldOut(Setting):
    """The held-out normal time that the alarm limit comes from."""

    start: Moment = setting("Its beginning.", alias="from", example="2026-03-01")
    end: Moment = setting("Its end (not included).", alias="to", example="2026-04-15")


class Excluded(Setting):
    """A period that training leaves out."""

    start: Moment = setting("Its beginning.", alias="from", example="2026-02-03 06:00")
    end: Moment = setting("Its end (not included).", alias="to", example="2026-02-04 14:00")
    reason: Line = setting("Why, for the card of the model.", default="", example="bearing replaced")


class Train(Setting):
    """Which history a model learns from, and when."""

    last: Duration | None = setting(
        "Learn from the time before the training; without `from` and `to`: 90 days.",
        default=None,
        example="90d",
        ge=MINUTE,
    )
    start: Moment | None = setting("Learn from this day on, instead of `last`.", alias="from", default=None,
                                    example="2026-01-05")  # fmt: skip
    end: Moment | None = setting("... until this (not included).", alias="to", default=None, example="2026-03-01")
    every: Timetable | None = setting(
        "Train again by the calendar. Without it: only by `tagsight train`.", default=None, example="sun 03:30"
    )
    exclude: list[Excluded] = setting("Periods to leave out.", default=[], max_length=PERIODS_LIMIT)
    limit: HeldOut | None = setting(
        "Held-out normal time for the alarm limit. Without it: the last quarter of the history.", default=None
    )
    at_most: Duration = setting(
        "Time budget of one training.", default=10 * MINUTE, example="10m", ge=1_000_000_000, le=DAY
    )
    promote: Literal["by_hand", "when_it_holds"] = setting(
        "What becomes of a later version. `by_hand`: it scores in the shadow of the one that runs until "
        "`tagsight model approve`. `when_it_holds`: it takes over after at least 7 days in the shadow if it raised no "
        "more alarms and missed none that operators called true.",
        default="by_hand",
        example="by_hand",
    )
    search: Trials | None = setting(
        "Look for size and rate of the network first, in at most half of `at_most`: trials on held-out parts of the "
        "time that is learned from. Without it: the usual ones. For `health`.",
        default=None,
        example="20 trials",
    )
    seed: int = setting("Start of the random numbers: same data, same plan, same seed, same model.", default=0,
                         example=0, ge=0, le=2**31 - 1)  # fmt: skip

    @classmethod
    def together(cls, given: Mapping[str, Any]) -> Iterator[Conflict]:
        """Either `last`, or `from` and `to`."""
        period = [key for key in ("from", "to") if key in given]
        if "last" in given and period:
            yield Conflict(
                "last", f"`last` and `{period[0]}` exclude one another", f"Remove one: `last`, or `{period[0]}`."
            )
        elif len(period) == 1:
            other = "to" if period == ["from"] else "from"
            yield Conflict(
                period[0], f"`{period[0]}` without `{other}`", f'Add `{other}: "2026-03-01"` with your date.'
            )
        if period and "every" in given:
            yield Conflict("every", "a fixed period gives the same model again", "Remove `every`, or use `last`.")


class Score(Setting):
    """When and on what a model scores."""

    every: Duration = setting("How often.", default=MINUTE, example="1m", ge=1_000_000_000, le=DAY)
    grid: Duration | None = setting(
        "Time step of the model. Without it: the median sampling of the inputs, at least 1 s.",
        default=None,
        example="1m",
        ge=1_000_000_000,
        le=DAY,
    )
    read: Literal["raw", "averages"] = setting(
        "`raw`: every stored value of an input. `averages`: its averages over the steps of `grid`, which the historian "
        "computes where it can, so that far less travels; else TagSight does. Booleans and conditions are always read "
        "raw.",
        default="raw",
        example="averages",
    )
    window: int = setting(
        "How much the model sees at once. Wear shows slowly: with `job: prognosis` it is 120 unless set.",
        unit="grid steps",
        default=60,
        example=60,
        ge=11,
        le=2_000,
    )
    wait: Duration | None = setting(
        "How long to wait for late values before scoring. Without it: what 95 % of the values needed while the model "
        "was trained, at least 5 s and at most `every`.",
        default=None,
        example="5s",
        le=DAY,
    )
    late: Duration = setting(
        "Inside it a late value scores again; beyond it is recorded.", default=15 * MINUTE, example="15m", le=7 * DAY
    )
    catch_up: Duration = setting(
        "What is scored after a stop of TagSight or the historian; what is older is counted in `Missed`.",
        default=DAY,
        example="1d",
        le=30 * DAY,
    )

    @classmethod
    def together(cls, given: Mapping[str, Any]) -> Iterator[Conflict]:
        """Averages need a grid before any value is read."""
        if given.get("read") == "averages" and "grid" not in given:
            yield Conflict("read", "`averages` without `grid`", "Add for example `grid: 1m`.")


class Cost(Setting):
    """What chooses among the limits that keep to `at_most`: the one that costs least in an average month."""

    false_alarm: float = setting(
        "Of one false alarm: a walk to the machine, trust.",
        unit="any currency",
        alias="false",
        example=200,
        ge=0.0,
        le=1e15,
    )
    missed: float = setting(
        "Of one fault that raises no alarm.", unit="the same currency", example=20000, ge=0.0, le=1e15
    )
    faults: Budget = setting("How many faults are to be expected.", default=(1.0, 365 * DAY), example="1 per year")


class Alarm(Setting):
    """How a score becomes an alarm (ISA-18.2)."""

    at_most: Budget = setting(
        "How many alarms normal operation may raise; the limit is set so.",
        default=(2.0, 30 * DAY),
        example="2 per month",
    )
    on_delay: Duration = setting("How long the score must exceed the limit.", default=5 * MINUTE, example="5m", le=DAY)
    off_delay: Duration = setting("How long it must be back.", default=5 * MINUTE, example="5m", le=DAY)
    latch: bool = setting("Stay active until acknowledged.", default=False, example=False)
    severity: int = setting(
        "OPC UA severity; advisory is below 400.", unit="1 to 1000", default=300, example=300, ge=1, le=1_000
    )
    cost: Cost | None = setting(
        "What false alarms and missed faults cost: chooses among the limits that keep to `at_most`. Without it: the "
        "lowest of them. Of `health` alone.",
        default=None,
    )


class Explain(Setting):
    """How a score is explained."""

    explainer: Literal["fast", "shap-exact", "shap-permutation"] = setting(
        "`fast` gives the same values as `shap-exact`, sooner.", default="fast", example="fast"
    )
    seconds: float = setting("Time budget of one explanation.", unit="s", default=2.0, example=2.0, ge=0.05, le=60.0)
    normal_every: Duration = setting(
        "A score below half its limit is explained at most so often; a higher one always. 0: each.",
        default=60 * MINUTE,
        example="1h",
        le=DAY,
    )
    absent: Literal["reference", "normal", "conditional"] | None = setting(
        "What an input counts as while it is left out to see what the score owes to it. `reference`: the median of "
        "training. `normal`: taken from normal windows of training. `conditional`: what the other inputs that are "
        "there make expect of it. Without it: `conditional` for `health`, `reference` for other jobs.",
        default=None,
        example="conditional",
    )
    groups: dict[Level, list[Level]] = setting(
        "Roles that are explained as one, by the name of their group: a loop, a unit. The group stands in the place of "
        "its roles among the leading roles, in the message and in the contributions.",
        default={},
        example={"Suction": ["PT-101", "FT-101"]},
        max_length=INPUTS_LIMIT,
    )

    @classmethod
    def together(cls, given: Mapping[str, Any]) -> Iterator[Conflict]:
        """A role plays once."""
        groups = given.get("groups")
        seen: dict[str, str] = {}
        for name, roles in (groups if isinstance(groups, dict) else {}).items():
            for role in roles if isinstance(roles, list) else []:
                if role in seen:
                    yield Conflict("groups", f"role {role!r} is in {seen[role]!r} and in {name!r}", "Leave it in one.")
                seen[str(role)] = str(name)
        for name in sorted(set(seen) & set(groups if isinstance(groups, dict) else {})):
            if seen[name] != name:
                yield Conflict("groups", f"{name!r} is a group and a role of another", "Give the group another name.")


class Cause(Setting):
    """What operators are told when the leading roles of an alarm form a pattern (docs/messages.md)."""

    pattern: CausePattern = setting(
        "Roles of the model with `high`, `low` (outside their normal band) or `unusual` (inside it), joined by `and` "
        "and `or`, with parentheses. A role counts from a share of 10 per cent on.",
        alias="if",
        example="Speed low and Current high",
    )
    say: AdviceText = setting(
        "Appended to the message; of several patterns that hold, the first one's.",
        unit="at most 60 characters",
        example="check suction strainer",
    )


class RoleSettings(Setting):
    """What is known of one role beyond what the historian says."""

    tag: Pattern | None = setting(
        "Path or address of its tag; without it: the input whose last level is the role's name.",
        default=None,
        example="Plant/P101/Speed",
    )
    interpolation: Literal["step", "linear"] | None = setting(
        "Between two values: hold (`step`) or `linear`. Without it: linear for numbers, step for Booleans.",
        default=None,
        example="step",
    )
    max_gap: Duration | None = setting(
        "Older values are not fresh. Without it: from the gaps in the history.", default=None, example="10m", ge=1
    )
    smallest_deviation: float = setting(
        "Smaller deviations are never abnormal.", unit="engineering unit of the tag", default=0.0, example=0.5, ge=0.0
    )

    @classmethod
    def together(cls, given: Mapping[str, Any]) -> Iterator[Conflict]:
        """A role has one tag."""
        tag = given.get("tag")
        if isinstance(tag, str) and any(character in tag for character in "*?"):
            yield Conflict("tag", "a pattern, but a role has one tag", "Name one tag; patterns belong under `inputs`.")


class Model(Setting):
    """One model of one asset, or of every asset in a table."""

    name: Level = setting("Name of the model; unique within its asset.", example="Health")
    asset: Level = setting("The machine or unit.", example="P101")
    job: Literal["health", "diagnosis", "prognosis", "quality", "production"] = setting(
        "What it is for. `health`: learns normal behaviour, one score. `diagnosis`: names a known fault. `prognosis`: "
        "remaining life, or time to a limit. `quality`: predicts a laboratory value. `production`: what limits "
        "throughput, yield or energy, and what would help.",
        default="health",
        example="health",
    )
    diagnosis: Diagnosis | None = setting("Settings of the job `diagnosis`.", default=None)
    prognosis: Prognosis | None = setting("Settings of the job `prognosis`.", default=None)
    quality: Quality | None = setting("Settings of the job `quality`.", default=None)
    production: Production | None = setting("Settings of the job `production`.", default=None)
    network: Literal["mlp", "tcn", "gru"] | None = setting(
        "Network of the model: `mlp` (perceptron), `tcn` (convolutions over time), `gru` (recurrent). Without it: the "
        "job's own. `health` has one of its own kind.",
        default=None,
        example="tcn",
    )
    sister: Line | None = setting(
        "Start from the approved model of a sister machine, `ASSET NAME` or `ASSET/NAME`; inputs are matched by role "
        "and unit. It is also trained from nothing, and what is better on held-out time is kept. In a template the "
        "sister herself starts from nothing. For `health`.",
        alias="from",
        default=None,
        example="P102/Health",
    )
    historian: Level = setting("Name of its historian.", default="default", example="default")
    inputs: list[Pattern] = setting(
        "Tags: paths, addresses, or patterns (`*` within one level, `**` any levels).",
        default=[],
        example=["Plant/P101/*"],
        max_length=INPUTS_LIMIT,
    )
    exclude_inputs: list[Pattern] = setting(
        "Tags to leave out of `inputs`.", default=[], example=["Plant/P101/Counter"], max_length=INPUTS_LIMIT
    )
    roles: dict[Level, RoleSettings] = setting("More on single inputs, by role.", default={}, max_length=INPUTS_LIMIT)
    running: Running | None = setting(
        "Scores and learns only while this holds.", default=None, example="[Plant/P101/Speed] > 100"
    )
    running_buffer: Duration = setting(
        "Left out after a start and before a stop.", default=0, example="10m", le=7 * DAY
    )
    regime: Level | None = setting(
        "Input whose levels are the operating regimes of a machine (grade, recipe, product): each gets a limit of its "
        "own, and one that the training did not hold is not judged. `found`: inputs that hold their values say it. Of "
        "`health` alone.",
        default=None,
        example="Grade",
    )
    substitute: float = setting(
        "Share of the inputs that may be replaced by what the model expects of them when they are missing, Bad, stand "
        "still or became noisy alone; the score is then Uncertain. At least one of three or more inputs; 0: none.",
        unit="share",
        default=0.2,
        example=0.2,
        ge=0.0,
        le=0.5,
    )
    train: Train = setting("Which history it learns from, and when.", default=Train())
    score: Score = setting("When and on what it scores.", default=Score())
    alarm: Alarm = setting("How a score becomes an alarm.", default=Alarm())
    outputs: Literal["basic", "detail"] = setting(
        "`basic`: what an operator needs. `detail`: also expected value, band and contribution of every role.",
        default="basic",
        example="basic",
    )
    explain: Explain = setting("How a score is explained.", default=Explain())
    causes: list[Cause] = setting(
        "What operators are told at known patterns of contributions.", default=[], max_length=CAUSES_LIMIT
    )

    @classmethod
    def together(cls, given: Mapping[str, Any]) -> Iterator[Conflict]:
        """A model needs inputs, and the settings of its job and of no other."""
        job = given.get("job", "health")
        for key in JOB_GROUPS:
            if key == job and not given.get(key):
                yield Conflict(key, f"`job: {job}` without its settings", f"Add `{key}:` (docs/configuration.md).")
            elif key != job and given.get(key):
                yield Conflict(key, f"belongs to `job: {key}`, and this is `job: {job}`", "Remove it, or change `job`.")
        if job != "health" and given.get("from"):
            yield Conflict("from", "only `health` starts from a sister's model", "Remove it.")
        train = given.get("train")
        if job != "health" and isinstance(train, dict) and train.get("search"):
            yield Conflict("train", "only `health` searches for its network", "Remove `search` from `train`.")
        alarm = given.get("alarm")
        if job != "health" and isinstance(alarm, dict) and alarm.get("cost"):
            yield Conflict("alarm", "only the limit of `health` is chosen by its cost", "Remove `cost` from `alarm`.")
        if job == "health" and given.get("network"):
            yield Conflict("network", "`health` has a network of its own kind", "Remove it.")
        roles = given.get("roles") or {}
        has_tag = isinstance(roles, dict) and any(isinstance(role, dict) and "tag" in role for role in roles.values())
        if not given.get("inputs") and not has_tag:
            yield Conflict("inputs", "a model without inputs", 'Write for example `inputs: ["Plant/P101/*"]`.')


class Rollout(NamedTuple):
    """A setting that is resolved before a model is validated (`tagsight.templates`)."""

    description: str
    example: str


ROLLOUT: Final[dict[str, Rollout]] = {
    "template": Rollout("Take all settings of this template; those written here win.", "pump"),
    "machines": Rollout(
        "CSV table, one asset a line. {column} anywhere in the model becomes the line's text; a column named like a "
        "setting (`alarm.at_most`) overrides it where its cell is not empty.",
        "pumps.csv",
    ),
}


class Retention(Setting):
    """How long results are kept; what is not delivered yet goes last."""

    keep: Duration = setting("By age.", default=30 * DAY, example="30d", ge=DAY)
    at_most: Size = setting("By size.", default=5_000_000_000, example="5 GB", ge=50_000_000)


class HistoryStore(Setting):
    """What was read once over OPC UA is kept in the data folder, so that a retrain does not ask the historian again."""

    use: bool = setting(
        "`false`: every training and rehearsal asks the historian for everything.", default=True, example=True
    )
    keep: Duration = setting(
        "A stored day goes when nothing asked for it in this time.", default=90 * DAY, example="90d", ge=DAY
    )
    at_most: Size = setting(
        "By size; the days longest unused go first.", default=20_000_000_000, example="20 GB", ge=100_000_000
    )
    refill: Duration = setting(
        "A gap in what was read is asked for again for so long; then it is counted as not recovered.",
        default=30 * DAY,
        example="30d",
        ge=DAY,
    )


class Web(Setting):
    """Pages for engineers and operators, in the browser; `web: {}` is enough on this machine."""

    listen: Listen = setting(
        "Host and port. On loopback only browsers on this machine can connect.",
        default=("127.0.0.1", 8443),
        example="0.0.0.0:8443",
    )
    certificate: Line | None = setting(
        "TLS: `own` for a certificate that TagSight makes, or the plant's as a PEM file with its chain. Without it: "
        "plain HTTP, on loopback only.",
        default=None,
        example="own",
    )
    key: Line | None = setting(
        "PEM file of the private key of a plant's certificate, not encrypted, readable by TagSight's account only.",
        default=None,
        example="pages.key",
    )
    frames: list[Origin] = setting(
        "Origins of the HMIs that may show faceplates in a frame; nothing else may.",
        default=[],
        example=["https://hmi01:8043"],
        max_length=FRAMES_LIMIT,
    )
    session: Duration = setting(
        "A sign-in ends so long after it.", default=12 * HOUR, example="12h", ge=5 * MINUTE, le=7 * DAY
    )
    idle: Duration = setting("... and so long after its last use.", default=HOUR, example="1h", ge=MINUTE, le=7 * DAY)
    plain_http_readable_by_everyone: bool = setting(
        "`true` allows plain HTTP on other addresses than loopback: passwords too are readable on the network. For "
        "commissioning only.",
        default=False,
        example=False,
    )

    @classmethod
    def together(cls, given: Mapping[str, Any]) -> Iterator[Conflict]:
        """Other machines connect by TLS; a plant's certificate has its key."""
        certificate, key = given.get("certificate"), given.get("key")
        listen = str(given.get("listen", "127.0.0.1:8443"))
        if not listen.startswith(LOOPBACK) and not certificate and not given.get("plain_http_readable_by_everyone"):
            cause = "passwords would be readable on the network"
            yield Conflict("listen", cause, "Add `certificate: own`, or the plant's certificate and `key`.")
        if certificate in (None, "", "own") and key:
            yield Conflict("key", "belongs to a plant's certificate", "Remove it, or name the `certificate`.")
        if certificate not in (None, "", "own") and not key:
            yield Conflict("key", "the certificate has no key", "Add `key:` with its PEM file.")


class Configuration(Setting):
    """The whole file."""

    timezone: Line | None = setting(
        "Time zone of every date and schedule in this file. Without it: this machine's.",
        default=None,
        example="Europe/Berlin",
    )
    language: LanguageCode = setting(
        "Language of what operators read: messages and reasons.", default="en", example="en"
    )
    historian: Historian | None = setting("The only historian: short for `historians: {default: ...}`.", default=None)
    historians: dict[Level, Historian] = setting("Historians by name.", default={}, max_length=HISTORIANS_LIMIT)
    results: Results = setting("Which way results go back.", default=Results())
    templates: dict[Level, dict[str, JsonValue]] = setting(
        "Settings of models that several models share, by name.", default={}, max_length=MODELS_LIMIT
    )
    models: list[Model] = setting("The models.", default=[], max_length=MODELS_LIMIT)
    retention: Retention = setting("How long results are kept.", default=Retention())
    history_store: HistoryStore = setting("The local copy of histories.", default=HistoryStore())
    web: Web | None = setting("The pages, served beside the service. Without it: none.", default=None)
    report: Report | None = setting("Shift reports by the calendar. Without it: none.", default=None)

    @classmethod
    def together(cls, given: Mapping[str, Any]) -> Iterator[Conflict]:
        """One way to name historians."""
        if "historian" in given and "historians" in given:
            yield Conflict("historian", "`historian` and `historians` both", "Move it below `historians` as `default`.")
        if "historian" not in given and not given.get("historians"):
            yield Conflict(
                "historian", "is missing", "Write `historian: {url: opc.tcp://scada01:4840, user: tagsight}`."
            )
