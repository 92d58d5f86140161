"""Writing: the fence, conversion, and servers that take less than everything."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from asyncua import ua
from hypothesis import example, given
from hypothesis import strategies as st

from tagsight_connectors.errors import WriteNotAllowed
from tagsight_connectors.history import Sample
from tagsight_connectors.opcua.address import Namespaces
from tagsight_connectors.opcua.error_mapping import TooLarge
from tagsight_connectors.opcua.request_size import RequestSize
from tagsight_connectors.opcua.writing import Form, Refused, Writer, converted
from tagsight_connectors.quality import BAD_WRITE_NOT_SUPPORTED, UNCERTAIN

DOUBLE = 11
ACCEPTED = frozenset({"nsu=urn:p;s=A", "nsu=urn:p;s=B"})


@dataclass
class Plant:
    """The services that `Writer` uses, of a server that refuses what a test says."""

    refuses: Any = lambda _value: 0
    most: int = 1_000
    size: RequestSize = field(default_factory=RequestSize)
    namespaces: Namespaces = field(default_factory=lambda: Namespaces(["http://opcfoundation.org/UA/", "urn:p"]))
    written: list[ua.WriteValue] = field(default_factory=list)
    requests: int = 0

    async def read(self, items: Sequence[Any]) -> list[Any]:
        return [(ua.NodeId(DOUBLE), 0, None) for _ in items]

    async def write(self, values: Sequence[ua.WriteValue]) -> list[int]:
        self.requests += 1
        if len(values) > self.most:
            raise TooLarge(cause="BadTooManyOperations")
        results = [self.refuses(value.Value) for value in values]
        self.written += [value for value, result in zip(values, results, strict=True) if not result]
        return results


class Types:
    async def built_in(self, data_type: ua.NodeId) -> int:
        return int(data_type.Identifier)


def writer(plant: Plant) -> Writer:
    return Writer(plant, Types(), ACCEPTED)  # type: ignore[arg-type]


def sample(name: str = "A", value: Any = 1.5, status: int = 0) -> Sample:
    return Sample(f"nsu=urn:p;s={name}", 1_700_000_000_123_456_000, value, status)


async def test_one_address_outside_the_list_stops_everything_before_anything_is_sent() -> None:
    plant = Plant()
    with pytest.raises(WriteNotAllowed, match="s=C"):
        await writer(plant).write([sample("A"), sample("C")])
    assert plant.requests == 0


async def test_a_server_without_source_times_gets_the_status_and_the_loss_is_told() -> None:
    plant = Plant(lambda value: BAD_WRITE_NOT_SUPPORTED if value.SourceTimestamp else 0)
    client = writer(plant)
    (outcome,) = await client.write([sample(status=UNCERTAIN)])
    assert (outcome.status, outcome.time_kept) == (0, False)
    assert plant.written[0].Value.StatusCode.value == UNCERTAIN
    assert client.form == Form.WITHOUT_TIME
    await client.write([sample()])
    assert plant.requests == 3  # what a server takes is asked once


async def test_a_bad_sample_never_becomes_a_bare_value() -> None:
    plant = Plant(lambda value: BAD_WRITE_NOT_SUPPORTED if value.SourceTimestamp or value.StatusCode else 0)
    outcomes = await writer(plant).write([sample("A"), sample("B", status=UNCERTAIN)])
    assert [(each.status, each.time_kept) for each in outcomes] == [(0, False), (BAD_WRITE_NOT_SUPPORTED, False)]
    assert len(plant.written) == 1


async def test_samples_are_sent_in_batches_that_the_server_takes() -> None:
    plant = Plant(most=3)
    plant.size.write_nodes = 10
    outcomes = await writer(plant).write([sample(value=float(at)) for at in range(10)])
    assert [each.status for each in outcomes] == [0] * 10
    assert [each.Value.Value.Value for each in plant.written] == [float(at) for at in range(10)]


@example(DOUBLE, 10**400)
@example(6, 10**400)
@given(st.integers(1, 25), st.none() | st.booleans() | st.integers() | st.floats() | st.text())
def test_a_value_is_written_as_it_is_or_refused(built_in: int, value: Any) -> None:
    try:
        variant = converted(value, built_in)
    except Refused:
        return
    if value is None:
        assert variant.VariantType == ua.VariantType.Null
    elif built_in == 21:
        assert variant.Value.Text == value
    elif built_in == 10:
        assert variant.Value == pytest.approx(float(value), nan_ok=True)
    else:
        assert variant.VariantType == ua.VariantType(built_in)
        assert variant.Value == value or math.isnan(value)
