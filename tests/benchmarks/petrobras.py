"""What the model says of the fault in a real historian export, over OPC UA: found when, which tags, what else.

    python -m tests.benchmarks.petrobras

Trained on 2017-12-24 12:00 to 2018-01-01, limit from 2018-01-01, run over 2018-01-02 and 03 with the settings in
tests/end_to_end/petrobras.py. BibMon's tutorial labels 2018-01-02 06:00 to 09:00; the state after it is unlabelled.
"""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from tagsight.alarms import LIMIT
from tagsight.outputs import causes_of
from tagsight.recording import Explainable
from tagsight.results import ExplanationResult, Run
from tagsight_models.delays import Activation, Delays, activations
from tests.end_to_end.petrobras import FAULT, PLAN, RUN_END, RUN_START, replayed, rig, scoring_worker, trained

EXPLAINED = 6
HOUR_NS = 3_600_000_000_000


async def main() -> None:
    """Print the report."""
    worker = scoring_worker()
    kept: list[int] = []

    def wanted(one: Explainable) -> bool:
        inside = FAULT.start_ns <= one.scored.run.due_ns < FAULT.end_ns
        if inside and one.scored.run.due_ns % (HOUR_NS // 2) == 0 and len(kept) < EXPLAINED:
            kept.append(one.scored.run.due_ns)
            return True
        return False

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with rig(folder) as one:
            model = await trained(one, worker)
            found = await replayed(one, model, worker, folder / "ledger.sqlite", wanted)
    await worker.close()
    print("\n".join([model.outcome.words, *report(found.runs, len(found.activations))]))


def report(runs: Sequence[Run], announced: int) -> list[str]:
    """Scores in the fault and around it, the alarms that they would make, and the leading tags."""
    delays = Delays(PLAN.alarm.on_delay_ns, PLAN.alarm.off_delay_ns)
    times = np.array([run.due_ns for run in runs], dtype=np.int64)
    scores = np.array([np.nan if run.score is None else run.score for run in runs])
    raised = activations(times, scores, LIMIT, delays)
    since = ", ".join(f"{_text(one.announced_ns)} to {_end(one)}" for one in raised)
    return [
        f"\nAlarms that the service announced in the two days: {announced}",
        f"Activations of the score, trial or not: {since or 'none'}",
        *(
            _part(words, [run for run in runs if start <= run.due_ns < end], raised)
            for words, start, end in (
                ("before the fault", RUN_START, FAULT.start_ns),
                ("in the fault", FAULT.start_ns, FAULT.end_ns),
                ("after it (unlabelled)", FAULT.end_ns, RUN_END),
            )
        ),
        *(_explained(run, run.explanation) for run in runs if run.explanation is not None),
    ]


def _part(words: str, runs: Sequence[Run], raised: Sequence[Activation]) -> str:
    scored = np.array([run.score for run in runs if run.score is not None])
    activated = sum(runs[0].due_ns <= one.announced_ns <= runs[-1].due_ns for one in raised)
    reasons = Counter(run.reason.partition(":")[0] for run in runs if run.score is None)
    why = "; ".join(f"{count} {reason}" for reason, count in reasons.most_common()) or "none"
    spread = f"score median {np.median(scored):.3g}, largest {scored.max():.3g}" if scored.size else "no score"
    return f"{words:22s} {scored.size} of {len(runs)} scored, {spread}, {activated} activations; not scored: {why}"


def _end(one: Activation) -> str:
    return "the end" if one.cleared_ns is None else _text(one.cleared_ns)


def _explained(run: Run, explanation: ExplanationResult) -> str:
    causes = ", ".join(f"{cause.role} {cause.share:.0f} %" for cause in causes_of(run, {})[:5])
    why = causes or explanation.failure or "no tag raises it"
    return f"  {_text(run.due_ns)} score {run.score:.3g}: {why}"


def _text(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns / 1e9, tz=UTC).strftime("%Y-%m-%d %H:%M")


if __name__ == "__main__":
    asyncio.run(main())
