"""What stands in an SVG."""

from xml.etree import ElementTree as ET

SPACE = "{http://www.w3.org/2000/svg}"


def texts(svg: bytes) -> list[str]:
    """All texts, in the order in which they are drawn."""
    return ["".join(one.itertext()).strip() for one in ET.fromstring(svg).iter(f"{SPACE}text")]


def filled(svg: bytes, colour: str) -> int:
    """How many paths have this fill."""
    return sum(f"fill: {colour}" in one.get("style", "") for one in ET.fromstring(svg).iter(f"{SPACE}path"))


def hatched(svg: bytes) -> int:
    """How many paths are hatched."""
    return sum("fill: url(#" in one.get("style", "") for one in ET.fromstring(svg).iter(f"{SPACE}path"))
