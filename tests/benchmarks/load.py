# a benchmark prints
"""Many models at once, every minute, against an OPC UA historian over SignAndEncrypt: is every due time kept, how late?

    python -m tests.benchmarks.load --minutes 10 --models 200

The historian, the preparation (one model is trained and copied to every name), the workers and the tag server are
processes of their own; this one is the service. In the third minute one model is trained again beside the scoring. The
lag of a run is the time of its commit minus its due time minus the wait.
"""

import argparse
import asyncio
import multiprocessing
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from tagsight.arrival import LEAST_WAIT_NS
from tagsight.binding import bind
from tagsight.clocks import SECOND, SystemClock
from tagsight.connections import Link
from tagsight.data_folder import DataFolder
from tagsight.historians import open_plan_historian
from tagsight.inbox import Inbox
from tagsight.ledger.bindings import BoundModel
from tagsight.ledger.ledger import Ledger
from tagsight.plan import HistorianPlan, Job, ModelPlan, Plan, ResultsPlan, ScorePlan, TrainPlan
from tagsight.scoring_task import StorePlace
from tagsight.secrets import Secrets
from tagsight.service import Service
from tagsight.tag_server_process import TagServerProcess
from tagsight.training import TrainTask
from tagsight.worker_tasks import service_workers
from tagsight_connectors.connection import Connection
from tagsight_connectors.history import Sample, TagHistory
from tagsight_connectors.opcua.embedded import PLANT_NAMESPACE, EmbeddedHistorian
from tagsight_connectors.opcua.memory_source import MemorySource
from tagsight_connectors.opcua.server_settings import ServerSettings
from tagsight_connectors.opcua.session import own_certificate
from tagsight_connectors.opcua.trust import TrustList
from tagsight_connectors.serving import ServedVariable, UserRole
from tagsight_connectors.tag import Range, Tag

MINUTE = 60 * SECOND
TAGS = 10
TRAINED_MINUTES = 3 * 1440
LIVE_MINUTES = 180
TRAIN_BESIDE_AFTER_S = 130.0
PASSWORD = "load-of-this-benchmark"
USER = "tagsight"


def values(asset: int, steps: int) -> np.ndarray:
    """Shape (steps, TAGS): signals that belong together."""
    rng = np.random.default_rng(asset)
    time_axis = np.arange(steps)[:, None]
    load = np.sin(time_axis / 97.0) + 0.5 * np.sin(time_axis / 31.0 + asset)
    return np.asarray(50.0 + load * np.linspace(2.0, 8.0, TAGS) + rng.normal(0.0, 0.4, (steps, TAGS)))


def asset_name(asset: int) -> str:
    """Level of one asset."""
    return f"A{asset:03d}"


def identifiers(asset: int) -> list[str]:
    """Of the tags of one asset."""
    return [f"Load/{asset_name(asset)}/T{tag}" for tag in range(TAGS)]


def serve_historian(pipe: Pipe, folder: Path, assets: int, start_ns: int) -> None:
    """The historian's process."""
    asyncio.run(_serve(pipe, folder, assets, start_ns))


async def _serve(pipe: Pipe, folder: Path, assets: int, start_ns: int) -> None:
    steps = [TRAINED_MINUTES + LIVE_MINUTES, *[2 * LIVE_MINUTES] * (assets - 1)]
    series = {asset: values(asset, steps[asset]) for asset in range(assets)}
    history: dict[str, TagHistory] = {}
    for asset, columns in series.items():
        past = len(columns) - LIVE_MINUTES
        times = start_ns + MINUTE * np.arange(-past, 0, dtype=np.int64)
        for tag, identifier in enumerate(identifiers(asset)):
            history[identifier] = TagHistory(times, columns[:past, tag].copy(), np.zeros(past, dtype=np.uint32))
    variables = [ServedVariable(identifier=one, path=one, unit="bar", eu_range=Range(0.0, 100.0)) for one in history]
    source = MemorySource(variables, history)
    settings = ServerSettings(
        host="127.0.0.1",
        port=0,
        certificates=folder,
        application_uri="urn:tagsight:load:plant",
        namespace_uri=PLANT_NAMESPACE,
        product_name="Historian of the load benchmark",
    )
    async with EmbeddedHistorian(source, settings, _role, SystemClock()) as server:
        pipe.send((server.url, server.certificate.certificate))
        for minute in range(LIVE_MINUTES):
            at = start_ns + minute * MINUTE
            await asyncio.sleep(max(0.0, at / SECOND - time.time()))
            source.append(
                [
                    Sample(identifier, at, float(columns[len(columns) - LIVE_MINUTES + minute, tag]), 0)
                    for asset, columns in series.items()
                    for tag, identifier in enumerate(identifiers(asset))
                ]
            )


