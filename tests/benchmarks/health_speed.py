# a benchmark prints
"""How long the training of a health model takes, part by part, and its scoring; and how much many gain together.

    python -m tests.benchmarks.health_speed [--days 90] [--tags 20] [--assets 50]

Each training runs in a fresh process, as the training worker's does: imports are part of it. One thread. The assets
share a plan; their histories differ. What is told as CPU is that of the process, which a busy machine changes less.
"""

import argparse
import itertools
import json
import resource
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

MINUTE = 60_000_000_000
START = 1_700_000_040_000_000_000
ROLES, BATCHES = (5, 10, 20, 50), (1, 60, 1000)


def main() -> None:
    """Print the tables."""
    said = argparse.ArgumentParser(description=__doc__)
    said.add_argument("--days", type=float, default=90.0)
    said.add_argument("--tags", type=int, default=20)
    said.add_argument("--assets", type=int, default=50)
    said.add_argument("--part", default="", help=argparse.SUPPRESS)
    asked = said.parse_args()
    if asked.part == "train":
        print(json.dumps(_trained(asked.days, asked.tags, asked.assets)))
    elif asked.part == "score":
        print(json.dumps(_scored(asked.assets)))
    else:
        _show_training(asked.days, asked.tags)
        _show_scoring(asked.assets)
        for days, tags, assets in ((1.0, 5, asked.assets), (1.0, 20, asked.assets), (30.0, 20, min(asked.assets, 8))):
            _show_together(days, tags, assets)


def _show_training(days: float, tags: int) -> None:
    found = _fresh("train", days, tags, 1)
    print(f"\nTraining of one model, {days:g} days x {tags} tags at 1 min, in a fresh process")
    for what, (wall, cpu) in found["parts"].items():
        print(f"  {what:<46}{wall:8.1f} s   CPU {cpu:.1f} s")
    print(f"  {'whole':<46}{found['wall']:8.1f} s   CPU {found['cpu']:.1f} s")
    print(f"  {'of it the fit of the network':<46}{'':10}   CPU {found['fit']:.1f} s")
    print(f"  {'memory at its peak':<46}{found['mega']:8.0f} MB")


def _show_together(days: float, tags: int, assets: int) -> None:
    one, many = (_fresh("train", days, tags, count) for count in (1, assets))
    print(f"\n{assets} assets together against one, {days:g} days x {tags} tags at 1 min")
    for what, name in (("the fits of the networks, CPU", "fit"), ("whole training, CPU", "cpu"), ("whole", "wall")):
        ratio, each = many[name] / one[name], many[name] / assets
        print(f"  {what:<32}{one[name]:8.2f} s {many[name]:8.2f} s   {ratio:5.1f} times, {each:.2f} s each")
    print(f"  {'memory at its peak':<32}{one['mega']:7.0f} MB {many['mega']:7.0f} MB")


def _show_scoring(assets: int) -> None:
    found = _fresh("score", 0.0, 0, assets)
    print("\nScoring, ms a window (the least of several rounds, CPU)")
    print("  roles " + "".join(f"{f'{batch} at once':>14}" for batch in BATCHES) + f"{f'{assets} assets':>14}  / one")
    for roles in ROLES:
        line = found[str(roles)]
        alone = "".join(f"{line[str(batch)]:14.3f}" for batch in BATCHES)
        together = line["assets"]
        print(f"  {roles:>5} {alone}{together / assets:14.3f}{together / line['1']:7.1f}")


def _fresh(part: str, days: float, tags: int, assets: int) -> dict:
    given = ["--part", part, "--days", str(days), "--tags", str(tags), "--assets", str(assets)]
    command = [sys.executable, "-m", "tests.benchmarks.health_speed", *given]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def _trained(days: float, tags: int, assets: int) -> dict:
    begun, before = time.monotonic(), time.process_time()
    import torch

    from tagsight.fitting import compute_together
    from tagsight_models import stacked_training

    torch.set_num_threads(1)
    imported = (time.monotonic() - begun, time.process_time() - before)
    with tempfile.TemporaryDirectory() as folder:
        drawn, drawn_cpu = time.monotonic(), time.process_time()
        tasks = [_task(Path(folder), asset, round(days * 1440), tags) for asset in range(assets)]
        drawn, drawn_cpu = time.monotonic() - drawn, time.process_time() - drawn_cpu  # is not part of it
        fits = _timed(stacked_training)
        marks = [("", time.monotonic(), time.process_time())]

        def mark(_number: int, _share: float, words: str) -> None:
            marks.append((_stage(words, marks[-1][0]), time.monotonic(), time.process_time()))

        compute_together(tasks, mark)
        mark(0, 1.0, "end")
    wall, cpu = time.monotonic() - begun - drawn, time.process_time() - before - drawn_cpu
    parts = {"imports": imported}
    for (stage, since, since_cpu), (_, until, until_cpu) in itertools.pairwise(marks[1:]):
        wall_before, cpu_before = parts.get(stage, (0.0, 0.0))
        parts[stage] = (wall_before + until - since, cpu_before + until_cpu - since_cpu)
    mega = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000.0
    return {"parts": parts, "wall": wall, "cpu": cpu, "fit": sum(fits), "mega": mega}


