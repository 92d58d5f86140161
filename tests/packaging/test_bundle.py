import json
import zipfile
from email.message import Message
from pathlib import Path

import bundle
import pytest
from bundle_files import check_machine
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).parents[2]
CONSTRAINTS = (ROOT / "constraints.txt").read_text(encoding="utf-8")


def test_our_constraints_pin_each_name_once_and_nothing_denied() -> None:
    pinned = bundle.pins(CONSTRAINTS)
    assert len({name for name, _ in pinned}) == len(pinned) > 50
    assert bundle.denied(pinned) == []


def test_our_constraints_name_no_build_of_one_machine() -> None:
    assert "+" not in CONSTRAINTS


@pytest.mark.parametrize(
    ("name", "version"),
    [
        pytest.param("lightning", "2.6.2", id="malicious"),
        pytest.param("lightning", "2.6.3", id="malicious-too"),
        pytest.param("pytorch-lightning", "2.6.3", id="its-other-name"),
        pytest.param("torch", "2.9.1", id="old"),
        pytest.param("torch", "2.9.1+cpu", id="old-with-a-label"),
        pytest.param("torch", "1.13.1", id="very-old"),
    ],
)
def test_a_version_on_the_deny_list_is_found(name: str, version: str) -> None:
    pinned = bundle.Pinned(name, version)
    assert bundle.denied([bundle.Pinned("numpy", "2.4.6"), pinned]) == [pinned]


@pytest.mark.parametrize(
    ("name", "version"),
    [("lightning", "2.6.6"), ("lightning", "2.6.20"), ("torch", "2.10.0"), ("torch", "2.13.0+cpu"), ("torch", "3.0")],
)
def test_other_versions_are_allowed(name: str, version: str) -> None:
    assert bundle.denied([bundle.Pinned(name, version)]) == []


@pytest.mark.parametrize("line", ["numpy>=2", "numpy", "numpy==", "numpy==2.*"])
def test_a_constraint_that_is_not_exact_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="pins no exact version"):
        bundle.pins(f"torch==2.13.0\n{line}\n")


def test_comments_and_empty_lines_of_constraints_pin_nothing() -> None:
    assert bundle.pins("# why\n\nTorch==2.13.0  # here\n") == [("torch", "2.13.0")]


@given(st.from_regex(r"[A-Za-z][A-Za-z0-9._]{0,12}[A-Za-z0-9]", fullmatch=True))
def test_a_name_is_normal_after_normalising_once(name: str) -> None:
    once = bundle.normalised(name)
    assert bundle.normalised(once) == once
    assert bundle.normalised(name.upper()) == once


def test_a_wheel_names_its_distribution_and_version() -> None:
    assert bundle.wheel_of("ruamel.yaml-0.19.1-py3-none-any.whl") == ("ruamel-yaml", "0.19.1")
    assert bundle.wheel_of("torch-2.13.0+cpu-cp311-cp311-linux_x86_64.whl") == ("torch", "2.13.0+cpu")


@pytest.mark.parametrize("name", ["opcua-0.98.13.tar.gz", "odd.whl", "a-1-x-any.whl"])
def test_what_is_no_wheel_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is not the name of a wheel"):
        bundle.wheel_of(name)


def test_a_wheel_that_departs_from_the_constraints_is_named() -> None:
    pinned = bundle.pins("torch==2.13.0\nnumpy==2.4.6\n")
    wheels = [bundle.Pinned("torch", "2.13.0+cpu"), bundle.Pinned("numpy", "2.4.5"), bundle.Pinned("left-pad", "1.0")]
    assert bundle.departures(wheels, pinned) == [
        "numpy is 2.4.5, constraints.txt says 2.4.6",
        "left-pad 1.0 is not in constraints.txt",
    ]


def test_requirements_hold_the_hash_of_every_wheel_by_name(tmp_path: Path) -> None:
    (tmp_path / "zipp-4.1.2-py3-none-any.whl").write_bytes(b"abc")
    (tmp_path / "Click-8.5.1-py3-none-any.whl").write_bytes(b"")
    lines = bundle.requirements(tmp_path.iterdir()).splitlines()[1:]
    assert lines == [
        "click==8.5.1 --hash=sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "zipp==4.1.2 --hash=sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    ]


@pytest.mark.parametrize(
    ("wheels", "oldest"),
    [
        pytest.param(["a-1-py3-none-any.whl"], "", id="none"),
        pytest.param(["a-1-cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.whl"], "2.17", id="two-spellings"),
        pytest.param(["a-1-cp311-cp311-manylinux_2_12_x86_64.manylinux2010_x86_64.whl"], "2.12", id="old"),
        pytest.param(["a-1-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl"], "2.27", id="either-will-do"),
        pytest.param(
            ["a-1-cp311-cp311-manylinux_2_9_x86_64.whl", "b-1-cp311-cp311-manylinux_2_28_x86_64.whl"], "2.28", id="most"
        ),
        pytest.param(["a-1-cp311-cp311-win_amd64.whl"], "", id="windows"),
    ],
)
def test_a_bundle_needs_the_glibc_that_its_most_demanding_wheel_needs(wheels: list[str], oldest: str) -> None:
    assert bundle.glibc(wheels) == oldest


@pytest.mark.parametrize(
    ("needed", "refused"),
    [
        pytest.param('nvidia-cublas==13; platform_system == "Linux" or platform_system != "Linux"', True, id="gpu"),
        pytest.param('nvidia-cublas==13; platform_system == "Amiga"', False, id="elsewhere"),
        pytest.param("numpy", False, id="none"),
    ],
)
def test_a_build_of_torch_with_gpu_libraries_is_refused_with_the_mend(needed: str, *, refused: bool) -> None:
    torch = Message()
    torch["Requires-Dist"] = needed
    said = "".join(bundle.gpu_libraries(torch))
    assert ("TORCH_INDEX" in said) is refused


def test_hashes_bill_and_machine_of_a_bundle_are_written_beside_its_wheels(tmp_path: Path) -> None:
    wheels = []
    for name, said in (("tagsight", "Requires-Dist: a\n"), ("a", "")):
        wheels.append(tmp_path / f"{name}-1-py3-none-any.whl")
        with zipfile.ZipFile(wheels[-1], "w") as archive:
            archive.writestr(f"{name}-1.dist-info/METADATA", f"Name: {name}\nVersion: 1\n{said}\n")
            archive.writestr("large", bytes(2_000_000))
    bundle.describe(tmp_path, wheels)
    bill = json.loads((tmp_path / "sbom.cdx.json").read_text(encoding="utf-8"))
    assert [one["name"] for one in bill["components"]] == ["a"]
    assert "a==1 --hash=sha256:" in (tmp_path / "requirements.txt").read_text(encoding="utf-8")
    made_for = json.loads((tmp_path / "made_for.json").read_text(encoding="utf-8"))
    assert made_for == check_machine.this_machine() | {"glibc": "", "megabytes": 4}


def test_a_folder_that_is_no_bundle_is_not_replaced(tmp_path: Path) -> None:
    kept = tmp_path / "letter.txt"
    kept.write_text("dear", encoding="utf-8")
    with pytest.raises(SystemExit, match="is no bundle"):
        bundle.build(tmp_path, "")
    assert kept.read_text(encoding="utf-8") == "dear"
