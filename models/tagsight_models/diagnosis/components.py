"""A component: what labels are about, and the classes that it can be in."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

UNKNOWN = "unknown"
"""The class of what is like nothing that was learned; no label may be called so."""


@dataclass(frozen=True, slots=True)
class Component:
    """One component of an asset, or the whole asset.

    Attributes:
        name: "" where the whole asset is.
        classes: labels; severities ascend.
        normal: number of the class without a fault; -1: none is.
        ordered: every class is a number, so classes are severities with an order.
    """

    name: str
    classes: tuple[str, ...]
    normal: int
    ordered: bool

    @classmethod
    def of(cls, name: str, labels: Sequence[str], normal: str) -> Self:
        """From the labels that there are."""
        ordered = all(_number(label) is not None for label in set(labels))
        classes = tuple(sorted(set(labels), key=(lambda one: (_number(one), one)) if ordered else None))
        if normal in classes and not ordered:
            classes = (normal, *(one for one in classes if one != normal))
        return cls(name, classes, classes.index(normal) if normal in classes else -1, ordered)

    @property
    def shown(self) -> str:
        """For people."""
        return self.name or "the asset"

    def output(self, *levels: str) -> str:
        """Name of an output about this component: "Class/valve"."""
        first, *rest = levels
        return "/".join([first, *([self.name] if self.name else []), *rest])

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {**asdict(self), "classes": list(self.classes)}

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(str(said["name"]), tuple(said["classes"]), int(said["normal"]), bool(said["ordered"]))


def _number(label: str) -> float | None:
    try:
        found = float(label)
    except ValueError:
        return None
    return found if found - found == 0.0 else None
