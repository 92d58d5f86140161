"""The bound on asyncua's decoder, and what of asyncua it relies on."""

import struct
from importlib.metadata import version

import pytest
from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua import ua_binary

from tagsight_connectors.opcua.bounded_decoding import decoding_budget, install_bounds

install_bounds()


def decode(content: bytes) -> ua.Variant:
    return ua_binary.variant_from_binary(Buffer(content))


def test_the_patched_version_is_the_one_we_looked_at() -> None:
    assert version("asyncua").startswith("2.1.")


@pytest.mark.parametrize("name", ["_create_list_deserializer", "_create_uatype_array_deserializer"])
def test_asyncua_makes_its_array_decoders_where_we_bound_them(name: str) -> None:
    assert getattr(ua_binary, name).bounded


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(bytes.fromhex("c0c0160014"), id="335 million of nothing"),
        pytest.param(bytes((0x80 | 11,)) + struct.pack("<i", 2**27), id="a gigabyte of doubles"),
        pytest.param(bytes((0x80 | 12,)) + struct.pack("<i", 2**31 - 1), id="two thousand million texts"),
        pytest.param(bytes((0x80 | 24,)) + struct.pack("<i", 1_000) + bytes(999), id="one variant too many"),
    ],
)
def test_an_array_longer_than_its_bytes_is_not_begun(content: bytes) -> None:
    with pytest.raises(ua.uaerrors.BadDecodingError):
        decode(content)


def test_honest_arrays_pass() -> None:
    for variant in (
        ua.Variant([1.0, 2.0]),
        ua.Variant(["a", None, "c"]),
        ua.Variant([], ua.VariantType.Double),
        ua.Variant([[1, 2], [3, 4]]),
    ):
        assert decode(ua_binary.variant_to_binary(variant)).Value == variant.Value


def test_many_small_elements_cost_the_budget() -> None:
    nulls = bytes((0x80 | 24,)) + struct.pack("<i", 1_000) + bytes(1_000)
    with decoding_budget(1_000):
        assert len(decode(nulls).Value) == 1_000
    with decoding_budget(999), pytest.raises(ua.uaerrors.BadEncodingLimitsExceeded):
        decode(nulls)


def test_a_deep_nesting_ends_as_an_error() -> None:
    deep = (bytes((0x80 | 24,)) + struct.pack("<i", 1)) * 10_000 + bytes((1, 1))
    with pytest.raises(RecursionError):
        decode(deep)
