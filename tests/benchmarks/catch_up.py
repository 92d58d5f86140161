# a benchmark prints
"""Many models after a stop: how late are the scores of the present while the due times of the stop are made good?

    python -m tests.benchmarks.catch_up --models 200 --stopped 60

The same site as `tests.benchmarks.load`, every part of it a process of its own. TagSight is said to have scored
everything up to `--stopped` minutes ago; then it starts. A run counts as present if it was due after the start; its lag
is the time of its commit minus its due time minus the wait.
"""

import argparse
import asyncio
import multiprocessing
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import numpy as np

from tagsight.arrival import LEAST_WAIT_NS
from tagsight.clocks import SECOND, SystemClock
from tagsight.data_folder import DataFolder
from tagsight.inbox import Inbox
from tagsight.ledger.ledger import Ledger
from tagsight.ledger.records import TickRecord
from tagsight.plan import Plan
from tagsight.service import Service
from tagsight.worker_tasks import service_workers
from tagsight_connectors.connection import Connection
from tagsight_connectors.opcua.session import own_certificate
from tagsight_connectors.opcua.trust import TrustList
from tests.benchmarks.load import MINUTE, link_of, plan_of, prepare, serve_historian

LOOK_S = 0.5


async def serve(plan: Plan, data: DataFolder, stopped: int, longest_s: float) -> None:
    """The service until the stop is made good, or so long."""
    clock = SystemClock()
    with Ledger.open(data.ledger, clock) as ledger, Inbox.open(data.inbox) as inbox:
        first = (time.time_ns() // MINUTE - stopped) * MINUTE
        ledger.record(TickRecord(watermarks={model.key: first for model in plan.models}))
        service = Service(
            plan, data, {"default": link_of(plan, data)}, ledger, inbox, service_workers(clock), clock,
            lambda what, why: print(f"  {what}: {why}"),
        )  # fmt: skip
        stop, began = asyncio.Event(), time.time()
        running = asyncio.create_task(service.run(stop))
        with suppress(TimeoutError):
            async with asyncio.timeout(longest_s):
                await watched(plan, ledger, first, began)
        stop.set()
        await running


async def watched(plan: Plan, ledger: Ledger, first: int, began: float) -> None:
    """Print the lags of the present, minute by minute, until the stop has been good for two minutes."""
    seen: dict[tuple[str, int], float] = {}
    good_s, told = 0.0, time.time()
    while not good_s or time.time() - began < good_s + 130:
        await asyncio.sleep(LOOK_S)
        now = time.time()
        for model in plan.models:
            newest = ledger.newest_run(model.key)
            if newest is not None and newest.due_ns > began * SECOND:
                seen.setdefault((model.key, newest.due_ns), now)
        start = (int(began) * SECOND // MINUTE) * MINUTE
        done = sum(len(ledger.scores(model.key, first + 1, start + 1)[0]) for model in plan.models)
        wanted = len(plan.models) * ((start - first) // MINUTE)
        if done == wanted and not good_s:
            good_s = now - began
            print(f"the stop was made good  {good_s:.0f} s after the start: {done} runs")
        if now - told > 30:
            told = now
            print(f"  {now - began:4.0f} s: {done} of {wanted} runs of the stop")
    lags = [at - (due + LEAST_WAIT_NS) / SECOND for (_model, due), at in seen.items()]
    intervals = sorted({due for _model, due in seen})
    everyone = sum(len({model for model, due in seen if due == one}) == len(plan.models) for one in intervals)
    print(f"due times of the present {len(intervals)}, scored for every model {everyone}")
    if lags:
        print(f"their lag p50/p95/max   {' / '.join(f'{np.percentile(lags, q):.1f} s' for q in (50, 95, 100))}")


def site(models: int, stopped: int, longest_s: float) -> None:
    """Everything in one temporary folder."""
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        data = DataFolder(Path(folder) / "data")
        data.create()
        ours, theirs = context.Pipe()
        start_ns = time.time_ns() // MINUTE * MINUTE
        plant = Path(folder) / "plant"
        historian = context.Process(target=serve_historian, args=(theirs, plant, models, start_ns), daemon=True)
        historian.start()
        url, certificate = ours.recv()
        TrustList(data.certificates).add(certificate)
        TrustList(plant).add(own_certificate(Connection(url, certificates=data.certificates)).certificate)
        plan = plan_of(url, models, start_ns)
        preparing = context.Process(target=prepare, args=(plan, data))
        preparing.start()
        preparing.join()
        if preparing.exitcode == 0:
            asyncio.run(serve(plan, data, stopped, longest_s))
        historian.kill()


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=200)
    parser.add_argument("--stopped", type=int, default=60, help="minutes, at most 120")
    parser.add_argument("--longest", type=float, default=900.0, help="seconds")
    asked = parser.parse_args()
    site(asked.models, asked.stopped, asked.longest)


if __name__ == "__main__":
    main()
