"""What an address may ask for beyond its node: one element of an array, or the number behind an enumeration's name.

`index=3;nsu=urn:plant;s=Temps` is the fourth element; `as=number;nsu=urn:plant;s=Mode` is 2 where `...;s=Mode` is
"Auto". The selection stands before the NodeId, because a NodeId may hold any text: `s="DB1"."Temps"[3]` is the name of
a node of its own in many controllers. A NodeId begins with `nsu=`, `ns=`, `i=`, `s=`, `g=` or `b=`, never with these.
"""

import re
from dataclasses import dataclass
from typing import Final

_INDEX: Final = re.compile(r"index=(0|[1-9][0-9]{0,8});", re.ASCII)
_NUMBER: Final = "as=number;"
_ELEMENT: Final = re.compile(r"(?P<array>.+)\[(?P<index>\*|0|[1-9][0-9]{0,8})\]", re.ASCII | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Selection:
    """An address taken apart.

    Attributes:
        node: address of the node.
        index: of the element, counted from 0; None: the value itself.
        number: an enumeration is read as number, not as the name of its state.
    """

    node: str
    index: int | None = None
    number: bool = False

    @property
    def prefix(self) -> str:
        """What stands before the node's address."""
        return ("" if self.index is None else f"index={self.index};") + (_NUMBER if self.number else "")


def selection_of(address: str) -> Selection:
    """Take an address apart; one without a selection is its own node."""
    index = None
    if match := _INDEX.match(address):
        index, address = int(match[1]), address[match.end() :]
    number = address.startswith(_NUMBER)
    return Selection(address.removeprefix(_NUMBER) if number else address, index, number)


def element_asked(pattern: str) -> tuple[str, int | None] | None:
    """`Plant/Temps[3]` as (`Plant/Temps`, 3), `Plant/Temps[*]` with None for all elements; None for any other."""
    match = _ELEMENT.fullmatch(pattern)
    if match is None:
        return None
    return match["array"], None if match["index"] == "*" else int(match["index"])
