"""Builds the folder that installs TagSight on a machine without internet.

Run in the environment of `make test`, on the same kind of machine (system, processor, Python) as the target:

    python packaging/bundle.py dist/bundle [--torch-index https://download.pytorch.org/whl/cpu]

The folder holds every wheel, `requirements.txt` with version and SHA-256 of each, `sbom.cdx.json` (bill of materials),
`made_for.json` (which Python and system it fits), the install scripts, the service definitions and the documents.
`install.sh` and `install.ps1` use no index and refuse a wheel whose hash differs. The extra `demo` is left out: it only
records the plant of the demo anew, and the demo runs without it.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Mapping
from email.message import Message
from pathlib import Path
from typing import Any, Final, NamedTuple

from bundle_files.check_machine import numbers, this_machine
from sbom import bill_of_materials, metadata, needs, normalised, sha256

ROOT: Final = Path(__file__).resolve().parents[1]

DENIED: Final[Mapping[str, re.Pattern[str]]] = {
    "lightning": re.compile(r"2\.6\.[23]"),  # these two releases were malicious
    "pytorch-lightning": re.compile(r"2\.6\.[23]"),  # the same releases under the other name
    "torch": re.compile(r"[01]\..*|2\.[0-9](\..*)?"),  # older than 2.10: CVE-2026-24747
}
"""Versions that no bundle and no constraint may hold, by normalised name."""

OLD_TAGS: Final[Mapping[str, str]] = {"1": "manylinux_2_5", "2010": "manylinux_2_12", "2014": "manylinux_2_17"}
"""glibc of the platform tags that do not say it."""

COPIED: Final = ("packaging/systemd", "packaging/windows", "packaging/opcua", "docs")
"""At the same place as here, so that links from page to page hold."""


class Pinned(NamedTuple):
    """One distribution in exactly one version."""

    name: str
    version: str


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
        lines.append(f"{name}=={version} --hash=sha256:{sha256(wheel)}")
    return "\n".join(lines) + "\n"


def glibc(wheels: Iterable[str]) -> str:
    """The oldest glibc that all these wheels (file names) run with; "" if none asks for one."""
    asked = []
    for wheel in wheels:
        tags = wheel.removesuffix(".whl").rpartition("-")[2]
        spoken = re.sub(r"manylinux(1|2010|2014)(?=_)", lambda old: OLD_TAGS[old[1]], tags)
        versions = [f"{major}.{minor}" for major, minor in re.findall(r"manylinux_(\d+)_(\d+)", spoken)]
        asked += [min(versions, key=numbers)] if versions else []
    return max(asked, key=numbers, default="")


def made_for(wheels: list[Path]) -> dict[str, Any]:
    """What `check_machine.py` compares a machine with."""
    unpacked = sum(item.file_size for wheel in wheels for item in zipfile.ZipFile(wheel).infolist())
    return {
        **this_machine(),
        "glibc": glibc(wheel.name for wheel in wheels),
        "megabytes": unpacked // 1_000_000,
    }


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
    subprocess.run([*pip, "--no-deps", torch, *index], check=True)  # noqa: S603 - the same
    refuse(gpu_libraries(metadata(next(wheels.glob("torch-*.whl")))))
    ours = next(wheels.glob("tagsight-*.whl"))
    everything = [*pip, *constraints, "--find-links", str(wheels), str(ours)]
    subprocess.run(everything, check=True)  # noqa: S603 - the same


def gpu_libraries(torch: Message) -> list[str]:
    """Why a build of torch must stay out: it brings gigabytes that no plant server uses."""
    brought = sorted(name for name in needs(torch) if name.startswith(("nvidia-", "cuda-")))
    mend = "give --torch-index https://download.pytorch.org/whl/cpu (make: TORCH_INDEX=...)"
    return [f"this build of torch needs {', '.join(brought)}: {mend}"] if brought else []


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
    for part, target in {"packaging/bundle_files": folder, **{part: folder / part for part in COPIED}}.items():
        shutil.copytree(ROOT / part, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    for document in ("README.md", "LICENSE", "CHANGELOG.md"):
        shutil.copy2(ROOT / document, folder)
    collect(wheels, torch_index)
    found = [wheel_of(wheel.name) for wheel in wheels.iterdir()]
    refuse(f"{name} {version} is denied" for name, version in denied(found))
    refuse(departures((one for one in found if one.name != "tagsight"), pins(_constraints())))
    describe(folder, sorted(wheels.iterdir()))


def describe(folder: Path, wheels: list[Path]) -> None:
    """Write what is in the bundle, and for which machines it is."""
    (folder / "requirements.txt").write_text(requirements(wheels), encoding="utf-8")
    (folder / "sbom.cdx.json").write_text(bill_of_materials(wheels), encoding="utf-8")
    (folder / "made_for.json").write_text(json.dumps(made_for(wheels), indent=2) + "\n", encoding="utf-8")
    size = sum(wheel.stat().st_size for wheel in wheels)
    print(f"{folder}: {len(wheels)} wheels, {size / 1e6:.0f} MB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Build the offline bundle of TagSight.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--torch-index", default="", help="Index of torch, if not pip's usual one.")
    asked = parser.parse_args()
    build(asked.folder, asked.torch_index)
