"""The bill of materials of a bundle: each wheel with version, licence, SHA-256 and what it needs, as CycloneDX JSON."""

import hashlib
import re
import zipfile
from collections.abc import Iterable, Iterator
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path
from typing import Final

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement

PRODUCT: Final = "tagsight"
NAME_LIMIT: Final = 100
"""Some put the whole text of a licence where its name belongs."""


def normalised(name: str) -> str:
    """A distribution's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def sha256(file: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def metadata(wheel: Path) -> Message:
    """What a wheel says about itself."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(one for one in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", one))
        return HeaderParser().parsestr(archive.read(name).decode("utf-8"))


def licence(said: Message) -> str:
    """The licence by its SPDX expression, or else by the name that the wheel gives it; "" if it gives none."""
    name = said["License-Expression"] or said["License"] or ""
    if name and name != "UNKNOWN" and "\n" not in name and len(name) <= NAME_LIMIT:
        return str(name)
    classified = [one.rpartition(" :: ")[2] for one in said.get_all("Classifier", []) if one.startswith("License :: ")]
    return "; ".join(classified)


def needs(said: Message) -> Iterator[str]:
    """Normalised names of what a wheel needs on this machine, extras left out."""
    for line in said.get_all("Requires-Dist", []):
        needed = Requirement(line)
        if needed.marker is None or needed.marker.evaluate({"extra": ""}):
            yield normalised(needed.name)


def component(said: Message, digest: str) -> Component:
    """One distribution."""
    name, version = normalised(said["Name"]), said["Version"]
    named = licence(said)
    return Component(
        name=name,
        version=version,
        type=ComponentType.APPLICATION if name == PRODUCT else ComponentType.LIBRARY,
        bom_ref=f"{name}=={version}",
        purl=PackageURL("pypi", None, name, version),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)],
        licenses=[LicenseFactory().make_from_string(named)] if named else [],
    )


def bill_of_materials(wheels: Iterable[Path]) -> str:
    """CycloneDX 1.6 JSON of wheels, of which one is our own."""
    said = {normalised(found["Name"]): (found, sha256(wheel)) for wheel in wheels for found in [metadata(wheel)]}
    components = {name: component(found, digest) for name, (found, digest) in said.items()}
    bill = Bom(components=[one for name, one in components.items() if name != PRODUCT])
    bill.metadata.component = components[PRODUCT]
    for name, (found, _) in said.items():
        needed = [components[other] for other in sorted(set(needs(found))) if other in components]
        bill.register_dependency(components[name], needed)
    return JsonV1Dot6(bill).output_as_string(indent=2) + "\n"
