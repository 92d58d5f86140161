"""The plan: a configuration, checked and compiled to immutable values. Everything below the configuration reads this.

Durations are nanoseconds; None means "from the data" (what `check` and `probe` show), resolved at training and kept
in the model.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from zoneinfo import ZoneInfo

from tagsight.conditions import Condition
from tagsight.job_plans import DiagnosisPlan, JobPlan, QualityPlan
from tagsight_explain.settings import Absent


class Job(Enum):
    """What a model is for."""

    HEALTH = "health"
    DIAGNOSIS = "diagnosis"
    PROGNOSIS = "prognosis"
    QUALITY = "quality"
    PRODUCTION = "production"


class Destination(Enum):
    """Which way results go back."""

    SERVER = "server"
    WRITE = "write"
    HISTORY = "history"


class Security(Enum):
    """Message security of a connection."""

    SIGN_AND_ENCRYPT = "sign_and_encrypt"
    SIGN = "sign"  # only by the explicit setting `security: sign`
    NONE = "none"  # only by the explicit setting `security: none`


class LiveMode(Enum):
    """Where live scoring gets new values."""

    AUTO = "auto"  # from history; a subscription for tags without one
    HISTORY = "history"
    SUBSCRIPTION = "subscription"


class Detail(Enum):
    """Which outputs a model has."""

    BASIC = "basic"
    DETAIL = "detail"


@dataclass(frozen=True, slots=True)
class HistorianPlan:
    """One historian. The password is not here: `tagsight.secrets` finds it by `name`.

    `redundant`: URLs of further servers with the same tags; the healthiest one is used. `user_certificate`: file of a
    certificate that says who we are, instead of `user`; `user_key`: of its key, "" for the one in the data folder.
    """

    name: str
    url: str
    user: str = ""
    security: Security = Security.SIGN_AND_ENCRYPT
    timeout_s: float = 10.0
    redundant: tuple[str, ...] = ()
    user_certificate: str = ""
    user_key: str = ""
    anonymous: bool = False
    live: LiveMode = LiveMode.AUTO


@dataclass(frozen=True, slots=True)
class ResultsPlan:
    """Where results go, for the models of one historian.

    Attributes:
        to: SERVER (TagSight's own OPC UA server), WRITE (tags of the historian, by the Write service) or HISTORY (the
            same by HistoryUpdate).
        address: of the historian's tags: pattern with {asset} {model} {output} {role}.
        root: every such address must start with it; by default the fixed part of `address`.
        listen: host and port of the tag server.
        listen_security: the least that it takes.
    """

    to: Destination = Destination.SERVER
    address: str = ""
    root: str = ""
    listen_host: str = "127.0.0.1"
    listen_port: int = 4841
    listen_security: Security = Security.SIGN_AND_ENCRYPT

    @property
    def in_historian(self) -> bool:
        """Results go to tags that the historian has, not to TagSight's own server."""
        return self.to is not Destination.SERVER


@dataclass(frozen=True, slots=True)
class Period:
    """A half-open period, UTC ns, with the engineer's reason."""

    start_ns: int
    end_ns: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TrainPlan:
    """Which history a model learns from, and when.

    Either `last_ns` (counted back from the start of the training) or `start_ns` and `end_ns`.
    `every` is a crontab-like schedule as APScheduler's CronTrigger takes it, None: only by command.
    """

    last_ns: int | None = None
    start_ns: int | None = None
    end_ns: int | None = None
    every: Mapping[str, str] | None = None
    exclude: tuple[Period, ...] = ()
    at_most_seconds: float = 600.0
    seed: int = 0
    limit_start_ns: int | None = None  # the held-out time that the limit comes from; None: the last quarter
    limit_end_ns: int | None = None
    promote: bool = False  # a challenger that holds takes over by itself
    search: int = 0  # trials of a search for size and rate of the network


@dataclass(frozen=True, slots=True)
class ScorePlan:
    """When and on what a model scores."""

    every_ns: int
    grid_ns: int | None = None
    window_steps: int = 60
    wait_ns: int | None = None
    late_ns: int = 900_000_000_000
    catch_up_ns: int = 86_400_000_000_000
    averages: bool = False  # numbers are read as averages on the grid, which is then set


@dataclass(frozen=True, slots=True)
class CostPlan:
    """Of one false alarm and of one missed fault, in any currency; `faults` are expected per `per_ns`."""

    false: float
    missed: float
    faults: float
    per_ns: int


@dataclass(frozen=True, slots=True)
class AlarmPlan:
    """How a score becomes an alarm (ISA-18.2: on-delay, off-delay, latch)."""

    at_most: float = 2.0  # activations ...
    per_ns: int = 2_592_000_000_000_000  # ... per this time (30 days)
    on_delay_ns: int = 300_000_000_000
    off_delay_ns: int = 300_000_000_000
    latch: bool = False
    severity: int = 300
    cost: CostPlan | None = None  # chooses among the limits inside the budget; None: the lowest