def _role(user: str, password: str) -> UserRole | None:
    return UserRole.OPERATOR if (user, password) == (USER, PASSWORD) else None


def plan_of(url: str, assets: int, start_ns: int) -> Plan:
    """One model for each asset."""
    train = TrainPlan(start_ns=start_ns - TRAINED_MINUTES * MINUTE, end_ns=start_ns - MINUTE, at_most_seconds=60.0)
    models = tuple(
        ModelPlan(
            asset_name(asset),
            "Health",
            Job.HEALTH,
            "default",
            (f"Load/{asset_name(asset)}/*",),
            train,
            ScorePlan(every_ns=MINUTE, grid_ns=MINUTE, window_steps=60),
        )
        for asset in range(assets)
    )
    historians = {"default": HistorianPlan("default", url, USER)}
    return Plan(ZoneInfo("UTC"), historians, {"default": ResultsPlan()}, models, digest="0" * 64)


def link_of(plan: Plan, data: DataFolder) -> Link:
    """To the historian's process."""
    secrets = Secrets(data, {"TAGSIGHT_PASSWORD_DEFAULT": PASSWORD})
    return Link("default", open_plan_historian(plan.historians["default"], data, secrets), SystemClock())


def prepare(plan: Plan, data: DataFolder) -> None:
    """Train the first model and give it to every name, in a process of its own: it imports torch."""
    from tagsight.fitting import compute
    from tagsight_models.model_store import ModelStore

    place = StorePlace(data.models, data.signing_key)
    task = asyncio.run(_gathered(plan, data, place))
    outcome = compute(task, lambda _share, _words: None)
    store = ModelStore(place.root, place.key)
    first = store.load_approved(outcome.model)
    with Ledger.open(data.ledger, SystemClock()) as ledger:
        for asset, model in enumerate(plan.models):
            if asset:
                store.approve(model.key, store.add(model.key, first.model, first.card), "copy")
            tags = [Tag(f"nsu={PLANT_NAMESPACE};s={one}", one, unit="bar") for one in identifiers(asset)]
            ledger.bind(BoundModel(model.key, bind(model, tags), detail=False))


async def _gathered(plan: Plan, data: DataFolder, place: StorePlace) -> TrainTask:
    from tagsight.training import gather

    link = link_of(plan, data)
    _binding, task = await gather(plan.models[0], link, place, plan.digest)
    await link.close()
    return task


@dataclass
class Watch:
    """When each due time of each model was first seen in the ledger, and the most memory of all processes."""

    ledger: Ledger
    tag_server: TagServerProcess
    seen: dict[tuple[str, int], float] = field(default_factory=dict)
    most_bytes: int = 0

    async def run(self) -> None:
        """Look five times a second; memory every five seconds."""
        for look in range(10**9):
            now = time.time()
            for name, due in self.ledger.watermarks().items():
                self.seen.setdefault((name, due), now)
            if look % 25 == 0:
                self.most_bytes = max(self.most_bytes, memory_of_all(self.tag_server.pid))
            await asyncio.sleep(0.2)


