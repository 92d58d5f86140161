"""What every page reads and writes through: ledger, heartbeat, inbox, users, configuration. One for each process."""

from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from tagsight.clocks import Clock
from tagsight.configuration import Checked, check_file
from tagsight.data_folder import DataFolder
from tagsight.errors import NotReady
from tagsight.heartbeat import HeartbeatFile
from tagsight.inbox import Inbox, Note
from tagsight.ledger.ledger import Ledger
from tagsight.plan import Plan, WebPlan
from tagsight.users import Users
from tagsight.web.computing import Computing
from tagsight.web.first_link import FirstLink
from tagsight.web.known_tags import KnownTags
from tagsight.web.tokens import FaceplateTokens
from tagsight.web.visitors import Sessions
from tagsight_explain.language import ENGLISH


@dataclass
class Site:
    """Reading a file or a database takes a moment: in an `async` function call these in a thread.

    Attributes:
        data: the data folder.
        settings: of the pages.
        clock: of this machine.
        inbox: what pages append to; the service acts on it.
        file: the configuration; None where the pages were started without one.
        language: of what operators read.
    """

    data: DataFolder
    settings: WebPlan
    clock: Clock
    inbox: Inbox
    file: Path | None = None
    language: str = ENGLISH
    users: Users = field(init=False)
    sessions: Sessions = field(init=False)
    tokens: FaceplateTokens = field(init=False)
    first: FirstLink = field(init=False)
    heartbeat: HeartbeatFile = field(init=False)
    computing: Computing = field(init=False)
    known_tags: KnownTags = field(init=False, default_factory=KnownTags)
    _ledger: Ledger | None = field(default=None, init=False)
    _opening: Lock = field(default_factory=Lock, init=False, repr=False)
    _checked: tuple[tuple[int, int], Checked] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.users = Users(self.data.users, self.clock)
        self.sessions = Sessions(self.clock, self.users.stamp)
        self.tokens = FaceplateTokens(self.data.web_tokens)
        self.first = FirstLink(self.users, self.clock)
        self.heartbeat = HeartbeatFile(self.data.heartbeat)
        self.computing = Computing(self.clock)

    def ledger(self) -> Ledger:
        """For reading. Raises NotReady before the service ran for the first time, StorageError for a damaged one."""
        with self._opening:
            if self._ledger is None:
                if not self.data.ledger.exists():
                    raise NotReady("TagSight has not run yet", "`tagsight run` makes the ledger.")
                self._ledger = Ledger.open_reader(self.data.ledger, self.clock)
            return self._ledger

    def checked(self) -> Checked | None:
        """The configuration as it is in the file now, with its faults; None where there is no file."""
        if self.file is None:
            return None
        try:
            found = self.file.stat()
        except OSError:
            return check_file(self.file)
        seen = found.st_mtime_ns, found.st_size
        if self._checked is None or self._checked[0] != seen:
            self._checked = seen, check_file(self.file)
        return self._checked[1]

    def plan(self) -> Plan | None:
        """Of the file as it is now; None where there is none, or it has faults."""
        checked = self.checked()
        return checked.plan if checked is not None else None

    def note(self, who: str, what: str, detail: str = "") -> None:
        """Tell the audit trail; the service writes it there. Raises StorageError."""
        self.inbox.append_note(Note(who, what, detail, self.clock.now_ns()))

    def close(self) -> None:
        """Release the ledger; the inbox is its opener's."""
        if self._ledger is not None:
            self._ledger.close()
