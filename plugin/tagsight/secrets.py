"""Passwords of historians: from the environment, a private file in the data folder, or the key store of the system."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from tagsight.data_folder import DataFolder
from tagsight.errors import NotAllowed, NotReady, StorageError
from tagsight.platform import is_private, write_private

SERVICE: Final = "tagsight"
"""Name of our entries in the key store."""

_FILE_LIMIT: Final = 1_000_000


def variable_of(name: str) -> str:
    """Environment variable of a historian's password: `north-2` -> `TAGSIGHT_PASSWORD_NORTH_2`."""
    return "TAGSIGHT_PASSWORD_" + re.sub(r"[^A-Z0-9]", "_", name.upper())


@dataclass(frozen=True)
class Secrets:
    """Finds and stores passwords by the historian's name. Its `repr` shows none."""

    folder: DataFolder
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    def password(self, name: str) -> str | None:
        """The password of a historian, None where none is stored.

        Raises:
            NotAllowed: the file of passwords can be read by others.
            NotReady: the key store is locked or broken.
            StorageError: the file of passwords is damaged.
        """
        given = self.environment.get(variable_of(name))
        if given is not None:
            return given
        in_file = self._file().get(name)
        return in_file if in_file is not None else _from_key_store(name)

    def store_in_key_store(self, name: str, password: str) -> None:
        """Keep a password in the key store of the system.

        Raises:
            NotReady: there is none, or it is locked.
        """
        import keyring  # noqa: PLC0415 - takes 0.1 s, and only commands that store need it
        from keyring.errors import KeyringError  # noqa: PLC0415 - the same

        try:
            keyring.set_password(SERVICE, name, password)
        except KeyringError as error:
            raise _no_key_store(error) from error

    def store_in_file(self, name: str, password: str) -> None:
        """Keep a password in a private file of the data folder: for services without a key store."""
        self.folder.create()
        passwords = {**self._file(), name: password}
        try:
            write_private(self.folder.passwords, json.dumps(passwords, indent=1).encode())
        except OSError as error:
            raise StorageError(what=f"{self.folder.passwords} cannot be written: {error.strerror}") from error

    def _file(self) -> dict[str, str]:
        path = self.folder.passwords
        if not path.exists():
            return {}
        if not is_private(path):
            raise NotAllowed(
                what=f"the file of passwords {path} can be read by other users", mend=f"`chmod 600 {path}`"
            )
        try:
            with path.open("rb") as stream:
                passwords = json.loads(stream.read(_FILE_LIMIT))
        except (OSError, ValueError):
            passwords = None
        if not isinstance(passwords, dict) or not all(isinstance(one, str) for one in passwords.values()):
            # without the cause: a decoder's message may show what is inside
            raise StorageError(
                what=f"the file of passwords {path} is damaged",
                mend="Remove it, then `tagsight password set NAME --file` again.",
            ) from None
        return passwords


def _from_key_store(name: str) -> str | None:
    import keyring  # noqa: PLC0415 - takes 0.1 s, and only what connects needs it
    from keyring.errors import KeyringError, NoKeyringError  # noqa: PLC0415 - the same

    try:
        return keyring.get_password(SERVICE, name)
    except NoKeyringError:
        return None
    except KeyringError as error:
        raise _no_key_store(error) from error


def _no_key_store(error: Exception) -> NotReady:
    return NotReady(
        what=f"the key store of this system cannot be used ({type(error).__name__})",
        mend="`tagsight password set NAME --file` keeps the password in a private file of the data folder instead.",
    )
