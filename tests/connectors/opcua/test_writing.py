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
from tagsight_connectors.opcua.write_values import NodeTypes, Refused, converted
from tagsight_connectors.opcua.writing import Form, HistoryWriter, Writer
from tagsight_connectors.quality import BAD_OUT_OF_RANGE, BAD_TYPE_MISMATCH, BAD_WRITE_NOT_SUPPORTED, UNCERTAIN

DOUBLE = 11
GOOD_ENTRY_REPLACED = 0x00A30000
BAD_USER_ACCESS_DENIED = 0x801F0000
ACCEPTED = frozenset({"nsu=urn:p;s=A", "nsu=urn:p;s=B"})


@dataclass
class Plant:
    """The services that `Writer` uses, of a server that refuses what a test says."""

    refuses: Any = lambda _value: 0
    most: int = 1_000
    size: RequestSize = field(default_factory=RequestSize)
    namespaces: Namespaces = field(default_factory=lambda: Namespaces(["http://opcfoundation.org/UA/", "urn:p"]))
    written: list[ua.WriteValue] = field(default_factory=list)
    updated: list[tuple[str, Any]] = field(default_factory=list)
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

    async def history_update(self, details: Sequence[ua.UpdateDataDetails]) -> list[tuple[int, list[int]]]:
        self.requests += 1
        if sum(len(one.UpdateValues) for one in details) > self.most:
            raise TooLarge(cause="BadTooManyOperations")
        answers = []
        for one in details:
            assert one.PerformInsertReplace is ua.PerformUpdateType.Update
            results = [self.refuses(value) for value in one.UpdateValues]
            self.updated += [
                (one.NodeId.Identifier, value.SourceTimestamp)
                for value, result in zip(one.UpdateValues, results, strict=True)
                if not result >> 31
            ]
            answers.append((0, results))
        return answers


class Types:
    async def built_in(self, data_type: ua.NodeId) -> int:
        return int(data_type.Identifier)


def writer(plant: Plant) -> Writer:
    return Writer(plant, NodeTypes(plant, Types()), ACCEPTED)  # type: ignore[arg-type]


def sample(name: str = "A", value: Any = 1.5, status: int = 0) -> Sample:
    return Sample(f"nsu=urn:p;s={name}", 1_700_000_000_123_456_000, value, status)


async def test_one_address_outside_the_list_stops_everything_before_anything_is_sent() -> None:
    plant = Plant()
    with pytest.raises(WriteNotAllowed, match="s=C"):
        await writer(plant).write([sample("A"), sample("C")])
    assert plant.requests == 0


def history_writer(plant: Plant) -> HistoryWriter:
    return HistoryWriter(plant, NodeTypes(plant, Types()), ACCEPTED)  # type: ignore[arg-type]


def at(second: int, name: str = "A", value: Any = 1.5) -> Sample:
    return Sample(f"nsu=urn:p;s={name}", 1_700_000_000_000_000_000 + second * 1_000_000_000, value, 0)


async def test_a_history_update_outside_the_list_stops_everything_before_anything_is_sent() -> None:
    plant = Plant()
    with pytest.raises(WriteNotAllowed):
        await history_writer(plant).write([sample("A"), sample("C")])
    assert plant.requests == 0


async def test_the_values_of_a_node_go_together_in_order_of_time_and_every_sample_has_its_own_answer() -> None:
    plant = Plant(refuses=lambda value: BAD_OUT_OF_RANGE if value.Value.Value == 3.0 else GOOD_ENTRY_REPLACED)
    samples = [at(5), at(2, "B"), at(1), at(9, "B", 3.0), at(3)]
    outcomes = await history_writer(plant).write(samples)
    assert [(one.address, one.status) for one in outcomes] == [
        (one.address, BAD_OUT_OF_RANGE if one.value == 3.0 else GOOD_ENTRY_REPLACED) for one in samples
    ]
    assert plant.requests == 1
    assert plant.updated == sorted(plant.updated)


async def test_a_text_for_a_number_is_refused_by_us_and_the_others_go() -> None:
    plant = Plant()
    outcomes = await history_writer(plant).write([at(1, value="on"), at(2)])
    assert [one.status for one in outcomes] == [BAD_TYPE_MISMATCH, 0]
    assert len(plant.updated) == 1


async def test_history_updates_are_sent_in_requests_that_the_server_takes() -> None:
    plant = Plant(most=40)
    outcomes = await history_writer(plant).write([at(second) for second in range(300)])
    assert {one.status for one in outcomes} == {0}
    assert len(plant.updated) == 300


async def test_an_answer_about_the_node_alone_counts_for_each_of_its_values() -> None:
    plant = Plant()

    async def refused(details: Sequence[Any]) -> list[tuple[int, list[int]]]:
        return [(BAD_USER_ACCESS_DENIED, []) for _ in details]

    plant.history_update = refused  # type: ignore[method-assign]
    outcomes = await history_writer(plant).write([at(1), at(2)])
    assert [one.status for one in outcomes] == [BAD_USER_ACCESS_DENIED] * 2


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
@example(DOUBLE, None)
@given(st.integers(1, 25), st.none() | st.booleans() | st.integers() | st.floats() | st.text())
def test_a_value_is_written_as_it_is_or_refused(built_in: int, value: Any) -> None:
    try:
        variant = converted(value, built_in)
    except Refused:
        return
    if value is None and built_in in {10, 11}:  # node-opcua takes Null for no type
        assert variant.VariantType == ua.VariantType(built_in)
        assert math.isnan(variant.Value)
    elif value is None:
        assert variant.VariantType == ua.VariantType.Null
    elif built_in == 21:
        assert variant.Value.Text == value
    elif built_in == 10:
        assert variant.Value == pytest.approx(float(value), nan_ok=True)
    else:
        assert variant.VariantType == ua.VariantType(built_in)
        assert variant.Value == value or math.isnan(value)