def memory_of_all(*others: int | None) -> int:
    """Proportional set size of this process, its children and `others`, bytes (Linux)."""
    pids = [os.getpid(), *(child.pid for child in multiprocessing.active_children()), *others]
    return sum(_memory(pid) for pid in pids if pid)


def _memory(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


async def serve(plan: Plan, data: DataFolder, minutes: int) -> None:
    """The service for so many minutes, watched."""
    clock = SystemClock()
    with Ledger.open(data.ledger, clock) as ledger, Inbox.open(data.inbox) as inbox:
        service = Service(
            plan,
            data,
            {"default": link_of(plan, data)},
            ledger,
            inbox,
            service_workers(clock),
            clock,
            lambda what, why: print(f"  {what}: {why}"),
        )
        tag_server = TagServerProcess(data, "127.0.0.1", 0, clock, service.log)
        watch = Watch(ledger, tag_server)
        stop = asyncio.Event()
        started = time.time_ns()
        running = asyncio.create_task(service.run(stop))
        beside = [asyncio.create_task(one) for one in (watch.run(), tag_server.run(), train_beside(service))]
        last_due = (started // MINUTE + minutes) * MINUTE
        await asyncio.sleep((last_due - started) / SECOND + 50.0)
        waiting = service._explainer.waiting
        stop.set()
        await running
        for one in beside:
            one.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        dues = range((started // MINUTE + 2) * MINUTE, last_due + 1, MINUTE)
        report(watch, plan, dues, waiting)


async def train_beside(service: Service) -> None:
    """One model is trained again while all are scored."""
    await asyncio.sleep(TRAIN_BESIDE_AFTER_S)
    began = time.monotonic()
    outcome = await service.train(service.plan.models[0])
    version = outcome.version if outcome else "failed"
    print(f"trained beside it       version {version} in {time.monotonic() - began:.0f} s")


def report(watch: Watch, plan: Plan, dues: Sequence[int], waiting: int) -> None:
    """The table. The first minute belongs to the start."""
    runs = {model.key: watch.ledger.runs(model.key, dues[0], dues[-1] + 1) for model in plan.models}
    missing = sum(len(set(dues) - {run.due_ns for run in found}) for found in runs.values())
    every = [run for found in runs.values() for run in found]
    lags = [seen - (due + LEAST_WAIT_NS) / SECOND for (_name, due), seen in watch.seen.items() if due in dues]
    explained = sum(run.explanation is not None and not run.explanation.failure for run in every)
    print(f"models x tags           {len(plan.models)} x {TAGS}")
    print(f"due times, each model   {len(dues)}")
    scored = sum(run.score is not None for run in every)
    print(f"runs in the ledger      {len(every)}, missing {missing}, with a score {scored}")
    print(f"explained               {explained}, waiting at the end {waiting}")
    print(f"lag p50 / p95 / max     {' / '.join(f'{np.percentile(lags, q):.1f} s' for q in (50, 95, 100))}")
    print(f"memory, all processes   {watch.most_bytes / 1e6:.0f} MB at most")


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--models", type=int, default=200)
    asked = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        data = DataFolder(Path(folder) / "data")
        data.create()
        start_ns = time.time_ns() // MINUTE * MINUTE
        ours, theirs = context.Pipe()
        plant = Path(folder) / "plant"
        historian = context.Process(target=serve_historian, args=(theirs, plant, asked.models, start_ns), daemon=True)
        historian.start()
        url, certificate = ours.recv()
        TrustList(data.certificates).add(certificate)
        TrustList(plant).add(own_certificate(Connection(url, certificates=data.certificates)).certificate)
        plan = plan_of(url, asked.models, start_ns)
        began = time.monotonic()
        preparing = context.Process(target=prepare, args=(plan, data))
        preparing.start()
        preparing.join()
        print(f"prepared in             {time.monotonic() - began:.0f} s")
        if preparing.exitcode == 0:
            asyncio.run(serve(plan, data, asked.minutes))
        historian.kill()


if __name__ == "__main__":
    main()
