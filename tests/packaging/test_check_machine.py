from pathlib import Path

import pytest
from bundle_files import check_machine

MADE_FOR = {"python": "3.11", "implementation": "cpython", "platform": "linux-x86_64", "glibc": "2.28"}
HERE = {"python": "3.11", "implementation": "cpython", "platform": "linux-x86_64"}


def test_a_machine_like_the_one_of_the_bundle_is_taken() -> None:
    assert list(check_machine.differences(MADE_FOR, HERE, ("glibc", "2.28"))) == []


@pytest.mark.parametrize(
    ("departure", "said"),
    [
        pytest.param({"python": "3.12"}, "Python is 3.12, this bundle was made for 3.11: name another", id="python"),
        pytest.param({"python": "3.11t"}, "Python is 3.11t", id="free-threaded"),
        pytest.param({"implementation": "pypy"}, "is pypy, this bundle was made for cpython", id="implementation"),
        pytest.param({"platform": "win-amd64"}, "is win-amd64, this bundle was made for linux-x86_64", id="system"),
    ],
)
def test_a_machine_that_departs_is_told_in_what(departure: dict[str, str], said: str) -> None:
    found = list(check_machine.differences(MADE_FOR, HERE | departure, ("glibc", "2.36")))
    assert len(found) == 1
    assert said in found[0]


@pytest.mark.parametrize(
    ("libc", "said"),
    [
        pytest.param(("glibc", "2.9"), "glibc is 2.9, this bundle needs 2.28", id="old"),
        pytest.param(("", ""), "the C library is unknown", id="another"),
    ],
)
def test_a_system_with_an_old_or_another_c_library_is_refused(libc: tuple[str, str], said: str) -> None:
    assert said in "".join(check_machine.differences(MADE_FOR, HERE, libc))


def test_a_bundle_without_glibc_asks_for_none() -> None:
    assert list(check_machine.differences(MADE_FOR | {"glibc": ""}, HERE, ("", ""))) == []


def test_a_full_disk_is_named_also_where_the_folder_is_not_there_yet(tmp_path: Path) -> None:
    assert list(check_machine.lacking_space(tmp_path / "a" / "b", 0)) == []
    (fault,) = check_machine.lacking_space(tmp_path / "a" / "b", 10**9)
    assert fault.startswith(f"{tmp_path} has ")


def test_this_python_has_what_an_environment_needs() -> None:
    assert list(check_machine.lacking_parts()) == []
