from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from tagsight.__main__ import run
from tagsight.data_folder import DataFolder
from tagsight.errors import NotAllowed, NotReady, StorageError
from tagsight.historians import connection_of, open_plan_historian
from tagsight.plan import HistorianPlan
from tagsight.platform import WINDOWS
from tagsight.secrets import Secrets, variable_of


class MemoryKeyStore(KeyringBackend):
    priority = -1.0  # type: ignore[assignment]  # never chosen by itself, in whichever test keyring begins

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password


class LockedKeyStore(MemoryKeyStore):
    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked(service, username)

    def set_password(self, service: str, username: str, password: str) -> None:  # noqa: ARG002 - the signature of a key store
        raise KeyringLocked(service, username)


@pytest.fixture
def secrets(tmp_path: Path) -> Iterator[Secrets]:
    before = keyring.get_keyring()
    keyring.set_keyring(MemoryKeyStore())
    yield Secrets(DataFolder(tmp_path), {})
    keyring.set_keyring(before)


def test_environment_goes_before_file_and_file_before_key_store(secrets: Secrets, tmp_path: Path) -> None:
    assert secrets.password("north-2") is None
    secrets.store_in_key_store("north-2", "from the key store")
    assert secrets.password("north-2") == "from the key store"
    secrets.store_in_file("north-2", "from the file")
    assert secrets.password("north-2") == "from the file"
    with_variable = Secrets(DataFolder(tmp_path), {variable_of("north-2"): "from the environment"})
    assert with_variable.password("north-2") == "from the environment"


def test_the_variable_is_named_after_the_historian() -> None:
    assert variable_of("north-2") == "TAGSIGHT_PASSWORD_NORTH_2"


def test_no_repr_shows_a_password(tmp_path: Path) -> None:
    secrets = Secrets(DataFolder(tmp_path), {variable_of("a"): "hunter2"})
    plan = HistorianPlan("a", "opc.tcp://a:4840", "tagsight")
    connection = connection_of(plan, DataFolder(tmp_path), secrets)
    assert connection.password == "hunter2"
    assert "hunter2" not in repr(secrets) + repr(connection) + repr(plan)


@pytest.mark.skipif(WINDOWS, reason="Windows has no mode bits")
def test_a_file_that_others_can_read_is_refused(secrets: Secrets) -> None:
    secrets.store_in_file("a", "hunter2")
    secrets.folder.passwords.chmod(0o644)
    with pytest.raises(NotAllowed, match="other users"):
        secrets.password("a")


def test_a_damaged_file_is_said_without_its_content(secrets: Secrets) -> None:
    secrets.store_in_file("a", "hunter2")
    secrets.folder.passwords.write_text('{"a": "hunter2"')
    with pytest.raises(StorageError) as caught:
        secrets.password("a")
    assert "hunter2" not in f"{caught.value} {caught.value.__cause__}"


def test_a_locked_key_store_is_said(secrets: Secrets) -> None:
    keyring.set_keyring(LockedKeyStore())
    with pytest.raises(NotReady, match="key store"):
        secrets.password("a")
    with pytest.raises(NotReady, match="key store"):
        secrets.store_in_key_store("a", "hunter2")


def test_a_user_without_password_is_said_before_connecting(secrets: Secrets, tmp_path: Path) -> None:
    with pytest.raises(NotReady) as caught:
        open_plan_historian(HistorianPlan("north", "memory://n", "tagsight"), DataFolder(tmp_path), secrets)
    assert "TAGSIGHT_PASSWORD_NORTH" in caught.value.mend


def test_a_connection_carries_what_the_plan_says(secrets: Secrets, tmp_path: Path) -> None:
    plan = HistorianPlan("north", "opc.tcp://n:4840", timeout_s=3.0)
    connection = connection_of(plan, DataFolder(tmp_path), secrets, frozenset({"ns=2;s=a"}), "Europe/Berlin")
    assert connection.certificates == tmp_path / "certificates"
    assert connection.accepted == {"ns=2;s=a"}
    assert connection.timeout_s == 3.0
    assert connection.timezone == "Europe/Berlin"


def certified(tmp_path: Path, **changes: str) -> HistorianPlan:
    return HistorianPlan("north", "opc.tcp://n:4840", user_certificate=str(tmp_path / "user.der"), **changes)


def test_the_key_of_a_user_certificate_is_a_private_file_in_the_data_folder_or_where_it_is_named(
    secrets: Secrets, tmp_path: Path
) -> None:
    data = DataFolder(tmp_path)
    with pytest.raises(NotReady, match=r"north\.pem"):
        connection_of(certified(tmp_path), data, secrets)
    key = tmp_path / "certificates" / "users" / "north.pem"
    write_private_file(key)
    connection = connection_of(certified(tmp_path), data, secrets)
    assert (connection.user_key, connection.user_certificate) == (key, tmp_path / "user.der")
    assert connection.password == ""
    elsewhere = tmp_path / "elsewhere.pem"
    write_private_file(elsewhere)
    assert connection_of(certified(tmp_path, user_key=str(elsewhere)), data, secrets).user_key == elsewhere
    secrets.store_in_file("north", "its passphrase")
    assert connection_of(certified(tmp_path), data, secrets).password == "its passphrase"


def write_private_file(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"key")
    path.chmod(0o600)


@pytest.mark.skipif(WINDOWS, reason="Windows has no mode bits")
@pytest.mark.parametrize("name", ["users/north.pem", "own/tagsight-client.pem"])
def test_a_key_that_others_can_read_is_refused(secrets: Secrets, tmp_path: Path, name: str) -> None:
    write_private_file(tmp_path / "certificates" / "users" / "north.pem")
    key = tmp_path / "certificates" / name
    write_private_file(key)
    key.chmod(0o640)
    with pytest.raises(NotAllowed, match="can be read by other users") as refusal:
        connection_of(certified(tmp_path), DataFolder(tmp_path), secrets)
    assert refusal.value.mend == f"`chmod 600 {key}`"


FILE = """\
timezone: UTC
historian: {url: "opc.tcp://127.0.0.1:1", user: tagsight, timeout: 1s}
models: [{name: Health, asset: P101, inputs: ["Plant/*"]}]
"""


def test_what_a_command_says_and_leaves_behind_has_no_password_in_it(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file, data = tmp_path / "tagsight.yaml", tmp_path / "data"
    file.write_text(FILE)
    monkeypatch.setenv(variable_of("default"), "h1dden-s3cret")
    for command in (["check", str(file)], ["probe", str(file), "--data", str(data)]):
        run(["--debug", *command])
    said = capfd.readouterr()
    left = b"".join(path.read_bytes() for path in data.rglob("*") if path.is_file())
    assert "127.0.0.1:1" in said.out + said.err
    assert "h1dden" not in said.out + said.err
    assert b"h1dden" not in left
