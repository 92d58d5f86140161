"""The schedule: APScheduler holds one tick job per distinct interval, one job per training schedule, and housekeeping.

Jobs come from the plan at every start (memory job store); what was scored is known by the ledger's watermark, so a
tick that comes late or twice does no harm (design law 7). APScheduler 3.11 runs nothing for an hour after the wall
clock steps back one hour, without an event (measured): `restart` plans all ticks anew when the clock watch says so.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobEvent
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

SECOND: Final = 1_000_000_000

Work = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Every:
    """Work at multiples of an interval (UTC), `offset_ns` after each."""

    name: str
    every_ns: int
    work: Work
    offset_ns: int = 0


@dataclass(frozen=True, slots=True)
class Calendar:
    """Work by the calendar; `fields` as APScheduler's CronTrigger takes them (`day_of_week`, `hour`, `minute`)."""

    name: str
    fields: Mapping[str, str]
    timezone: ZoneInfo
    work: Work


@dataclass
class Schedule:
    """Runs `jobs` on the running event loop from `start` to `stop`.

    `on_trouble(job name, what happened)` hears of every missed, failed or still running job; the ledger of runs makes
    good what was missed.
    """

    jobs: tuple[Every | Calendar, ...]
    on_trouble: Callable[[str, str], None]
    _scheduler: AsyncIOScheduler | None = field(init=False, default=None)

    def start(self) -> None:
        """Plan every job and begin."""
        scheduler = AsyncIOScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        scheduler.add_listener(self._hear, EVENT_JOB_MISSED | EVENT_JOB_ERROR | EVENT_JOB_MAX_INSTANCES)
        for job in self.jobs:
            scheduler.add_job(job.work, _trigger(job), id=job.name, name=job.name)
        scheduler.start()
        self._scheduler = scheduler

    def restart(self) -> None:
        """Plan every job anew from the present wall clock: after a step of it. A job that runs goes on to its end."""
        if self._scheduler is not None:
            for job in self.jobs:
                self._scheduler.reschedule_job(job.name, trigger=_trigger(job))

    def replan(self, jobs: Sequence[Every | Calendar]) -> None:
        """Take over another set of jobs: those of the same name and times go on undisturbed."""
        before, self.jobs = {job.name: job for job in self.jobs}, tuple(jobs)
        if self._scheduler is None:
            return
        for job in jobs:
            if job.name not in before:
                self._scheduler.add_job(job.work, _trigger(job), id=job.name, name=job.name)
        for name in before.keys() - {job.name for job in jobs}:
            self._scheduler.remove_job(name)

    def stop(self) -> None:
        """No further job starts; one that runs is cancelled, and nothing of that is told as a trouble."""
        if self._scheduler is not None:
            self._scheduler.remove_listener(self._hear)
            self._scheduler.shutdown(wait=False)
            self._scheduler = None

    def _hear(self, event: JobEvent) -> None:
        what = {
            EVENT_JOB_MISSED: "missed",
            EVENT_JOB_MAX_INSTANCES: "still running",
            EVENT_JOB_ERROR: f"failed: {getattr(event, 'exception', None)!r}",
        }
        self.on_trouble(str(event.job_id), what[event.code])


def _trigger(job: Every | Calendar) -> IntervalTrigger | CronTrigger:
    if isinstance(job, Calendar):
        return CronTrigger(timezone=job.timezone, **job.fields)
    anchor = datetime.fromtimestamp(job.offset_ns % job.every_ns / SECOND, tz=UTC)
    return IntervalTrigger(seconds=job.every_ns / SECOND, start_date=anchor, timezone=UTC)
