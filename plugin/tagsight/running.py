"""One process of the service: what lasts as long as it does, and the services of one plan after the other.

Databases, workers, connections that stay the same, and the processes that serve results outlive a plan: a configuration
that was applied is taken over between two ticks, and unchanged models run on.
"""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias

from tagsight.applied import Answer, Applied, AppliedFolder
from tagsight.changes import Changes, changes_of, same_connection
from tagsight.clocks import Clock
from tagsight.configuration import check_file
from tagsight.connections import Link
from tagsight.data_folder import DataFolder
from tagsight.errors import StorageError, TagSightError
from tagsight.history_keeping import keep_histories
from tagsight.inbox import Inbox
from tagsight.ledger.ledger import Ledger
from tagsight.opening import open_links
from tagsight.plan import Destination, Plan, ResultsPlan, Security
from tagsight.platform import InstanceLock
from tagsight.secrets import Secrets
from tagsight.service import Log, Service
from tagsight.tag_server_process import TagServerProcess
from tagsight.web.kept import PagesProcess
from tagsight.web.start import Start
from tagsight.workers import Workers
from tagsight_connectors.store.history_store import HistoryStore

LOOK_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Successor:
    """What follows: checked, its links made and not yet connected."""

    plan: Plan
    links: dict[str, Link]
    request: Applied


Place: TypeAlias = tuple[str, int, Security, str]
"""Where results are served, how, and the language of messages."""


