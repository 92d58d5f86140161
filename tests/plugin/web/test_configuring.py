"""What the page Configure does, without the page."""

from dataclasses import replace
from pathlib import Path

import pytest

from tagsight.applied import AppliedFolder
from tagsight.applying import EditedMeanwhile
from tagsight.configuration import load
from tagsight.errors import ConfigurationError, NotAllowed, StorageError
from tagsight.machine_table import MachineTable, parsed
from tagsight.platform import InstanceLock
from tagsight.web import configuring
from tagsight.web.saving import save
from tagsight.web.site import Site
from tests.plugin.web.edited_site import noted, site_with, written

FILE = """\
timezone: UTC
historian: {url: "memory://plant"}
results: {to: server}
templates:
  pump: {name: Health, inputs: ["{asset}/*"]}
models:
  - {template: pump, machines: pumps.csv}    # all of them
"""
TABLE = "asset,alarm.at_most\nP101,\nP102,1 per week\n"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    (tmp_path / "pumps.csv").write_text(TABLE, encoding="utf-8")
    return site_with(tmp_path, FILE)


def test_each_fault_has_its_line_setting_value_and_mend(site: Site) -> None:
    found = configuring.look(site, FILE.replace("UTC", "Berlin").replace("[", "[5, "))
    assert {one.setting for one in found.faults} >= {"timezone"}
    assert all(one.mend and one.line for one in found.faults)
    nonsense = configuring.look(site, "\x00 {{{ [")
    assert nonsense.faults
    assert configuring.look(site, FILE).summary


def test_a_text_is_compared_with_what_runs(site: Site) -> None:
    assert site.file is not None
    changed = FILE.replace('["{asset}/*"]', '["{asset}/*", Air]')
    assert configuring.look(site, FILE).compared == "As in the file."
    assert "changed: P101/Health (inputs)" in configuring.look(site, changed).compared
    lock = InstanceLock(site.data.lock)
    assert lock.acquire(about=load(site.file).digest)
    assert configuring.look(site, FILE).compared == "This is what runs."
    save(site, FILE, FILE, "emil")
    site.file.write_text(changed, encoding="utf-8")
    words = configuring.look(site, changed).compared
    lock.release()
    assert words.startswith("Compared with what runs: changed: P101/Health (inputs)")


def test_the_second_who_saves_sees_the_difference_and_nothing_is_lost(site: Site) -> None:
    first, second = FILE + "# emil\n", FILE + "# erna\n"
    save(site, first, FILE, "emil")
    with pytest.raises(EditedMeanwhile) as raised:
        save(site, second, FILE, "erna")
    assert "+# emil" in raised.value.difference
    assert written(site) == first
    copies, answer = configuring.copies(site)
    assert [one.who for one in copies] == ["emil"]
    assert answer is None
    assert configuring.copy_text(site, copies[0].name) == first
    with pytest.raises(StorageError):
        configuring.copy_text(site, "../tagsight")


def test_a_table_is_read_changed_saved_and_applied(site: Site) -> None:
    assert site.file is not None
    table, based_on = configuring.read_table(site, "pumps.csv")
    assert table == parsed(TABLE)
    configuring.save_table(site, "pumps.csv", replace(table, rows=(*table.rows, ("P103", ""))), based_on, "emil")
    assert [model.asset for model in load(site.file).models] == ["P101", "P102", "P103"]
    assert written(site) == FILE
    assert AppliedFolder(site.data.applied).request() is not None
    assert noted(site) == [("emil", "machines changed")]


def test_a_table_with_a_fault_or_that_somebody_else_changed_is_not_written(site: Site) -> None:
    assert site.file is not None
    table, based_on = configuring.read_table(site, "pumps.csv")
    bad = MachineTable(table.columns, (("P101", "often"),))
    with pytest.raises(ConfigurationError) as raised:
        configuring.save_table(site, "pumps.csv", bad, based_on, "emil")
    assert "pumps.csv line 2" in str(raised.value)
    other = site.file.with_name("pumps.csv")
    other.write_text(TABLE + "P109,\n", encoding="utf-8")
    with pytest.raises(EditedMeanwhile):
        configuring.save_table(site, "pumps.csv", table, based_on, "erna")
    assert other.read_text(encoding="utf-8").endswith("P109,\n")
    assert sorted(one.name for one in site.file.parent.glob("*.csv")) == ["pumps.csv"]


def test_a_new_table_is_one_more_entry_and_lies_beside_the_configuration_whatever_its_name(site: Site) -> None:
    assert site.file is not None
    table = MachineTable(("asset",), (("K301",), ("K302",)))
    for name in ("../outside.csv", "/tmp/outside.csv", "fans.txt", ""):
        with pytest.raises(NotAllowed):
            configuring.add_table(site, "pump", name, table, "emil")
    with pytest.raises(NotAllowed, match="there already"):
        configuring.add_table(site, "pump", "pumps.csv", table, "emil")
    with pytest.raises(ConfigurationError):
        configuring.add_table(site, "nothing", "fans.csv", table, "emil")
    configuring.add_table(site, "pump", "fans.csv", table, "emil")
    assert [model.asset for model in load(site.file).models] == ["P101", "P102", "K301", "K302"]
    assert configuring.tables_of(written(site)) == ["pumps.csv", "fans.csv"]
    assert "# all of them" in written(site)
