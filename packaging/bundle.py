"""Builds the folder that installs TagSight on a machine without internet.

Run in the environment of `make test`, on the same kind of machine (system, processor, Python) as the target:

    python packaging/bundle.py dist/bundle [--torch-index https://download.pytorch.org/whl/cpu]

The folder holds every wheel, `requirements.txt` with version and SHA-256 of each, the install scripts, the service
definitions and the documents. `install.sh` and `install.ps1` use no index and refuse a wheel whose hash differs.
"""

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[1]

DENIED: Final[Mapping[str, re.Pattern[str]]] = {
    "lightning": re.compile(r"2\.6\.[23]"),  # these two releases were malicious
    "pytorch-lightning": re.compile(r"2\.6\.[23]"),  # the same releases under the other name
    "torch": re.compile(r"[01]\..*|2\.[0-9](\..*)?"),  # older than 2.10: CVE-2026-24747
}
"""Versions that no bundle and no constraint may hold, by normalised name."""

COPIED: Final = ("packaging/bundle_files", "packaging/systemd", "packaging/windows", "docs")


class Pinned(NamedTuple):
    """One distribution in exactly one version."""

    name: str
    version: str


def normalised(name: str) -> str:
    """A distribution's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(text: str) -> list[Pinned]:
    """What a constraints file pins; a line that pins nothing exactly is an error."""
    found = []
    for line in text.splitlines():
        said = line.partition("#")[0].strip()
        if not said:
            continue
        name, exact, version = said.partition("==")
        if not exact or not re.fullmatch(r"[\w.!+-]+", version):
            message = f"constraints.txt: `{said}` pins no exact version; write `name==version`"
            raise ValueError(message)
        found.append(Pinned(normalised(name), version))
    return found


def wheel_of(filename: str) -> Pinned:
    """Name and version that a wheel's file name says."""
    parts = filename.removesuffix(".whl").split("-")
    if not filename.endswith(".whl") or len(parts) not in (5, 6):
        message = f"{filename} is not the name of a wheel"
        raise ValueError(message)
    return Pinned(normalised(parts[0]), parts[1])


def denied(pinned: Iterable[Pinned]) -> list[Pinned]:
    """Those that must not be installed; a build's local label (`+cpu`) does not matter."""
    return [one for one in pinned if one.name in DENIED and DENIED[one.name].fullmatch(one.version.partition("+")[0])]


def departures(wheels: Iterable[Pinned], pinned: Iterable[Pinned]) -> list[str]:
    """What a wheelhouse holds beside the constraints, in words."""
    wanted = dict(pinned)
    faults = []
    for name, version in wheels:
        if name not in wanted:
            faults.append(f"{name} {version} is not in constraints.txt")
        elif version.partition("+")[0] != wanted[name]:
            faults.append(f"{name} is {version}, constraints.txt says {wanted[name]}")
    return faults


def requirements(wheels: Iterable[Path]) -> str:
    """A requirements file with version and SHA-256 of each wheel, by name."""
    lines = ["# Made by packaging/bundle.py. pip refuses a wheel whose SHA-256 differs."]
    for wheel in sorted(wheels):
        name, version = wheel_of(wheel.name)
        lines.append(f"{name}=={version} --hash=sha256:{_sha256(wheel)}")
    return "\n".join(lines) + "\n"


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def refuse(faults: Iterable[str]) -> None:
    """End the build if there are faults."""
    said = "\n  ".join(faults)
    if said:
        sys.exit(f"error: no bundle was made\n  {said}")


def collect(wheels: Path, torch_index: str) -> None:
    """Build our own wheel, and fetch or build those of everything it needs."""
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--wheel-dir", str(wheels)]
    constraints = ["--constraint", str(ROOT / "constraints.txt")]
    torch = next(f"torch=={version}" for name, version in pins(_constraints()) if name == "torch")
    index = ["--index-url", torch_index] if torch_index else []
    subprocess.run([*pip, "--no-deps", str(ROOT)], check=True)  # noqa: S603 - our own arguments
    subprocess.run([*pip, *constraints, torch, *index], check=True)  # noqa: S603 - the same
    ours = next(wheels.glob("tagsight-*.whl"))
    everything = [*pip, *constraints, "--find-links", str(wheels), f"{ours}[demo]"]
    subprocess.run(everything, check=True)  # noqa: S603 - the same


def _constraints() -> str:
    return (ROOT / "constraints.txt").read_text(encoding="utf-8")


def build(folder: Path, torch_index: str) -> None:
    """Make the bundle in `folder`, which must not exist yet or be an earlier bundle."""
    if folder.exists() and not (folder / "install.sh").exists():
        refuse([f"{folder} exists and is no bundle; name another folder"])
    refuse(f"{name} {version} in constraints.txt is denied" for name, version in denied(pins(_constraints())))
    shutil.rmtree(folder, ignore_errors=True)
    wheels = folder / "wheels"
    wheels.mkdir(parents=True)
    for part in COPIED:
        target = folder if part.endswith("bundle_files") else folder / Path(part).name
        shutil.copytree(ROOT / part, target, dirs_exist_ok=True)
    for document in ("README.md", "LICENSE", "CHANGELOG.md"):
        shutil.copy2(ROOT / document, folder)
    collect(wheels, torch_index)
    found = [wheel_of(wheel.name) for wheel in wheels.iterdir()]
    refuse(f"{name} {version} is denied" for name, version in denied(found))
    refuse(departures((one for one in found if one.name != "tagsight"), pins(_constraints())))
    (folder / "requirements.txt").write_text(requirements(wheels.iterdir()), encoding="utf-8")
    size = sum(wheel.stat().st_size for wheel in wheels.iterdir())
    print(f"{folder}: {len(found)} wheels, {size / 1e6:.0f} MB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Build the offline bundle of TagSight.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--torch-index", default="", help="Index of torch, if not pip's usual one.")
    asked = parser.parse_args()
    build(asked.folder, asked.torch_index)
