"""Writes the NodeSet2 file of TagSight's OPC UA types: `python packaging/nodeset.py`."""

from pathlib import Path

from tagsight.served_types import served_types
from tagsight_connectors.opcua.nodeset import nodeset_of

FILE = Path(__file__).parent / "opcua" / "TagSight.Types.NodeSet2.xml"


def main() -> None:
    """Write the file."""
    FILE.write_text(nodeset_of(served_types()), encoding="utf-8", newline="\n")
    print(f"wrote {FILE}")


if __name__ == "__main__":
    main()
