"""What our servers announce of themselves: OperationLimits and HistoryServerCapabilities (OPC 10000-5, 6.3)."""

from typing import Final

from asyncua import ua

from tagsight_connectors.opcua import limits

IDS: Final = ua.ObjectIds
OPERATION_LIMITS: Final = "Server_ServerCapabilities_OperationLimits_"

ANNOUNCED: Final[dict[int, int]] = {
    getattr(IDS, OPERATION_LIMITS + "MaxNodesPerRead"): limits.SERVER_NODES_PER_READ,
    getattr(IDS, OPERATION_LIMITS + "MaxNodesPerWrite"): limits.SERVER_NODES_PER_WRITE,
    getattr(IDS, OPERATION_LIMITS + "MaxNodesPerBrowse"): limits.SERVER_NODES_PER_BROWSE,
    getattr(IDS, OPERATION_LIMITS + "MaxNodesPerMethodCall"): limits.SERVER_METHODS_PER_CALL,
    getattr(IDS, OPERATION_LIMITS + "MaxNodesPerRegisterNodes"): limits.SERVER_NODES_PER_REGISTER,
    getattr(IDS, OPERATION_LIMITS + "MaxNodesPerHistoryReadData"): limits.SERVER_NODES_PER_HISTORY_READ,
    getattr(IDS, OPERATION_LIMITS + "MaxMonitoredItemsPerCall"): limits.SERVER_ITEMS_PER_CALL,
    getattr(IDS, OPERATION_LIMITS + "MaxNodesPerTranslateBrowsePathsToNodeIds"): limits.SERVER_NODES_PER_TRANSLATE,
    IDS.HistoryServerCapabilities_MaxReturnDataValues: limits.SERVER_HISTORY_PAGE,
}

CAPABLE_OF: Final = (IDS.HistoryServerCapabilities_AccessHistoryDataCapability,)
