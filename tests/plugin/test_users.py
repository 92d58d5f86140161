from pathlib import Path

import pytest
from argon2 import PasswordHasher

from tagsight.clocks import SetClock
from tagsight.errors import NotReady, StorageError
from tagsight.platform import is_private
from tagsight.users import FREE_ATTEMPTS, LONGEST_WAIT_S, UnusableUser, Users
from tagsight_connectors.serving import UserRole

PASSWORD = "correct horse"


@pytest.fixture
def users(tmp_path: Path) -> Users:
    cheap = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    found = Users(tmp_path / "users.json", clock=SetClock(), hasher=cheap)
    found.add("ann", PASSWORD, UserRole.OPERATOR)
    return found


def test_a_user_has_the_role_that_was_given(users: Users) -> None:
    assert users.authenticate("ann", PASSWORD) is UserRole.OPERATOR
    assert users.authenticate("ann", PASSWORD + "!") is None
    assert users.authenticate("bob", PASSWORD) is None
    assert users.authenticate("ann", "") is None
    assert users.authenticate("ann", "x" * 1_000_000) is None


def test_the_file_is_private_and_holds_no_password(users: Users) -> None:
    assert is_private(users.path)
    assert PASSWORD not in users.path.read_text()
    assert "$argon2id$" in users.path.read_text()


def test_another_process_sees_a_new_user_at_once(users: Users) -> None:
    server = Users(users.path)
    users.add("bob", PASSWORD, UserRole.ADMIN)
    assert server.roles() == {"ann": UserRole.OPERATOR, "bob": UserRole.ADMIN}


def test_after_wrong_passwords_even_the_right_one_has_to_wait(users: Users) -> None:
    assert isinstance(users.clock, SetClock)
    for _ in range(FREE_ATTEMPTS + 1):
        assert users.authenticate("ann", "wrong") is None
    assert users.authenticate("ann", PASSWORD) is None
    users.clock.advance(1.0)
    assert users.authenticate("ann", PASSWORD) is UserRole.OPERATOR


def test_the_wait_grows_to_its_limit(users: Users) -> None:
    assert isinstance(users.clock, SetClock)
    for _ in range(30):
        users.authenticate("ann", "wrong")
        users.clock.advance(LONGEST_WAIT_S)
    users.authenticate("ann", "wrong")
    users.clock.advance(LONGEST_WAIT_S - 1)
    assert users.authenticate("ann", PASSWORD) is None
    users.clock.advance(1)
    assert users.authenticate("ann", PASSWORD) is UserRole.OPERATOR


def test_an_unknown_name_costs_a_hash_too(users: Users) -> None:
    checked = []
    verify = users.hasher.verify

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]  # noqa: A002
            checked.append(hash)
            return verify(hash, password)

    users.hasher = Counting(time_cost=1, memory_cost=64, parallelism=1)
    users.authenticate("nobody", PASSWORD)
    assert len(checked) == 1


def test_names_that_fail_do_not_fill_the_memory(users: Users) -> None:
    for number in range(1_100):
        users._remember_failure(f"name {number}", 0.0)
    assert len(users._failures) <= 1_000


@pytest.mark.parametrize("name", ["", " ann", "a\nb", "x" * 65])
def test_an_unusable_name_is_refused(users: Users, name: str) -> None:
    with pytest.raises(UnusableUser):
        users.add(name, PASSWORD, UserRole.OPERATOR)


@pytest.mark.parametrize("password", ["", "short", "x" * 201])
def test_an_unusable_password_is_refused(users: Users, password: str) -> None:
    with pytest.raises(UnusableUser):
        users.add("bob", password, UserRole.OPERATOR)


def test_a_user_who_is_not_there_cannot_be_removed(users: Users) -> None:
    users.remove("ann")
    with pytest.raises(NotReady):
        users.remove("ann")


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"users": {"a": {}}}', '{"users": {"a": {"role": "x", "hash": ""}}}']
)
def test_a_damaged_file_is_said_and_lets_nobody_in(users: Users, content: str) -> None:
    users.path.write_text(content)
    with pytest.raises(StorageError):
        users.authenticate("ann", PASSWORD)


def test_a_user_with_a_certificate_is_found_by_it_and_by_no_password(users: Users) -> None:
    users.add_certificate("eve", b"certificate of eve", UserRole.ENGINEER)
    assert users.by_certificate(b"certificate of eve") == ("eve", UserRole.ENGINEER)
    assert users.by_certificate(b"another one") is None
    assert users.certified() == {"eve"}
    for password in ("", PASSWORD, "nobody has this password"):
        assert users.authenticate("eve", password) is None


def test_a_user_may_have_both_and_loses_the_certificate_with_a_new_password_alone(users: Users) -> None:
    users.add_certificate("ann", b"certificate of ann", UserRole.ENGINEER, PASSWORD)
    assert users.authenticate("ann", PASSWORD) is UserRole.ENGINEER
    assert users.by_certificate(b"certificate of ann") == ("ann", UserRole.ENGINEER)
    users.add("ann", PASSWORD, UserRole.OPERATOR)
    assert users.by_certificate(b"certificate of ann") is None


def test_two_users_do_not_share_a_certificate(users: Users) -> None:
    users.add_certificate("eve", b"certificate", UserRole.ENGINEER)
    with pytest.raises(UnusableUser, match="user eve has this certificate"):
        users.add_certificate("bob", b"certificate", UserRole.ADMIN)
    users.remove("eve")
    users.add_certificate("bob", b"certificate", UserRole.ADMIN)
    assert users.by_certificate(b"certificate") == ("bob", UserRole.ADMIN)
