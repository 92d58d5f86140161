"""Addresses and NodeIds."""

import contextlib
import uuid

import pytest
from asyncua import ua
from hypothesis import given
from hypothesis import strategies as st

from tagsight_connectors.errors import UnknownTag
from tagsight_connectors.opcua.address import Namespaces

NAMESPACES = Namespaces(["http://opcfoundation.org/UA/", "urn:own", "urn:plant;with%strange"])

IDENTIFIERS = (
    st.integers(0, 2**32 - 1).map(lambda value: (value, ua.NodeIdType.Numeric))
    | st.text().map(lambda value: (value, ua.NodeIdType.String))
    | st.uuids().map(lambda value: (value, ua.NodeIdType.Guid))
    | st.binary().map(lambda value: (value, ua.NodeIdType.ByteString))
)


@given(IDENTIFIERS, st.integers(0, 2))
def test_every_node_has_an_address_that_leads_back_to_it(identifier: tuple[object, ua.NodeIdType], index: int) -> None:
    node = ua.NodeId(identifier[0], index, identifier[1])  # type: ignore[arg-type]
    assert NAMESPACES.node(NAMESPACES.address(node)) == node


@pytest.mark.parametrize(
    ("address", "stable"),
    [
        ("ns=1;s=P101.Speed", "nsu=urn:own;s=P101.Speed"),
        ("nsu=urn:own;s=a;b=c", "nsu=urn:own;s=a;b=c"),
        ("i=2258", "i=2258"),
        ("ns=0;i=2258", "i=2258"),
        ("s=a;b", "s=a;b"),
        (f"ns=1;g={uuid.UUID(int=7)}", f"nsu=urn:own;g={uuid.UUID(int=7)}"),
    ],
    ids=["index", "semicolons", "standard", "standard-index", "semicolon-in-standard", "guid"],
)
def test_an_address_has_one_stable_form(address: str, stable: str) -> None:
    assert NAMESPACES.stable(address) == stable


@pytest.mark.parametrize(
    "address",
    [
        "",
        "x",
        "ns=9;s=a",
        "ns=-1;s=a",
        "nsu=urn:gone;s=a",
        "ns=1;i=x",
        "ns=1;i=4294967296",
        "ns=1;g=1",
        "ns=1;b=%",
        "ns=²;s=a",
    ],
)
def test_what_is_no_address_of_this_server_is_an_unknown_tag(address: str) -> None:
    with pytest.raises(UnknownTag):
        NAMESPACES.node(address)


@given(st.text(max_size=30))
def test_no_text_raises_anything_else(text: str) -> None:
    with contextlib.suppress(UnknownTag):
        NAMESPACES.node(text)
