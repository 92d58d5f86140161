"""The demo in order: historian, tags, data, model, service, live scores, fault, alarm, the same over OPC UA."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from tagsight.clocks import SECOND, Clock
from tagsight.configuration import load
from tagsight.demo import service
from tagsight.demo.checks import Evidence, failures
from tagsight.demo.historian import PlantHistorian
from tagsight.demo.memory import memory_mb
from tagsight.demo.plant import FAULT_MINUTES, FAULT_NAME, FAULTED_LOOP, HISTORY_MINUTES, UNIT_FOLDER
from tagsight.demo.site import EVERY_S, MODEL, Site
from tagsight.demo.viewer import Seen, Viewer, address_of, differences, ledger_rows
from tagsight.errors import CheckFailed
from tagsight_connectors.errors import HistorianError
from tagsight_connectors.history import Span
from tagsight_connectors.quality import Quality, qualities_of
from tagsight_connectors.reading import read_history
from tagsight_connectors.registry import open_historian
from tagsight_models.model_register import ModelRegister

NORMAL_LOOKS: Final = 4
"""Live scores that must be there before a fault is injected."""
SERVICE_UP_S: Final = 90.0
FIRST_SCORE_S: Final = 60.0
LOOK_S: Final = 1.0


class Screen(Protocol):
    """What the person in front sees."""

    def begin(self, text: str) -> None:
        """A step has begun."""

    def done(self, text: str, detail: str = "") -> None:
        """The step is done: a line with a tick, and one of detail."""

    def scores(self, looks: list[Seen]) -> None:
        """The outputs so far, oldest first."""


@dataclass
class Play:
    """One performance below `folder`."""

    folder: Path
    screen: Screen
    clock: Clock
    evidence: Evidence = field(default_factory=lambda: Evidence(0))
    looks: list[Seen] = field(default_factory=list)
    memory_mb: float = 0.0
    alarm_after_s: float = 0.0
    started: float = field(default_factory=time.monotonic)

    async def run(self, *, once: bool) -> None:
        """Play it; with `once` check it and end, else go on until cancelled.

        Raises:
            CheckFailed: with `once`, when something is not as it must be.
        """
        self.screen.begin("starting the plant's historian")
        historian = PlantHistorian(self.folder / "plant", self.clock)
        async with historian.live():
            site = Site(self.folder, historian)
            site.prepare()
            self.screen.done(
                "plant historian is up", f"{historian.server.url}, SignAndEncrypt, one plant minute a second"
            )
            await self._look_at_tags(site)
            await self._train(site)
            self.screen.begin("starting `tagsight run`")
            async with service.running(site) as process:
                await self._perform(site, historian, lambda: service.still_running(site, process), once=once)

    async def _look_at_tags(self, site: Site) -> None:
        self.screen.begin("browsing the historian")
        historian = open_historian(site.historian_connection(load(site.file).historians["default"]))
        await historian.connect()
        try:
            tags = [tag async for tag in historian.browse(f"{UNIT_FOLDER}/*")]
            self.screen.done(f"{len(tags)} tags found", ", ".join(tag.name for tag in tags))
            self.screen.begin("reading their history")
            live_from = site.historian.feed.live_from_ns
            begun = time.monotonic()
            span = Span(live_from - HISTORY_MINUTES * SECOND, live_from)
            history = await read_history(historian, [tag.address for tag in tags], span)
        finally:
            await historian.close()
        spent = time.monotonic() - begun
        count = sum(len(one) for one in history.tags.values())
        bad = sum(int((qualities_of(one.status) != Quality.GOOD).sum()) for one in history.tags.values())
        holes = sum(int((np.diff(one.times) > SECOND).sum()) for one in history.tags.values())
        words = f"{bad} of them not Good, {holes} gaps; read in {spent:.1f} s ({count / spent:,.0f} values/s)"
        self.screen.done(f"data checked: {count:,} values, two plant weeks", words)

    async def _train(self, site: Site) -> None:
        self.screen.begin("training (`tagsight train`)")
        begun = time.monotonic()
        await service.complete(site, "train")
        register = ModelRegister(site.data.models, site.data.signing_key)
        approved = register.approved(MODEL)
        if approved is None:
            raise CheckFailed("the trained model was not approved", f"See {service.log_of(site, 'train')}.")
        card = register.card(MODEL, approved)
        worth = next((line[5:].strip() for line in card.words().splitlines() if line.startswith("Worth")), "")
        self._weigh()
        self.screen.done(f"model trained and compared in {time.monotonic() - begun:.0f} s", worth)
        if card.trial:
            raise CheckFailed("the model is on trial and does not alarm", worth)

    async def _perform(self, site: Site, historian: PlantHistorian, alive: Callable[[], None], *, once: bool) -> None:
        viewer = await self._connected(site, alive)
        try:
            self.screen.done("service is up", f"an OPC UA client of its own reads {site.results_url}")
            self.screen.begin("waiting for live scores")
            await self._watch(viewer, alive, FIRST_SCORE_S + NORMAL_LOOKS * EVERY_S, self._enough_normal)
            self.evidence.before = list(self.looks)
            self.screen.done("live scores", f"{self.looks[-1].score or 0:.2f} where 1.0 is the limit")
            self.evidence.fault_ns = historian.feed.inject()
            wait_s = (self.evidence.fault_ns - self.clock.now_ns()) / SECOND
            self.screen.begin(f"a fault begins in {wait_s:.0f} s")
            self.evidence.before += await self._until_fault(viewer, alive)
            self.screen.done(f"fault in the plant: {FAULT_NAME}")
            self.screen.begin("waiting for the alarm")
            self.evidence.alarm = await self._watch(viewer, alive, FAULT_MINUTES * 0.8, self._alarmed)
            self._show_alarm(site)
            self._weigh()
            if once:
                await self._compare(site, viewer)
                self._judge(site)
            else:
                await self._go_on(viewer, alive, historian)
        finally:
            await viewer.close()

    async def _connected(self, site: Site, alive: Callable[[], None]) -> Viewer:
        """The viewer, as soon as the tag server is up and serves the model."""
        until = time.monotonic() + SERVICE_UP_S
        trouble: Exception | None = None
        while time.monotonic() < until:
            alive()
            if site.trust_tag_server():
                viewer = Viewer(site)
                try:
                    await viewer.connect()
                except HistorianError as error:
                    trouble = error
                    await viewer.close()
                else:
                    return viewer
            await asyncio.sleep(LOOK_S)
        msg = f"no connection to the tag server in {SERVICE_UP_S:g} s: {trouble}"
        raise CheckFailed(msg, str(site.folder))

    async def _watch(
        self, viewer: Viewer, alive: Callable[[], None], seconds: float, found: Callable[[Seen], bool]
    ) -> Seen | None:
        """Look each second until `found`; None when the time is over."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            alive()
            seen = await viewer.look()
            if seen.score is not None and (not self.looks or self.looks[-1].time_ns < seen.time_ns):
                self.looks.append(seen)
                self.screen.scores(self.looks)
            if found(seen):
                return seen
            await asyncio.sleep(LOOK_S)
        return None

    def _enough_normal(self, _: Seen) -> bool:
        return len(self.looks) >= NORMAL_LOOKS

    def _alarmed(self, seen: Seen) -> bool:
        return seen.alarm and seen.time_ns >= self.evidence.fault_ns and bool(seen.message) and bool(seen.top)

    async def _until_fault(self, viewer: Viewer, alive: Callable[[], None]) -> list[Seen]:
        known = len(self.looks)
        left = (self.evidence.fault_ns - self.clock.now_ns()) / SECOND
        await self._watch(viewer, alive, left, lambda _: False)
        return self.looks[known:]

    def _show_alarm(self, site: Site) -> None:
        alarm = self.evidence.alarm
        if alarm is None:
            return
        self.alarm_after_s = (alarm.time_ns - self.evidence.fault_ns) / SECOND
        self.screen.done(f"alarm {self.alarm_after_s:.0f} s after the fault ({self.alarm_after_s:.0f} plant minutes)",
                         alarm.message)  # fmt: skip
        self.screen.done("any OPC UA client reads the same as tags", f"{site.results_url}  {address_of('Score')}")

    async def _compare(self, site: Site, viewer: Viewer) -> None:
        """Read all outputs back; a second try, since the service goes on writing meanwhile."""
        self.screen.begin("reading the tags back over OPC UA")
        span = Span(site.historian.feed.live_from_ns, self.looks[-1].time_ns if self.looks else self.clock.now_ns())
        for _ in range(3):
            stored = ledger_rows(site.data, self.clock, span)
            served = await viewer.history(span)
            self.evidence.compared = sum(len(rows) for rows in served.values())
            self.evidence.differing = differences(served, stored)
            if not self.evidence.differing:
                break
            await asyncio.sleep(LOOK_S)
        self.screen.done(f"{self.evidence.compared} values over OPC UA compared with the ledger")

    def _judge(self, site: Site) -> None:
        found = failures(self.evidence)
        if found:
            raise CheckFailed("; ".join(found), f"Logs and ledger: {site.folder}")

    def _weigh(self) -> None:
        self.memory_mb = max(self.memory_mb, memory_mb())

    def summary(self) -> str:
        """The one line at the end of `--once`."""
        alarm = self.evidence.alarm
        top = alarm.top[0] if alarm and alarm.top else "none"
        return (
            f"demo passed: alarm {self.alarm_after_s:.0f} s after the fault, first tag {top} of loop {FAULTED_LOOP}, "
            f"{self.evidence.compared} values over OPC UA equal the ledger; "
            f"{time.monotonic() - self.started:.0f} s, {self.memory_mb:.0f} MB in all processes"
        )

    async def _go_on(self, viewer: Viewer, alive: Callable[[], None], historian: PlantHistorian) -> None:
        """Live until the recording would be used up; the fault comes again from time to time."""
        self.screen.begin("going on; stop with Ctrl-C")
        with suppress(asyncio.CancelledError):
            while True:
                await self._watch(viewer, alive, 2.0 * FAULT_MINUTES, lambda _: False)
                historian.feed.inject()
