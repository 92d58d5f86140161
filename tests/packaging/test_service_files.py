import re
from pathlib import Path
from xml.etree import ElementTree as ET

from tagsight.__main__ import COMMANDS

PACKAGING = Path(__file__).parents[2] / "packaging"
UNIT = (PACKAGING / "systemd" / "tagsight.service").read_text(encoding="utf-8")
WINDOWS = ET.fromstring((PACKAGING / "windows" / "tagsight-service.xml").read_text(encoding="utf-8"))


def test_the_unit_runs_commands_that_exist() -> None:
    started = re.findall(r"^Exec\w+=/opt/tagsight/bin/tagsight (\w+) ", UNIT, re.MULTILINE)
    assert started == ["check", "run"]
    assert set(started) <= set(COMMANDS)


def test_the_unit_gives_the_service_no_right_that_it_does_not_need() -> None:
    for line in ("CapabilityBoundingSet=", "NoNewPrivileges=yes", "ProtectSystem=strict", "UMask=0077"):
        assert f"\n{line}\n" in UNIT
    assert "User=root" not in UNIT


def test_the_windows_service_runs_a_command_that_exists_under_an_account_of_its_own() -> None:
    assert (WINDOWS.findtext("arguments") or "").split()[0] in COMMANDS
    account = [WINDOWS.findtext(f"serviceaccount/{part}") for part in ("domain", "user")]  # as WinSW 2 spells it
    assert account == ["NT SERVICE", WINDOWS.findtext("id")]


def test_both_services_name_their_data_folder() -> None:
    assert "\nEnvironment=TAGSIGHT_DATA=/var/lib/tagsight\n" in UNIT
    named = {one.get("name"): one.get("value") for one in WINDOWS.findall("env")}
    assert named["TAGSIGHT_DATA"] == r"C:\ProgramData\TagSight\data"
