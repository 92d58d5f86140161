"""A data folder as a service leaves it: assets that scored, one in alarm; ledger, inbox, heartbeat are real ones."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from tagsight.binding import Binding
from tagsight.clocks import SECOND, Clock
from tagsight.data_folder import DataFolder
from tagsight.heartbeat import HeartbeatFile, PluginStatus
from tagsight.inbox import Inbox
from tagsight.ledger.bindings import BoundModel
from tagsight.ledger.ledger import Ledger
from tagsight.ledger.records import TickRecord
from tagsight.operating import Operators
from tagsight.outputs import explanation_row
from tagsight.plan import AlarmPlan, ModelPlan
from tagsight.recording import Recorder
from tagsight.results import ExplanationResult, RoleResult, Run
from tagsight.scoring_task import ScoredRun
from tagsight_connectors.quality import GOOD
from tagsight_models.frame import Role
from tests.plugin.small_site import MINUTE, plan_of

ROLES = (
    Role("DischargePressure", unit="bar", low=0.0, high=16.0),
    Role("BearingTemperature", unit="°C", low=0.0, high=120.0),
    Role("Flow", unit="m³/h", low=0.0, high=120.0),
    Role("MotorCurrent", unit="A", low=0.0, high=60.0),
    Role("Vibration", unit="mm/s", low=0.0, high=20.0),
    Role("Speed", unit="1/min", low=0.0, high=3000.0),
)
NORMAL = (10.2, 61.0, 82.0, 34.5, 1.9, 1480.0)
BAND = (0.5, 2.5, 4.0, 1.5, 0.4, 12.0)
DESCRIPTIONS = {"BearingTemperature": "Bearing, drive end", "Flow": "Discharge flow"}


@dataclass
class SmallPlant:
    """Assets with one model each; `score` lets minutes pass."""

    folder: Path
    clock: Clock
    now_ns: Callable[[], int]
    assets: Sequence[str] = ("P101", "P102")
    roles: Sequence[Role] = ROLES
    language: str = "en"
    minute: int = 0
    start_ns: int = 0
    models: dict[str, ModelPlan] = field(init=False, default_factory=dict)
    operators: Operators = field(init=False)

    def __post_init__(self) -> None:
        self.data = DataFolder(self.folder)
        self.data.create()
        self.ledger = Ledger.open(self.data.ledger, self.clock)
        self.inbox = Inbox.open(self.data.inbox)
        self.heartbeat = HeartbeatFile(self.data.heartbeat)
        self.recorder = Recorder(self.ledger, ZoneInfo("UTC"), language=self.language)
        self.start_ns = self.start_ns or self.now_ns() // MINUTE * MINUTE
        names = [role.name for role in self.roles]
        for asset in self.assets:
            plan = plan_of(asset, alarm=AlarmPlan(on_delay_ns=MINUTE, off_delay_ns=MINUTE))
            binding = Binding(tuple(self.roles), {name: f"{asset}/{name}" for name in names}, {}, dict(DESCRIPTIONS))
            self.models[plan.key] = plan
            self.ledger.bind(BoundModel(plan.key, binding))
            self.recorder.units = {**self.recorder.units, plan.key: {role.name: role.unit for role in self.roles}}
        self.operators = Operators(self.models, self.ledger, self.inbox, self.recorder, {}, lambda _what, _words: None)
        self.beat()

    def beat(self, count: int = 1) -> None:
        """The service lives."""
        before = self.heartbeat.read()
        self.heartbeat.write(PluginStatus((before.heartbeat if before else 0) + count, self.now_ns()))

    def score(self, scores: Sequence[float | None], asset: str = "P101") -> None:
        """One run a minute, the last one now."""
        model = f"{asset}/Health"
        first = self.start_ns + self.minute * MINUTE
        runs = [self._run(model, first + index * MINUTE, score, index) for index, score in enumerate(scores)]
        made = self.recorder.record(self.models[model], MINUTE, [ScoredRun(run) for run in runs])
        self.ledger.record(TickRecord(runs=made.runs, rows=made.rows, activations=made.activations))
        standing = self.recorder.standing(self.models[model])
        if standing is not None and scores[-1] is not None:
            self.ledger.record(TickRecord(rows=[explanation_row(*standing)]))

    def serve(self) -> None:
        """The service takes over what operators did."""
        self.operators.apply()

    def close(self) -> None:
        """Release the files."""
        self.ledger.close()
        self.inbox.close()

    def _run(self, model: str, due_ns: int, score: float | None, index: int) -> Run:
        if score is None:
            return Run(model, due_ns, 1, None, 0x809B0000, reason="no fresh value")
        noise = np.random.default_rng(index).normal(0.0, 0.25, len(self.roles))
        roles = []
        for rank, role in enumerate(self.roles):
            normal, band = NORMAL[rank % len(NORMAL)], BAND[rank % len(BAND)]
            off = max(0.0, score - 0.4) * (2.2 - 0.5 * rank if rank < 3 else 0.0) * (-1.0 if rank == 2 else 1.0)
            actual = normal + band * (noise[rank] + off)
            roles.append(RoleResult(role.name, float(actual), normal, normal - band, normal + band))
        shares = zip(self.roles, (0.5, 0.25, 0.15, 0.06, 0.03, 0.01), strict=False)
        parts = {role.name: score * share for role, share in shares}
        explanation = ExplanationResult(0.0, parts, dict.fromkeys(parts, 0.0))
        return Run(model, due_ns, 1, score, GOOD, roles=tuple(roles), explanation=explanation)


def rising(minutes: int = 120) -> list[float]:
    """Normal, then a fault that grows to well above the limit."""
    noise = np.random.default_rng(7).normal(0.0, 0.04, minutes)
    fault = np.clip((np.arange(minutes) - minutes * 0.6) / (minutes * 0.4), 0.0, 1.0) * 1.1
    return [float(value) for value in np.clip(0.32 + noise + fault, 0.02, None)]


def calm(minutes: int = 120) -> list[float]:
    """Normal."""
    noise = np.random.default_rng(3).normal(0.0, 0.04, minutes)
    return [float(value) for value in np.clip(0.3 + noise, 0.02, None)]


def past(minutes: int, now_ns: int) -> int:
    """Start of so many minutes that end now."""
    return (now_ns - minutes * MINUTE) // MINUTE * MINUTE


__all__ = ["SECOND", "SmallPlant", "calm", "past", "rising"]
