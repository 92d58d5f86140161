"""The part `web` of the configuration."""

from pathlib import Path

import pytest

from tagsight.configuration import Checked, check_text
from tagsight.plan import WebPlan

FILE = """
timezone: UTC
historian: {{url: "opc.tcp://scada01:4840", user: tagsight}}
{web}
models:
  - {{name: Health, asset: P101, inputs: ["P101/*"]}}
"""


def checked(web: str) -> Checked:
    return check_text(FILE.format(web=web), Path("/etc/tagsight.yaml"))


def test_without_it_there_are_no_pages_and_empty_it_means_this_machine_only() -> None:
    without, empty = checked("").plan, checked("web: {}").plan
    assert without is not None
    assert without.web is None
    assert empty is not None
    assert empty.web == WebPlan()


def test_files_count_from_the_folder_of_the_configuration() -> None:
    plan = checked('web: {listen: "0.0.0.0:8443", certificate: pages.crt, key: keys/pages.key}').plan
    assert plan is not None
    assert plan.web is not None
    assert (plan.web.certificate, plan.web.key) == ("/etc/pages.crt", "/etc/keys/pages.key")


@pytest.mark.parametrize(
    ("web", "setting"),
    [
        pytest.param('{listen: "0.0.0.0:8443"}', "web.listen", id="readable-on-the-network"),
        pytest.param('{listen: "[::]:8443"}', "web.listen", id="readable-on-the-network-6"),
        pytest.param("{certificate: a.pem}", "web.key", id="no-key"),
        pytest.param("{certificate: own, key: a.pem}", "web.key", id="key-of-nothing"),
        pytest.param('{frames: ["*"]}', "web.frames[1]", id="everybody"),
        pytest.param('{frames: ["https://hmi/path"]}', "web.frames[1]", id="a-page-and-no-origin"),
        pytest.param('{frames: ["https://a; script-src *"]}', "web.frames[1]", id="more-than-an-origin"),
        pytest.param("{session: 1s}", "web.session", id="too-short"),
        pytest.param("{password: x}", "web.password", id="unknown"),
    ],
)
def test_what_would_be_unsafe_is_a_fault_with_its_mend(web: str, setting: str) -> None:
    faults = checked(f"web: {web}").faults
    assert [fault.setting for fault in faults] == [setting]
    assert faults[0].mend


def test_plain_http_for_others_has_a_loud_name_and_a_warning() -> None:
    found = checked('web: {listen: "0.0.0.0:8443", plain_http_readable_by_everyone: true}')
    assert found.plan is not None
    assert any("PASSWORDS ARE READABLE" in warning.cause for warning in found.warnings)
