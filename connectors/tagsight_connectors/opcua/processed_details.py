"""What is asked of a server for aggregates: ReadProcessedDetails and ReadAtTimeDetails (OPC 10000-11, 6.5.4, 6.5.5)."""

import struct
from typing import Final

import numpy as np
from asyncua import ua

from tagsight_connectors.aggregates import Aggregate, AggregateConfiguration
from tagsight_connectors.history import Span, Times
from tagsight_connectors.opcua.wire import EPOCH_TICKS, ticks_of_ns

NS_IN_MS: Final = 1_000_000

FUNCTIONS: Final = {
    Aggregate.AVERAGE: ua.ObjectIds.AggregateFunction_Average,
    Aggregate.TIME_AVERAGE: ua.ObjectIds.AggregateFunction_TimeAverage,
    Aggregate.INTERPOLATIVE: ua.ObjectIds.AggregateFunction_Interpolative,
    Aggregate.MINIMUM: ua.ObjectIds.AggregateFunction_Minimum,
    Aggregate.MAXIMUM: ua.ObjectIds.AggregateFunction_Maximum,
    Aggregate.COUNT: ua.ObjectIds.AggregateFunction_Count,
    Aggregate.DURATION_GOOD: ua.ObjectIds.AggregateFunction_DurationGood,
    Aggregate.PERCENT_GOOD: ua.ObjectIds.AggregateFunction_PercentGood,
}

_TIMES: Final = struct.Struct("<qqdi")  # start, end, interval in ms, number of aggregates
_FUNCTION: Final = struct.Struct("<BBH")  # a NodeId of four bytes: encoding, namespace, identifier
_CONFIGURATION: Final = struct.Struct("<??BB?")


def processed_details(
    span: Span, aggregate: Aggregate, interval_ns: int, configuration: AggregateConfiguration, nodes: int
) -> ua.ExtensionObject:
    """The aggregate is named once for each node; the configuration is ours, not the server's."""
    body = b"".join(
        (
            _TIMES.pack(ticks_of_ns(span.start_ns), ticks_of_ns(span.end_ns), interval_ns / NS_IN_MS, nodes),
            nodes * _FUNCTION.pack(1, 0, int(FUNCTIONS[aggregate])),
            _CONFIGURATION.pack(
                False,  # UseServerCapabilitiesDefaults
                configuration.treat_uncertain_as_bad,
                configuration.percent_data_bad,
                configuration.percent_data_good,
                configuration.sloped_extrapolation,
            ),
        )
    )
    return ua.ExtensionObject(ua.FourByteNodeId(ua.ObjectIds.ReadProcessedDetails_Encoding_DefaultBinary), body)


def at_time_details(times: Times) -> ua.ExtensionObject:
    """Interpolated bounding values, no simple ones."""
    ticks = (times // 100 + EPOCH_TICKS).astype("<i8")
    body = np.int32(len(times)).astype("<i4").tobytes() + ticks.tobytes() + bytes((0,))
    return ua.ExtensionObject(ua.FourByteNodeId(ua.ObjectIds.ReadAtTimeDetails_Encoding_DefaultBinary), body)
