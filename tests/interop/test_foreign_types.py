"""The NodeSet2 file of our types in somebody else's hands: node-opcua imports it and makes an instance."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tagsight.output_tags import output_tags, plugin_tags
from tests.interop.foreign import HERE

pytestmark = pytest.mark.interop

FILE = HERE.parents[1] / "packaging" / "opcua" / "TagSight.Types.NodeSet2.xml"


def imported(node_modules: Path, type_name: str) -> dict[str, dict[str, Any]]:
    """The parts of an instance, by name."""
    environment = {**os.environ, "NODE_PATH": str(node_modules), "NODEOPCUA_NO_WARNING": "1"}
    command = ["node", str(HERE / "node_nodeset.js"), str(FILE), type_name]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2_000:]
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("[{"))
    return {part["name"]: part for part in json.loads(line)}


def test_an_importer_that_is_not_ours_makes_a_health_model_of_it(node_modules: Path) -> None:
    parts = imported(node_modules, "HealthModelType")
    assert parts.keys() == {tag.output for tag in output_tags("x", (), detail=False)}
    assert {part["namespace"] for part in parts.values()} == {"urn:tagsight:types"}
    assert (parts["Score"]["data"], parts["Alarm"]["data"], parts["Message"]["data"]) == ("Double", "Int32", "String")
    assert (parts["Top1_Share"]["type"], parts["Top1_Share"]["unit"]) == ("AnalogUnitRangeType", "%")
    assert parts["Score"]["range"] == {"low": 0, "high": 2}


def test_an_importer_that_is_not_ours_makes_tagsight_of_it(node_modules: Path) -> None:
    assert imported(node_modules, "TagSightType").keys() == {tag.output for tag in plugin_tags()}
