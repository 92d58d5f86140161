"""The data folder: where everything lies that TagSight keeps between two starts."""

from dataclasses import dataclass
from pathlib import Path

from tagsight.errors import StorageError
from tagsight.platform import is_network_share, make_private


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Paths below one root; `create` makes the folders, nothing else here touches the disk."""

    root: Path

    @property
    def ledger(self) -> Path:
        """Runs, outputs, deliveries, alarms, watermarks, audit (SQLite)."""
        return self.root / "ledger.sqlite"

    @property
    def inbox(self) -> Path:
        """What operators wrote (SQLite, a second database)."""
        return self.root / "inbox.sqlite"

    @property
    def heartbeat(self) -> Path:
        """Fixed size, rewritten in place."""
        return self.root / "heartbeat"

    @property
    def lock(self) -> Path:
        """Held by the service as long as it lives."""
        return self.root / "lock"

    @property
    def users(self) -> Path:
        """Users of tag server and pages with their argon2 hashes."""
        return self.root / "users.json"

    @property
    def web_tokens(self) -> Path:
        """Digests of the tokens with which HMIs show faceplates."""
        return self.root / "web-tokens.json"

    @property
    def first_link(self) -> Path:
        """How the first user of the pages is made: a link that works once (0600), while there is no admin."""
        return self.root / "first-link.txt"

    @property
    def passwords(self) -> Path:
        """Passwords of historians where there is no key store (0600)."""
        return self.root / "passwords.json"

    @property
    def certificates(self) -> Path:
        """`own/ trusted/ rejected/ issuers/ revoked/`."""
        return self.root / "certificates"

    @property
    def keys(self) -> Path:
        """The Ed25519 key that signs model files."""
        return self.root / "keys"

    @property
    def signing_key(self) -> Path:
        """Made on first use; what it did not sign is not loaded."""
        return self.keys / "models.ed25519"

    @property
    def models(self) -> Path:
        """`<asset>/<name>/<version>/`."""
        return self.root / "models"

    @property
    def history(self) -> Path:
        """What was read once: Parquet by tag and day, catalogue, gap ledger. May be deleted; it is read again."""
        return self.root / "history"

    @property
    def applied(self) -> Path:
        """Dated copies of the configurations that were applied, and the request to the service."""
        return self.root / "applied"

    @property
    def logs(self) -> Path:
        """Rotating, structured."""
        return self.root / "logs"

    def create(self) -> None:
        """Make the folders, readable by the owner only; a network share is refused.

        Raises:
            StorageError: on a network share, or where the folders cannot be made.
        """
        if is_network_share(self.root):
            raise StorageError(
                what=f"the data folder {self.root} lies on a network share, where a database cannot be locked safely",
                mend="Give a folder on a disk of this machine: `--data DIR`.",
            )
        try:
            for folder in (self.root, self.certificates, self.keys, self.models, self.logs):
                folder.mkdir(parents=True, exist_ok=True)
            for folder in (self.root, self.keys):
                make_private(folder)
        except OSError as error:
            raise StorageError(
                what=f"the data folder {self.root} cannot be made: {error.strerror}",
                mend="Give a folder that this user may write to: `--data DIR`.",
            ) from error