@dataclass(frozen=True, slots=True)
class InputPlan:
    """What the engineer said about one input beyond its pattern, keyed by role or path."""

    role: str | None = None
    interpolation: str | None = None  # "step" or "linear"; None: step for Boolean, linear for numbers
    max_gap_ns: int | None = None
    smallest_deviation: float = 0.0


@dataclass(frozen=True, slots=True)
class CausePlan:
    """What engineers say to a pattern of contributions: `pattern` compares roles with `high`, `low`, `unusual`."""

    pattern: Condition
    say: str


@dataclass(frozen=True, slots=True)
class ModelPlan:
    """One model of one asset."""

    asset: str
    name: str
    job: Job
    historian: str
    inputs: tuple[str, ...]  # patterns of paths, or addresses
    train: TrainPlan
    score: ScorePlan
    exclude_inputs: tuple[str, ...] = ()
    input_settings: Mapping[str, InputPlan] = field(default_factory=dict)
    running: Condition | None = None
    running_buffer_ns: int = 0
    alarm: AlarmPlan = field(default_factory=AlarmPlan)
    outputs: Detail = Detail.BASIC
    explainer: str = "fast"
    explain_seconds: float = 2.0
    explain_absent: Absent = ""  # what an absent role is; "": the job's own
    explain_groups: tuple[tuple[str, tuple[str, ...]], ...] = ()  # groups that are explained as one: name, roles
    explain_normal_every_ns: int = 0  # scores below half the limit are explained at most so often; 0: each
    causes: tuple[CausePlan, ...] = ()  # the first whose pattern holds is said
    of_job: JobPlan | None = None  # settings of the job; `health` has none
    network: str = ""  # short name; "": the job's own
    sister: str = ""  # key of the model whose approved version training may start from
    regime: str = ""  # role whose levels are operating regimes; "found": look for such roles; "": one regime
    substitute: float = 0.2  # share of the inputs that may be replaced by the model's estimate

    @property
    def beside_inputs(self) -> tuple[str, ...]:
        """Patterns of tags that the job reads besides its inputs: a laboratory value, or what tells the labels."""
        match self.of_job:
            case QualityPlan():
                return (self.of_job.target,)
            case DiagnosisPlan() if self.of_job.labels.tag:
                return (self.of_job.labels.tag,)
            case _:
                return ()

    @property
    def key(self) -> str:
        """`<asset>/<name>`: unique within a plan; the folder of its outputs and of its files."""
        return f"{self.asset}/{self.name}"


@dataclass(frozen=True, slots=True)
class Retention:
    """How long the ledger keeps delivered rows: by age and by size; pending rows go last."""

    keep_ns: int = 2_592_000_000_000_000
    at_most_bytes: int = 5_000_000_000


@dataclass(frozen=True, slots=True)
class HistoryStorePlan:
    """What was read once from a historian is kept on this machine, by these bounds.

    Attributes:
        use: without it every training asks the historian for everything.
        keep_ns: a stored day goes when nothing asked for it in this time.
        at_most_bytes: of all historians; the days longest unused go first.
        refill_ns: a gap is asked for again for so long, then it is not recovered.
    """

    use: bool = True
    keep_ns: int = 7_776_000_000_000_000
    at_most_bytes: int = 20_000_000_000
    refill_ns: int = 2_592_000_000_000_000


@dataclass(frozen=True, slots=True)
class WebPlan:
    """The pages for engineers and operators.

    Attributes:
        listen_host: to listen at.
        listen_port: the same.
        certificate: "" plain HTTP, "own" TagSight's own, else a PEM file with the chain.
        key: PEM file of its private key; "" where `certificate` is no file.
        frames: origins of the HMIs that may show faceplates in a frame: `https://hmi01:8043`.
        session_ns: a sign-in ends so long after it.
        idle_ns: ... and so long after its last use.
        plain_http: plain HTTP for other machines is accepted.
    """

    listen_host: str = "127.0.0.1"
    listen_port: int = 8443
    certificate: str = ""
    key: str = ""
    frames: tuple[str, ...] = ()
    session_ns: int = 43_200_000_000_000
    idle_ns: int = 3_600_000_000_000
    plain_http: bool = False


@dataclass(frozen=True, slots=True)
class ReportPlan:
    """Shift reports by the calendar.

    Attributes:
        every: fields of CronTriggers.
        last_ns: how much time before each it tells of.
        folder: where they go.
    """

    every: tuple[Mapping[str, str], ...]
    last_ns: int
    folder: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole configuration."""

    timezone: ZoneInfo
    historians: Mapping[str, HistorianPlan]
    results: Mapping[str, ResultsPlan]  # by historian name
    models: tuple[ModelPlan, ...]
    retention: Retention = field(default_factory=Retention)
    history_store: HistoryStorePlan = field(default_factory=HistoryStorePlan)
    language: str = "en"  # of what operators read: code of a catalogue
    web: WebPlan | None = None  # None: no pages
    report: ReportPlan | None = None  # None: no reports by the calendar
    digest: str = ""  # SHA-256 of the canonical JSON of the specification: goes into cards and the ledger
