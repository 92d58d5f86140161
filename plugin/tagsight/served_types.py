"""The structure of TagSight's outputs as OPC UA types: one definition, from which server and NodeSet2 file are made."""

from collections.abc import Sequence
from typing import Final

from tagsight.output_tags import OutputTag, output_tags, plugin_tags, served_variable
from tagsight_connectors.serving import ServedType, ServedTypes

URI: Final = "urn:tagsight:types"
VERSION: Final = "1.1.0"
"""Of the types: the second number grows with what is added, the first when something is changed or taken away."""

PUBLISHED: Final = "2026-11-23"

HEALTH: Final = "HealthModelType"
PLUGIN_TYPE: Final = "TagSightType"
PER_ROLE: Final = ("Expected", "Lower", "Upper", "Contribution")


def served_types() -> ServedTypes:
    """Of the outputs of a health model, and of TagSight's own."""
    words = "The model"
    always = output_tags(words, (), detail=False)
    detail = output_tags(words, (), detail=True)
    optional = frozenset(tag.output for tag in detail) - {tag.output for tag in always}
    health = _type(HEALTH, "Outputs of one health model of one asset", detail, optional, PER_ROLE)
    plugin = _type(PLUGIN_TYPE, "What TagSight says of itself", plugin_tags())
    return ServedTypes(URI, VERSION, PUBLISHED, (health, plugin))


def _type(
    name: str,
    description: str,
    tags: Sequence[OutputTag],
    optional: frozenset[str] = frozenset(),
    folders: tuple[str, ...] = (),
) -> ServedType:
    variables = tuple(served_variable("", tag, path=tag.output) for tag in tags)
    return ServedType(name, description, variables, optional, folders)
