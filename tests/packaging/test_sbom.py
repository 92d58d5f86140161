import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import sbom

OURS = "Name: tagsight\nVersion: 0.1.0\nLicense-Expression: Apache-2.0\nRequires-Dist: a\nRequires-Dist: ruamel.yaml\n"
EMPTY_FILE = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def wheel(folder: Path, said: str) -> Path:
    """A wheel that holds nothing but what it says about itself."""
    name, version = (line.partition(": ")[2] for line in said.splitlines()[:2])
    file = folder / f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"{name}-{version}.dist-info/METADATA", f"Metadata-Version: 2.4\n{said}\nA description.\n")
    return file


def bill(folder: Path, *others: str) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(sbom.bill_of_materials([wheel(folder, said) for said in (OURS, *others)]))
    return made


def test_every_wheel_is_listed_with_version_hash_and_address(tmp_path: Path) -> None:
    made = bill(tmp_path, "Name: ruamel.yaml\nVersion: 0.19.1\nLicense: MIT\n")
    assert (made["bomFormat"], made["specVersion"]) == ("CycloneDX", "1.6")
    assert made["metadata"]["component"]["name"] == "tagsight"
    (listed,) = made["components"]
    digest = sbom.sha256(tmp_path / "ruamel.yaml-0.19.1-py3-none-any.whl")
    assert listed["hashes"] == [{"alg": "SHA-256", "content": digest}]
    assert (listed["name"], listed["version"]) == ("ruamel-yaml", "0.19.1")
    assert listed["purl"] == "pkg:pypi/ruamel-yaml@0.19.1"
    assert listed["licenses"][0]["license"]["id"] == "MIT"


def test_what_needs_what_is_listed_as_it_is_on_this_machine(tmp_path: Path) -> None:
    wants = 'Requires-Dist: B.two>=1\nRequires-Dist: c; sys_platform == "amiga"\nRequires-Dist: c; extra == "more"\n'
    made = bill(tmp_path, f"Name: a\nVersion: 1\n{wants}", "Name: b-two\nVersion: 2\n", "Name: c\nVersion: 3\n")
    needed = {one["ref"]: one.get("dependsOn", []) for one in made["dependencies"]}
    assert needed == {"tagsight==0.1.0": ["a==1"], "a==1": ["b-two==2"], "b-two==2": [], "c==3": []}


@pytest.mark.parametrize(
    ("said", "name"),
    [
        pytest.param("License-Expression: MIT OR Apache-2.0\nLicense: other\n", "MIT OR Apache-2.0", id="expression"),
        pytest.param("License: BSD\n", "BSD", id="name"),
        pytest.param(
            "License: UNKNOWN\nClassifier: License :: OSI Approved :: BSD License\n", "BSD License", id="class"
        ),
        pytest.param(f"License: {'long ' * 30}\nClassifier: License :: X\n", "X", id="whole-text"),
        pytest.param("", "", id="none"),
    ],
)
def test_the_licence_is_taken_from_where_it_is_said_best(tmp_path: Path, said: str, name: str) -> None:
    file = wheel(tmp_path, f"Name: a\nVersion: 1\n{said}")
    assert sbom.licence(sbom.metadata(file)) == name


def test_the_hash_is_that_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "nothing").touch()
    assert sbom.sha256(tmp_path / "nothing") == EMPTY_FILE