@dataclass
class Running:
    """The process.

    Attributes:
        file: the configuration that it was started with; only this one is taken over.
        data: folder; `lock` is held.
        lock: tells others which plan runs.
        ledger: open for writing.
        inbox: what operators wrote.
        workers: processes that compute.
        secrets: passwords of historians.
        store: of histories, if any.
        clock: of this machine.
        log: (what, message) of a trouble.
        note: (what, message) of what happened as it should.
    """

    file: Path
    data: DataFolder
    lock: InstanceLock
    ledger: Ledger
    inbox: Inbox
    workers: Workers
    secrets: Secrets
    store: HistoryStore | None
    clock: Clock
    log: Log
    note: Log
    plan: Plan = field(init=False)
    _next: Successor | None = field(init=False, default=None)
    _serving: dict[Place, "asyncio.Task[None]"] = field(init=False, default_factory=dict)
    _pages: tuple[Start, "asyncio.Task[None]"] | None = field(init=False, default=None)
    _looked_at: str = field(init=False, default="")

    async def run(self, plan: Plan, stop: asyncio.Event) -> None:
        """From one plan to the next, until `stop`.

        Raises:
            NotReady: a password is missing.
            FenceError: results would go where they must not.
        """
        self.plan = plan
        request = self._folder.request()
        self._looked_at = request.name if request is not None else ""
        links: dict[str, Link] | None = self._opened(plan)
        try:
            while links is not None:
                links = await self._one(links, stop)
        finally:
            await self._serve(())
            await self._show(None)

    async def _one(self, links: dict[str, Link], stop: asyncio.Event) -> dict[str, Link] | None:
        """Run the service of one plan to its end; the links of the next one, None after an orderly end.

        A service that handed over has said no farewell: its successor is started even if it is to stop at once.
        """
        service = Service(
            plan=self.plan,
            data=self.data,
            links=links,
            ledger=self.ledger,
            inbox=self.inbox,
            workers=self.workers,
            clock=self.clock,
            log=self.log,
            note=self.note,
        )
        await self._serve(self.plan.results.values(), self.plan.language)
        await self._show(self.plan)
        successor = asyncio.Event()
        looking = asyncio.create_task(self._look_for_a_request(successor))
        try:
            handed_over = await service.run(stop, successor)
        finally:
            looking.cancel()
            with suppress(asyncio.CancelledError):
                await looking
        if not handed_over or self._next is None:
            return None
        return await self._taken_over(self._next, links)

    async def _look_for_a_request(self, successor: asyncio.Event) -> None:
        """Until there is one that can be taken over."""
        while not successor.is_set():
            try:
                self._next = await self._requested()
            except TagSightError as error:
                self.log("configuration", str(error))
            if self._next is not None:
                successor.set()
            else:
                await asyncio.sleep(LOOK_S)

    async def _requested(self) -> Successor | None:
        """What a new request asks for; None where there is none, or where it is refused, which is answered."""
        request = self._folder.request()
        if request is None or request.name == self._looked_at:
            return None
        self._looked_at = request.name
        found = await self._checked(request)
        if isinstance(found, Successor):
            return found
        self._refuse(request, found)
        return None

    async def _checked(self, request: Applied) -> Successor | str:
        """What the file says now, or why it cannot be taken over."""
        if Path(request.file) != self.file.absolute():
            return f"this service was started with {self.file.absolute()}, and takes over no other file"
        checked = await asyncio.to_thread(check_file, self.file)
        if checked.plan is None:
            return f"{self.file} has {len(checked.faults)} faults now: it was edited again"
        if checked.plan.digest != request.digest:
            return f"{self.file} was edited again since: apply it once more"
        try:
            return Successor(checked.plan, self._opened(checked.plan), request)
        except TagSightError as error:
            return str(error)

    def _refuse(self, request: Applied, why: str) -> None:
        self._answer(Answer(request.name, taken=False, words=why))
        self.ledger.audit(request.who, "configuration refused", f"{request.name}: {why}")
        self.log("configuration", why)

    async def _taken_over(self, successor: Successor, links: dict[str, Link]) -> dict[str, Link]:
        before, plan = self.plan, successor.plan
        kept = {name: link for name, link in links.items() if same_connection(before, plan, name)}
        for name, link in links.items():
            if name not in kept:
                await link.close()
        self.plan, self._next = plan, None
        self.lock.describe(plan.digest)
        self._tell(successor.request, changes_of(before, plan))
        found = successor.links | {name: link for name, link in kept.items() if name in plan.historians}
        keep_histories(plan, found, self.store)
        return found

    def _tell(self, request: Applied, changes: Changes) -> None:
        words = "nothing changed" if changes.nothing else changes.words
        self.ledger.audit(request.who, "configuration applied", f"{request.name}: {words}")
        self._answer(Answer(request.name, taken=True, words=words))
        self.note("configuration", f"applied by {request.who}: {words}")

    def _answer(self, answer: Answer) -> None:
        try:
            self._folder.give(answer)
        except StorageError as error:
            self.log("configuration", str(error))

    def _opened(self, plan: Plan) -> dict[str, Link]:
        links = open_links(plan, self.data, self.secrets, self.clock, self.ledger)
        keep_histories(plan, links, self.store)
        return links

    async def _show(self, plan: Plan | None) -> None:
        """The pages as this plan has them; the same ones go on undisturbed."""
        settings = plan.web if plan is not None else None
        start = Start(self.data.root, settings, self.file, plan.language) if plan is not None and settings else None
        if self._pages is not None and self._pages[0] != start:
            ended, self._pages = self._pages[1], None
            ended.cancel()
            await asyncio.gather(ended, return_exceptions=True)
        if start is not None and self._pages is None:
            pages = PagesProcess(self.data, start, self.clock, self.log, partial(self.note, "pages"))
            self._pages = start, asyncio.create_task(pages.run())

    async def _serve(self, results: Iterable[ResultsPlan], language: str = "") -> None:
        """Exactly the processes that these results and messages are served by; those that stay go on undisturbed."""
        wanted = {
            (one.listen_host, one.listen_port, one.listen_security, language)
            for one in results
            if one.to is Destination.SERVER
        }
        for gone in self._serving.keys() - wanted:
            ended = self._serving.pop(gone)
            ended.cancel()
            await asyncio.gather(ended, return_exceptions=True)
        for host, port, security, words in sorted(wanted - self._serving.keys(), key=str):
            ready = partial(self.note, "serving")
            server = TagServerProcess(self.data, host, port, self.clock, self.log, ready, security, words)
            self._serving[host, port, security, words] = asyncio.create_task(server.run())

    @property
    def _folder(self) -> AppliedFolder:
        return AppliedFolder(self.data.applied)
