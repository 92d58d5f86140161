"""The whole chain over OPC UA on a real historian export: file -> OPC UA server -> client -> train -> score -> ledger.

What the export is, and what its fault is, stands in tests/data/petrobras_process/README.md. Every setting here is a
default of the configuration or follows from the export (its grid); none was chosen by looking at the fault.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from tagsight.binding import Binding
from tagsight.clocks import SECOND, SetClock, SystemClock
from tagsight.connections import Link
from tagsight.explaining import Explainer
from tagsight.fitting import compute
from tagsight.ledger.ledger import Ledger
from tagsight.ledger.records import Activation, TickRecord
from tagsight.plan import Detail, Job, ModelPlan, ScorePlan, TrainPlan
from tagsight.planner import LIVE_AT_MOST
from tagsight.recording import Explainable, Recorder
from tagsight.results import Run
from tagsight.scoring_task import ModelFacts, StorePlace
from tagsight.tick import Participant, Ticker
from tagsight.training import TrainOutcome, gather
from tagsight.worker_tasks import scoring_tasks
from tagsight.workers import Task, Worker
from tagsight_connectors.connection import Connection
from tagsight_connectors.file.historian import open_file
from tagsight_connectors.history import History, Span
from tagsight_connectors.opcua.client import OpcUaHistorian
from tagsight_connectors.opcua.embedded import PLANT_NAMESPACE, EmbeddedHistorian
from tagsight_connectors.opcua.memory_source import MemorySource
from tagsight_connectors.opcua.server_settings import ServerSettings
from tagsight_connectors.opcua.session import own_certificate
from tagsight_connectors.opcua.trust import TrustList
from tagsight_connectors.reading import read_history
from tagsight_connectors.serving import ServedVariable, UserRole
from tagsight_connectors.tag import Tag

EXPORT = Path(__file__).parents[1] / "data" / "petrobras_process" / "real_process_data.csv"
GRID = 300 * SECOND
CHUNK_S = (LIVE_AT_MOST - 1) * GRID / SECOND


def utc_ns(text: str) -> int:
    """The export's times have no offset; they are read as UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


TRAIN_START, LIMIT_START, RUN_START, RUN_END = (
    utc_ns(text) for text in ("2017-12-24 12:00", "2018-01-01", "2018-01-02", "2018-01-04")
)
FAULT = Span(utc_ns("2018-01-02 06:00"), utc_ns("2018-01-02 09:00"))

PLAN = ModelPlan(
    asset="Process",
    name="Health",
    job=Job.HEALTH,
    historian="default",
    inputs=("Process/*",),
    train=TrainPlan(start_ns=TRAIN_START, end_ns=RUN_START, limit_start_ns=LIMIT_START, limit_end_ns=RUN_START),
    score=ScorePlan(every_ns=GRID, grid_ns=GRID, wait_ns=0, late_ns=0),
    outputs=Detail.DETAIL,
    explain_seconds=60.0,  # so many inputs need longer than the 2 s of the default; nothing else rests on it
)


@dataclass(frozen=True, slots=True)
class Rig:
    """What a chain works on."""

    exported: History
    link: Link
    clock: SetClock
    place: StorePlace


@dataclass(frozen=True, slots=True)
class Trained:
    """A model, ready to score."""

    outcome: TrainOutcome
    binding: Binding
    facts: ModelFacts


@dataclass(frozen=True, slots=True)
class Replayed:
    """What stands in the ledger after the two days."""

    runs: tuple[Run, ...]
    activations: tuple[Activation, ...]
    troubles: tuple[str, ...]


async def exported() -> tuple[list[Tag], History]:
    """The export as the file connector reads it: text states are Bad and have no value."""
    historian = open_file(Connection(EXPORT.as_uri()))
    await historian.connect()
    tags = [tag async for tag in historian.browse()]
    history = await read_history(historian, [tag.address for tag in tags], Span(0, 2**62))
    await historian.close()
    return tags, history


@asynccontextmanager
async def rig(folder: Path) -> AsyncIterator[Rig]:
    """An OPC UA historian that holds the export, with SignAndEncrypt and a user, and a link to it."""
    tags, history = await exported()
    source = MemorySource(
        [ServedVariable(_identifier(tag), _identifier(tag), tag.data_type) for tag in tags],
        {_identifier(tag): history.tags[tag.address] for tag in tags},
    )
    settings = ServerSettings("127.0.0.1", 0, folder / "server", "urn:test:server", PLANT_NAMESPACE, poll_s=0)
    async with EmbeddedHistorian(source, settings, _authenticate, SystemClock()) as server:
        connection = Connection(
            server.url, user="tagsight", password="secret", certificates=folder / "client", timeout_s=60.0
        )
        TrustList(folder / "client").add(server.certificate.certificate)
        TrustList(folder / "server").add(own_certificate(connection).certificate)
        clock = SetClock(RUN_START)
        link = Link("default", OpcUaHistorian(connection), clock, follow_server_time=False)
        try:
            yield Rig(history, link, clock, StorePlace(folder / "models", folder / "keys" / "signing.key"))
        finally:
            await link.close()


async def trained(one: Rig, worker: Worker) -> Trained:
    """Read the history over OPC UA and train."""
    binding, task = await gather(PLAN, one.link, one.place, "0" * 64)
    outcome = compute(task, lambda _share, _words: None)
    (facts,) = await worker.run(Task("facts", (one.place, [PLAN.key]), 120.0))
    return Trained(outcome, binding, facts)


async def replayed(
    one: Rig, model: Trained, worker: Worker, file: Path, wanted: Callable[[Explainable], bool]
) -> Replayed:
    """Run the two days as the service would after short stops; explain what is `wanted`."""
    troubles: list[str] = []
    with Ledger.open(file, one.clock) as ledger:
        ledger.record(TickRecord(watermarks={PLAN.key: RUN_START - GRID}))
        ticker = Ticker(
            one.link,
            worker,
            one.place,
            ledger,
            Recorder(ledger, ZoneInfo("UTC")),
            {},
            lambda what, why: troubles.append(f"{what}: {why}"),
        )
        explainer = Explainer(worker, one.place, ledger, {}, {PLAN.key: PLAN})
        while one.clock.now_ns() < RUN_END - GRID:
            one.clock.advance(min(CHUNK_S, (RUN_END - GRID - one.clock.now_ns()) / SECOND))
            done = await ticker.tick([Participant.of(PLAN, model.binding, model.facts)])
            explainer.add([waiting for waiting in done.explainable if wanted(waiting)])
            while await explainer.step():
                pass
        return Replayed(
            ledger.runs(PLAN.key, RUN_START, RUN_END), ledger.activations(RUN_START, RUN_END), tuple(troubles)
        )


def scoring_worker() -> Worker:
    """The worker process of the service."""
    return Worker("scoring", scoring_tasks, SystemClock())


def _identifier(tag: Tag) -> str:
    return f"Process/{tag.name}"


def _authenticate(user: str, password: str) -> UserRole | None:
    return UserRole.ENGINEER if (user, password) == ("tagsight", "secret") else None
