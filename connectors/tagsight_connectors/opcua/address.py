"""NodeIds as addresses that stay valid: with the URI of the namespace, never its index.

`nsu=urn:plant;s=P101.Speed`, `nsu=...;i=17`, `nsu=...;g=<GUID>`, `nsu=...;b=<base64>`; namespace 0, which is the same
everywhere, has no prefix: `i=2258`. The short form `ns=2;s=P101.Speed` is accepted where people type. Before it may
stand what is read of the node (`selection`); its node is the same.
"""

import base64
import binascii
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from asyncua import ua

from tagsight_connectors.errors import UnknownTag
from tagsight_connectors.opcua.selection import selection_of

OPC_UA_NAMESPACE: Final = "http://opcfoundation.org/UA/"


@dataclass(frozen=True)
class Namespaces:
    """The namespace array of a server as it was read at connect."""

    uris: Sequence[str]

    def address(self, node: ua.NodeId) -> str:
        """The stable address of a node. Raises UnknownTag for a namespace that the server does not list."""
        identifier = _identifier_text(node)
        if node.NamespaceIndex == 0:
            return identifier
        if node.NamespaceIndex >= len(self.uris):
            raise UnknownTag(node.to_string(), mend="The server names a namespace that it does not list.")
        return f"nsu={_escaped(self.uris[node.NamespaceIndex])};{identifier}"

    def node(self, address: str) -> ua.NodeId:
        """The node of an address. Raises UnknownTag for one that cannot be of this server."""
        index, identifier = self._split(selection_of(address).node)
        try:
            return _node(identifier, index)
        except ValueError as error:
            raise UnknownTag(address, mend="An address reads nsu=<namespace URI>;s=<name>.") from error

    def stable(self, address: str) -> str:
        """The same address in its stable form."""
        return selection_of(address).prefix + self.address(self.node(address))

    def _split(self, address: str) -> tuple[int, str]:
        prefix, separator, identifier = address.partition(";")
        if not separator or prefix[1:2] == "=":  # `s=a;b` of namespace 0 has a semicolon too
            return 0, address
        if prefix.startswith("nsu="):
            return self._index(_unescaped(prefix[4:]), address), identifier
        number = prefix.removeprefix("ns=")
        if prefix == number or not (number.isascii() and number.isdigit()) or int(number) >= len(self.uris):
            raise UnknownTag(address)
        return int(number), identifier

    def _index(self, uri: str, address: str) -> int:
        try:
            return list(self.uris).index(uri)
        except ValueError:
            raise UnknownTag(address, mend=f"The server has no namespace {uri!r}.") from None


def _escaped(uri: str) -> str:
    return uri.replace("%", "%25").replace(";", "%3B")


def _unescaped(text: str) -> str:
    return text.replace("%3B", ";").replace("%3b", ";").replace("%25", "%")


def _identifier_text(node: ua.NodeId) -> str:
    match node.Identifier:
        case bool() | int():
            return f"i={int(node.Identifier)}"
        case uuid.UUID():
            return f"g={node.Identifier}"
        case bytes():
            return f"b={base64.b64encode(node.Identifier).decode()}"
        case _:
            return f"s={node.Identifier}"


def _node(identifier: str, index: int) -> ua.NodeId:
    kind, separator, text = identifier.partition("=")
    if not separator:
        raise ValueError(identifier)
    match kind:
        case "s":
            return ua.NodeId(text, index, ua.NodeIdType.String)
        case "i":
            return _numeric(text, index)
        case "g":
            return ua.NodeId(uuid.UUID(text), index, ua.NodeIdType.Guid)
        case "b":
            try:
                return ua.NodeId(base64.b64decode(text, validate=True), index, ua.NodeIdType.ByteString)
            except binascii.Error as error:
                raise ValueError(identifier) from error
        case _:
            raise ValueError(identifier)


def _numeric(text: str, index: int) -> ua.NodeId:
    if not (text.isascii() and text.isdigit()) or int(text) > 0xFFFFFFFF:
        raise ValueError(text)
    return ua.NodeId(int(text), index, ua.NodeIdType.Numeric)
