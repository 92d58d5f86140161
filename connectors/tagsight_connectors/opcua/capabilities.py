"""What a server says that it can do and takes at once (OPC 10000-5, 6.3.2; OPC 10000-11, 5.4).

A limit is obeyed. A denied capability is tried all the same: node-opcua says that it has no history access and has it,
and most servers say nothing. So what is told is shown to the engineer and decides nothing.
"""

from typing import Final

from asyncua import ua

from tagsight_connectors.opcua.request_size import RequestSize
from tagsight_connectors.opcua.service import Service

_OPERATION: Final = "Server_ServerCapabilities_OperationLimits_"
LIMITS: Final = {
    name: ua.NodeId(getattr(ua.ObjectIds, identifier))
    for name, identifier in (
        ("history_nodes", f"{_OPERATION}MaxNodesPerHistoryReadData"),
        ("read_nodes", f"{_OPERATION}MaxNodesPerRead"),
        ("write_nodes", f"{_OPERATION}MaxNodesPerWrite"),
        ("update_values", f"{_OPERATION}MaxNodesPerHistoryUpdateData"),
        ("browse_nodes", f"{_OPERATION}MaxNodesPerBrowse"),
        ("points", "Server_ServerCapabilities_MaxHistoryContinuationPoints"),
        ("values", "HistoryServerCapabilities_MaxReturnDataValues"),
    )
}
HISTORY: Final = {
    "reading": ua.NodeId(ua.ObjectIds.HistoryServerCapabilities_AccessHistoryDataCapability),
    "inserting": ua.NodeId(ua.ObjectIds.HistoryServerCapabilities_InsertDataCapability),
    "updating": ua.NodeId(ua.ObjectIds.HistoryServerCapabilities_UpdateDataCapability),
}


async def obey_limits(service: Service, size: RequestSize, processed: RequestSize) -> None:
    """Take over the limits that the server tells; those that it does not tell (many do not) stay ours."""
    told: dict[str, int] = {}
    for name, node in LIMITS.items():  # one by one: a server may allow one node in a Read
        ((value, _, _),) = await service.read([(node, ua.AttributeIds.Value)])
        if isinstance(value, int):
            told[name] = value
    size.obey({"history_nodes": told.pop("points", 0), "node_values": told.pop("values", 0)})
    size.obey(told)
    processed.obey({"history_nodes": size.history_nodes})


async def history_told(service: Service) -> str:
    """What the server says of its history, in words; "" where it says nothing."""
    readings = await service.read([(node, ua.AttributeIds.Value) for node in HISTORY.values()])
    told = {name: value for name, (value, _, _) in zip(HISTORY, readings, strict=True) if isinstance(value, bool)}
    return ", ".join(f"{name} {'yes' if value else 'no'}" for name, value in told.items())
