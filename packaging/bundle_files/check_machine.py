"""Says whether this machine can run what this bundle holds; `install.sh` and `install.ps1` ask before they install.

    python check_machine.py TARGET

`made_for.json` beside this file says what the bundle was made for. Exit code 1 and one line for each fault.
"""

import importlib.util
import json
import platform
import shutil
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
SPARE = 600
"""MB beside what the wheels unpack to (1,460): compiled files and part-filled blocks make it 1,890 on ext4."""


def this_machine() -> dict[str, Any]:
    """What of this machine decides which wheels it takes."""
    free_threaded = "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
    return {
        "python": f"{sys.version_info.major}.{sys.version_info.minor}{free_threaded}",
        "implementation": sys.implementation.name,
        "platform": sysconfig.get_platform(),
    }


def numbers(version: str) -> tuple[int, ...]:
    """A version of digits and points, to be compared."""
    return tuple(int(part) for part in version.split("."))


def differences(wanted: dict[str, Any], here: dict[str, Any], libc: tuple[str, str]) -> Iterator[str]:
    """What of a machine departs from what the bundle was made for, in words."""
    words = {"python": "Python", "implementation": "the Python implementation", "platform": "this machine"}
    for key, word in words.items():
        if here[key] != wanted[key]:
            mend = "make the bundle on a machine like this one"
            if key != "platform":
                mend = f"name another with PYTHON=... (Windows: -Python ...), or {mend}"
            yield f"{word} is {here[key]}, this bundle was made for {wanted[key]}: {mend}"
    name, version = libc
    if wanted["glibc"] and name != "glibc":
        yield f"the C library is {name or 'unknown'}, this bundle needs glibc {wanted['glibc']} or newer"
    elif wanted["glibc"] and numbers(version) < numbers(wanted["glibc"]):
        yield f"glibc is {version}, this bundle needs {wanted['glibc']} or newer: the system is too old"


def lacking_space(target: Path, megabytes: int) -> Iterator[str]:
    """Whether the disk of the target is too full."""
    there = target.absolute()
    while not there.exists():
        there = there.parent
    free = shutil.disk_usage(there).free // 1_000_000
    if free < megabytes + SPARE:
        yield f"{there} has {free} MB free, {megabytes + SPARE} MB are needed"


def lacking_parts() -> Iterator[str]:
    """Parts of Python that some systems package apart."""
    for module in ("venv", "ensurepip"):
        if importlib.util.find_spec(module) is None:
            yield f"this Python has no {module}: install its package (Debian, Ubuntu: python3-venv)"


def main(target: Path) -> int:
    """Print every fault at once."""
    wanted = json.loads((HERE / "made_for.json").read_text(encoding="utf-8"))
    found = [
        *differences(wanted, this_machine(), platform.libc_ver()),
        *lacking_parts(),
        *lacking_space(target, wanted["megabytes"]),
    ]
    for fault in found:
        print(f"error: {fault}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
