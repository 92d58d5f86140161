"""The NodeSet2 file that others import is what our server loads. That others can: tests/interop."""

import nodeset

from tagsight.served_types import served_types
from tagsight_connectors.opcua.nodeset import nodeset_of


def test_the_file_is_what_the_server_loads() -> None:
    assert nodeset.FILE.read_text(encoding="utf-8") == nodeset_of(served_types()), "run packaging/nodeset.py"
