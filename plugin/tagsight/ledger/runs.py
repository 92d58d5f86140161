"""Runs: one row for each (model, due time); scoring it again with other inputs revises it."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from sqlalchemy import Connection, Row, case, func, select
from sqlalchemy.dialects.sqlite import insert

from tagsight.ledger.encoding import (
    decode_explanation,
    decode_results,
    decode_roles,
    encode_explanation,
    encode_results,
    encode_roles,
)
from tagsight.ledger.schema import runs, watermarks
from tagsight.results import Run
from tagsight_connectors.quality import GOOD
from tagsight_models.frame import Floats, Times

_Fields: TypeAlias = dict[str, Any]


def store_runs(connection: Connection, new: Sequence[Run]) -> None:
    """Insert or revise.

    Another digest for the same due time marks the run revised. The same digest without an explanation keeps the
    explanation that is there: it comes later than its score, never instead of it.
    """
    if not new:
        return
    statement = insert(runs)
    fresh, old = statement.excluded, runs.c
    same = fresh.input_digest == old.input_digest
    changes: _Fields = {column.name: fresh[column.name] for column in runs.c if not column.primary_key}
    changes["revised"] = case((same, func.max(old.revised, fresh.revised)), else_=1)
    changes["explanation"] = case((same, func.coalesce(fresh.explanation, old.explanation)), else_=fresh.explanation)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["model", "due_ns"], set_=changes),
        [_fields(run) for run in new],
    )


def store_watermarks(connection: Connection, new: Mapping[str, int]) -> None:
    """Move forward; never back."""
    if not new:
        return
    statement = insert(watermarks)
    higher = func.max(statement.excluded.due_ns, watermarks.c.due_ns)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["model"], set_={"due_ns": higher}),
        [{"model": model, "due_ns": due_ns} for model, due_ns in new.items()],
    )


def all_watermarks(connection: Connection) -> dict[str, int]:
    """Of every model that has one."""
    return dict(connection.execute(select(watermarks.c.model, watermarks.c.due_ns)).all())


def digests_of(connection: Connection, model: str, start_ns: int, end_ns: int) -> dict[int, str]:
    """Due time -> input digest, `start_ns <= due < end_ns`."""
    query = select(runs.c.due_ns, runs.c.input_digest).where(*_within(model, start_ns, end_ns))
    return dict(connection.execute(query).all())


def newest_run_of(connection: Connection, model: str) -> Run | None:
    """The run with the latest due time."""
    query = select(runs).where(runs.c.model == model).order_by(runs.c.due_ns.desc()).limit(1)
    found = connection.execute(query).first()
    return None if found is None else _run(found)


def runs_of(connection: Connection, model: str, start_ns: int, end_ns: int, limit: int) -> tuple[Run, ...]:
    """At most `limit`, ascending by due time."""
    query = select(runs).where(*_within(model, start_ns, end_ns)).order_by(runs.c.due_ns).limit(limit)
    return tuple(_run(found) for found in connection.execute(query))


def good_runs_of(
    connection: Connection, model: str, version: int, start_ns: int, end_ns: int, *, most: int
) -> tuple[Run, ...]:
    """Good runs of one version that were scored, ascending; of more than `most` every so many."""
    good = runs.c.version == version, runs.c.score.is_not(None), runs.c.quality == GOOD
    query = select(runs.c.due_ns).where(*_within(model, start_ns, end_ns), *good).order_by(runs.c.due_ns)
    known = list(connection.execute(query).scalars())
    chosen = known[:: -max(1, -(-len(known) // most))]  # the newest is always among them
    chosen_runs = select(runs).where(runs.c.model == model, runs.c.due_ns.in_(chosen)).order_by(runs.c.due_ns)
    return tuple(_run(found) for found in connection.execute(chosen_runs))


def unexplained_of(connection: Connection, model: str, start_ns: int) -> tuple[Run, ...]:
    """Scored runs from `start_ns` on that have neither an explanation nor a reason why not, ascending by due time."""
    missing = (runs.c.score.is_not(None), runs.c.explanation.is_(None))
    query = select(runs).where(runs.c.model == model, runs.c.due_ns >= start_ns, *missing).order_by(runs.c.due_ns)
    return tuple(_run(found) for found in connection.execute(query))


def scores_of(connection: Connection, model: str, start_ns: int, end_ns: int) -> tuple[Times, Floats]:
    """Due times ascending and scores, NaN where not scored."""
    query = select(runs.c.due_ns, runs.c.score).where(*_within(model, start_ns, end_ns)).order_by(runs.c.due_ns)
    found = connection.execute(query).all()
    times = np.array([due_ns for due_ns, _ in found], dtype=np.int64)
    scores = np.array([np.nan if score is None else score for _, score in found], dtype=np.float64)
    return times, scores


def tallies_of(connection: Connection, start_ns: int, end_ns: int) -> list[tuple[str, int, str, bool, bool, int, int]]:
    """(model, version, reason, scored, stopped, how many, first due time) of the runs that are alike."""
    alike = runs.c.model, runs.c.version, runs.c.reason, runs.c.score.is_not(None).label("scored"), runs.c.stopped
    query = (
        select(*alike, func.count(), func.min(runs.c.due_ns))
        .where(runs.c.due_ns >= start_ns, runs.c.due_ns < end_ns)
        .group_by(*alike)
        .order_by(runs.c.model, func.min(runs.c.due_ns))
    )
    found = connection.execute(query)
    return [(model, version, why, bool(good), bool(stood), count, first) for
            model, version, why, good, stood, count, first in found]  # fmt: skip


def shadows_of(connection: Connection, model: str, version: int, challenger: int) -> tuple[Times, Floats, Floats]:
    """Due times at which `version` scored and `challenger` in its shadow, and both scores; shape (n,) each."""
    rows = runs.c
    query = (
        select(rows.due_ns, rows.score, rows.shadow_score)
        .where(rows.model == model, rows.version == version, rows.shadow_version == challenger)
        .order_by(rows.due_ns)
    )
    found = connection.execute(query).all()
    times = np.array([one.due_ns for one in found], dtype=np.int64)
    numbers = [[np.nan if score is None else score for score in (one.score, one.shadow_score)] for one in found]
    scores = np.array(numbers, dtype=np.float64).reshape(-1, 2)
    return times, scores[:, 0], scores[:, 1]


def _within(model: str, start_ns: int, end_ns: int) -> tuple[Any, ...]:
    return runs.c.model == model, runs.c.due_ns >= start_ns, runs.c.due_ns < end_ns


def _fields(run: Run) -> _Fields:
    return {
        "model": run.model,
        "due_ns": run.due_ns,
        "version": run.version,
        "score": run.score,
        "quality": run.quality,
        "reason": run.reason,
        "input_digest": run.input_digest,
        "revised": int(run.revised),
        "stopped": int(run.stopped),
        "trial": int(run.trial),
        "roles": encode_roles(run.roles),
        "explanation": encode_explanation(run.explanation),
        "results": encode_results(run.results),
        "shadow_version": run.shadow[0] if run.shadow else None,
        "shadow_score": run.shadow[1] if run.shadow else None,
    }


def _run(found: Row[Any]) -> Run:
    return Run(
        model=found.model,
        due_ns=found.due_ns,
        version=found.version,
        score=found.score,
        quality=found.quality,
        reason=found.reason,
        input_digest=found.input_digest,
        roles=decode_roles(found.roles),
        explanation=decode_explanation(found.explanation),
        revised=bool(found.revised),
        stopped=bool(found.stopped),
        trial=bool(found.trial),
        results=decode_results(found.results),
        shadow=None if found.shadow_version is None else (found.shadow_version, found.shadow_score),
    )
