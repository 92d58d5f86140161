"""`tagsight hmi`, as an engineer calls it."""

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tagsight.__main__ import Verbosity, cli
from tests.plugin.hmi.test_hmi_files import CONFIGURATION


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "plant.yaml"
    path.write_text(CONFIGURATION, encoding="utf-8")
    return path


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(one) for one in arguments], obj=Verbosity())


def test_a_project_of_fuxa_goes_to_the_screen_or_into_a_file(file: Path, tmp_path: Path) -> None:
    shown = call("hmi", "fuxa", file, "--data", tmp_path / "data")
    written = call("hmi", "fuxa", file, "--data", tmp_path / "data", "--out", tmp_path / "fuxa.json")
    assert (shown.exit_code, written.exit_code) == (0, 0)
    assert (tmp_path / "fuxa.json").read_text(encoding="utf-8") == shown.output
    assert json.loads(shown.output)["name"] == "TagSight"


def test_ignition_gets_its_tags_and_a_view_that_can_be_copied_into_a_project(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "ignition"
    done = call("hmi", "ignition", file, "--data", tmp_path / "data", "--server", "Plant OPC", "--out", out)
    assert done.exit_code == 0
    assert "Plant OPC" in (out / "tags.json").read_text(encoding="utf-8")
    assert sorted(path.name for path in (out / "TagSight" / "Faceplate").iterdir()) == ["resource.json", "view.json"]


def test_the_table_for_any_other_hmi_is_that_of_tags_with_the_addresses_of_faceplates(
    file: Path, tmp_path: Path
) -> None:
    data = ("--data", tmp_path / "data")
    plain = list(csv.reader(io.StringIO(call("tags", file, "--csv", *data).output)))
    lines = list(csv.reader(io.StringIO(call("hmi", "csv", file, *data, "--web", "https://tagsight01:8443").output)))
    assert [line[:-1] for line in lines] == plain
    assert {line[-1] for line in lines[1:]} == {
        "",
        "https://tagsight01:8443/faceplate/P101?model=P101%2FHealth",
        "https://tagsight01:8443/faceplate/P102?model=P102%2FHealth",
    }


def test_an_address_of_pages_that_is_none_is_refused(file: Path) -> None:
    refused = call("hmi", "csv", file, "--web", "javascript:alert(1)")
    assert refused.exit_code == 2
    assert "https://HOST:PORT" in refused.output