def _stage(words: str, before: str) -> str:
    """What is done after these words."""
    if words.startswith("epoch"):
        return "fit, limit, bands"
    if "comparing" in words:
        return "baselines and comparison"
    if words == "aligning":
        return "alignment, gates, preparation"
    return before if words.startswith("limit") else "drift reference, card, file"


def _timed(module: object) -> list[float]:
    """CPU of each call of the function that fits networks, as they are made."""
    inner, found = module.fit_stacked, []

    def timed(fits: object) -> object:
        since = time.process_time()
        done = inner(fits)
        found.append(time.process_time() - since)
        return done

    from tagsight_models import health_network

    health_network.fit_stacked = timed
    return found


def _task(folder: Path, asset: int, steps: int, tags: int) -> object:
    from tagsight.plan import AlarmPlan, Job, ModelPlan, ScorePlan, TrainPlan
    from tagsight.scoring_task import StorePlace
    from tagsight.training import TrainTask
    from tagsight_models.frame import Role
    from tests.end_to_end.plant import tag_history

    plan = ModelPlan(
        f"A{asset:03d}",
        "Health",
        Job.HEALTH,
        "default",
        ("*",),
        TrainPlan(start_ns=START, end_ns=START + steps * MINUTE),
        ScorePlan(every_ns=MINUTE, grid_ns=MINUTE),
        alarm=AlarmPlan(),
    )
    names = [f"T{tag:02d}" for tag in range(tags)]
    return TrainTask(
        plan=plan,
        place=StorePlace(folder / "models", folder / "keys" / "signing.key"),
        roles=tuple(Role(name, unit="bar") for name in names),
        history={name: tag_history(one, START) for name, one in zip(names, _values(asset, steps, tags).T, strict=True)},
        operands={},
        span=(START, START + steps * MINUTE),
        plan_hash="0" * 64,
    )


def _values(asset: int, steps: int, tags: int):  # noqa: ANN202 - numpy is imported by whom it is measured for
    """A plant whose tags follow five slow drivers, none linearly."""
    import numpy as np
    from scipy.signal import lfilter

    random, mixing = np.random.default_rng(asset), np.random.default_rng(99).normal(size=(5, tags))
    drivers = lfilter([0.1], [1.0, -0.99], random.normal(size=(steps, 5)), axis=0)
    return np.tanh(drivers @ mixing) * 3.0 + 0.2 * random.normal(size=(steps, tags)) + 50.0


def _scored(assets: int) -> dict:
    import numpy as np
    import torch

    from tagsight_models.frame import Role
    from tagsight_models.health import HealthModel
    from tagsight_models.health_fit import NetworkSettings, fit_health
    from tagsight_models.health_stack import HealthStack
    from tagsight_models.training import FitSettings, silent

    torch.set_num_threads(1)
    found: dict = {}
    for roles in ROLES:
        series = _values(0, 4000, roles)
        named = tuple(Role(f"T{tag:02d}") for tag in range(roles))
        settings = NetworkSettings(fit=FitSettings(epochs=1))
        linear, _ = fit_health(series, named, settings, silent, grid_ns=MINUTE, window_steps=60)
        made = HealthModel(
            named, _network(linear, roles), linear.parameters, grid_ns=MINUTE, window_steps=60, lags=linear.lags
        )
        windows = np.lib.stride_tricks.sliding_window_view(series, 60, axis=0).transpose(0, 2, 1)[:1000].copy()
        line = {str(batch): _least(partial(made.score, windows[:batch])) / batch * 1e3 for batch in BATCHES}
        stack, many = HealthStack([made] * assets), np.stack([windows[:1]] * assets)
        line["assets"] = _least(partial(stack.distance, many)) * 1e3
        found[str(roles)] = line
    return found


def _network(linear, roles: int):  # noqa: ANN001, ANN202 - as above
    """As large as a trained one, whatever the short fit found."""
    import torch

    from tagsight_models.networks.leave_role_out import LeaveRoleOut

    network = LeaveRoleOut(roles, len(linear.lags), 16)
    network.linear.copy_(linear.network.linear)
    torch.nn.init.normal_(network.last, std=0.1, generator=torch.Generator().manual_seed(0))
    return network


def _least(work) -> float:  # noqa: ANN001 - any callable
    found = []
    for _ in range(12):
        since = time.process_time()
        work()
        found.append(time.process_time() - since)
    return min(found)


if __name__ == "__main__":
    main()
