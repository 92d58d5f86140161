import importlib
import re
from pathlib import Path

import pytest

from tagsight_connectors.file import limits as file_limits
from tagsight_connectors.opcua import limits as opcua_limits
from tagsight_connectors.store import limits as store_limits

PAGE = (Path(__file__).parents[2] / "docs" / "limits.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| .* \| ([\d,.]+)[^|]* \| `([\w.]+)\.([A-Z_]+)` \|$", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("said", "module", "name"), [pytest.param(*row, id=f"{row[1]}.{row[2]}") for row in ROWS])
def test_the_page_of_limits_says_what_the_program_does(said: str, module: str, name: str) -> None:
    assert getattr(importlib.import_module(module), name) == float(said.replace(",", "")), "correct docs/limits.md"


def test_every_row_of_the_page_is_compared() -> None:
    assert len(ROWS) == PAGE.count("\n| ") - PAGE.count("\n| of ")


@pytest.mark.parametrize("module", [opcua_limits, file_limits, store_limits], ids=["opcua", "file", "store"])
def test_every_limit_of_a_connector_stands_on_the_page(module: object) -> None:
    named = {name for _, _, name in ROWS}
    assert {name for name in vars(module) if name.isupper()} <= named
