"""`tagsight tags` and `tagsight writes`, as an engineer calls them."""

import csv
import io
from pathlib import Path

import pytest
from click.testing import CliRunner

from tagsight.__main__ import Verbosity, cli
from tagsight.clocks import SystemClock
from tagsight.data_folder import DataFolder
from tagsight.ledger.ledger import Ledger
from tagsight.ledger.records import DeliveryState, RefusedTag, Settlement, TickRecord
from tagsight.results import OutputRow, OutputValue
from tagsight_connectors.quality import BAD_NODE_ID_UNKNOWN

CONFIGURATION = """\
timezone: Europe/Berlin
historian: {url: "opc.tcp://scada01:4840", user: tagsight}
results: {to: write, address: "ns=2;s=TagSight.{asset}.{model}.{output}"}
models:
  - name: Health
    asset: P101
    job: health
    inputs: ["Plant/P101/*"]
    running: "[Plant/P101/Speed] > 100"
    train: {last: 90d}
    score: {every: 1m}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "plant.yaml"
    path.write_text(CONFIGURATION, encoding="utf-8")
    return path


def call(*arguments: str | Path, folder: Path) -> str:
    words = [*map(str, arguments), "--data", str(folder / "data")]
    return CliRunner().invoke(cli, words, obj=Verbosity(), catch_exceptions=False).output


def test_the_table_of_tags_can_be_imported(file: Path, tmp_path: Path) -> None:
    lines = list(csv.DictReader(io.StringIO(call("tags", file, "--csv", folder=tmp_path))))
    score = next(line for line in lines if line["name"] == "P101/Health/Score")
    assert score["NodeId"] == "ns=2;s=TagSight.P101.Health.Score"
    assert (score["type"], score["low"], score["high"], score["access"]) == ("Double", "0", "2", "read")
    assert next(line for line in lines if line["name"] == "TagSight/Off")["access"] == "read and write"


def test_tags_of_our_own_server_have_its_addresses(file: Path, tmp_path: Path) -> None:
    file.write_text(
        CONFIGURATION.replace('to: write, address: "ns=2;s=TagSight.{asset}.{model}.{output}"', "to: server")
    )
    assert "nsu=urn:tagsight:results;s=P101/Health/Score" in call("tags", file, folder=tmp_path)
    assert "Nothing is written" in call("writes", "show", file, folder=tmp_path)


def test_a_list_is_shown_accepted_and_a_changed_one_needs_acceptance_again(file: Path, tmp_path: Path) -> None:
    assert "not accepted yet: nothing is written" in call("writes", "show", file, folder=tmp_path)
    assert "48 tags accepted" in call("writes", "accept", file, "--yes", folder=tmp_path)
    assert "accepted by" in call("writes", "show", file, folder=tmp_path)
    file.write_text(CONFIGURATION.replace("P101", "P102"))
    shown = call("writes", "show", file, folder=tmp_path)
    assert "nothing is written until accepted again" in shown
    assert "  + ns=2;s=TagSight.P102.Health.Score" in shown
    assert "  - ns=2;s=TagSight.P101.Health.Score" in shown


def test_without_a_yes_nothing_is_accepted(file: Path, tmp_path: Path) -> None:
    call("writes", "accept", file, folder=tmp_path)
    assert "not accepted yet" in call("writes", "show", file, folder=tmp_path)


def test_what_a_historian_refused_is_shown_and_sent_again(file: Path, tmp_path: Path) -> None:
    score = "ns=2;s=TagSight.P101.Health.Score"
    data = DataFolder(tmp_path / "data")
    data.create()
    with Ledger.open(data.ledger, SystemClock()) as ledger:
        row = OutputRow("P101/Health", 1_760_000_000_000_000_000, "score", (OutputValue("Score", 0.3, 0),))
        ledger.record(TickRecord(rows=[row], destinations={"P101/Health": "write:default"}))
        pending = ledger.pending("write:default", 10)
        refused = (RefusedTag(score, BAD_NODE_ID_UNKNOWN),)
        ledger.settle([Settlement(pending[0].sequence, "write:default", DeliveryState.QUARANTINED, refused)])
    shown = call("writes", "refused", file, folder=tmp_path)
    assert f"{score}  refused 1 times, status 0x80340000" in shown
    assert "quarantined: 1 results" in shown
    assert "default: 1 results are sent again" in call("writes", "refused", file, "--resend", folder=tmp_path)
    assert "quarantined: 0 results" in call("writes", "refused", file, folder=tmp_path)
