"""The address space: a folder for each level of a path, a typed variable for each output (OPC 10000-8).

Nodes are put into asyncua's tables directly, and what equals in many nodes (access level, data type, type definition)
is one shared object: that is what makes 20,000 variables fit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from asyncua import ua
from asyncua.server.address_space import AddressSpace, AttributeValue, NodeData

from tagsight_connectors.opcua.engineering_units import eu_information
from tagsight_connectors.opcua.limits import SERVER_FOLDER_CHILDREN
from tagsight_connectors.quality import BAD_NODE_ID_UNKNOWN, BAD_WAITING_FOR_INITIAL_DATA
from tagsight_connectors.serving import ServedType, ServedVariable
from tagsight_connectors.tag import DataType

READ: Final = 0x01
WRITE: Final = 0x02
READ_HISTORY: Final = 0x04
WRITE_STATUS_AND_TIME: Final = 0x60

IDS: Final = ua.ObjectIds
AT: Final = ua.AttributeIds
MORE: Final = "more"
PROPERTY_TYPES: Final = {ua.Range: IDS.Range, ua.EUInformation: IDS.EUInformation, str: IDS.String}


def variant_type_of(variable: ServedVariable) -> ua.VariantType:
    """The one type that the variable has and that a client must write."""
    if variable.data_type is DataType.TEXT:
        return ua.VariantType.String
    if variable.data_type is DataType.BOOLEAN:
        return ua.VariantType.Boolean
    return ua.VariantType.Int32 if variable.integer else ua.VariantType.Double


@dataclass(slots=True)
class ServedNode:
    """A variable in the address space; `value` is what asyncua reads and whose callbacks feed subscriptions."""

    variable: ServedVariable
    node_id: ua.NodeId
    value: AttributeValue
    folder: ua.NodeId


@dataclass
class ServedSpace:
    """All variables of a server, by identifier."""

    space: AddressSpace
    namespace: int
    client_times: bool = False
    types: Mapping[str, ServedType] = field(default_factory=dict)
    types_namespace: int = 0
    nodes: dict[str, ServedNode] = field(default_factory=dict)
    _children: dict[tuple[str, ...], int] = field(default_factory=dict)
    _shared: dict[Any, Any] = field(default_factory=dict)
    _instances: dict[ua.NodeId, ServedType] = field(default_factory=dict)

    async def update(self, variables: Sequence[ServedVariable]) -> None:
        """Make the address space show exactly these variables; what stays keeps its value and subscriptions."""
        wanted = {variable.identifier: variable for variable in variables}
        for identifier in [known for known in self.nodes if known not in wanted]:
            await self._remove(identifier)
        for identifier, variable in wanted.items():
            node = self.nodes.get(identifier)
            if node is not None and node.variable.path != variable.path:
                await self._remove(identifier)
                node = None
            if node is None:
                self._add(variable)
            elif node.variable != variable:
                self._place(variable, node.folder, node.value)

    def find(self, node_id: ua.NodeId) -> ServedNode | None:
        """The variable with this NodeId."""
        if node_id.NamespaceIndex != self.namespace or not isinstance(node_id.Identifier, str):
            return None
        return self.nodes.get(node_id.Identifier)

    async def show(self, node: ServedNode, value: ua.DataValue) -> None:
        """Set a value, and tell subscriptions."""
        node.value.value = value
        for handle, notify in list(node.value.datachange_callbacks.items()):
            await notify(handle, value)

    def access_of(self, variable: ServedVariable) -> int:
        """AccessLevel bits (OPC 10000-3, 8.57)."""
        if variable.writable_by is None:
            return READ | READ_HISTORY
        return READ | READ_HISTORY | WRITE | (WRITE_STATUS_AND_TIME if self.client_times else 0)

    def _add(self, variable: ServedVariable) -> None:
        *folders, name = variable.path.split("/")
        folder = self._folder(tuple(folders), variable.part_of)
        value = AttributeValue(ua.DataValue(None, ua.StatusCode(ua.UInt32(BAD_WAITING_FOR_INITIAL_DATA))))
        self._place(variable, folder, value)
        kind = ua.NodeId(type_definition(variable))
        self._refer(folder, ua.NodeId(variable.identifier, self.namespace), name, ua.NodeClass.Variable, kind)

    def _place(self, variable: ServedVariable, folder: ua.NodeId, value: AttributeValue) -> None:
        node_id = ua.NodeId(variable.identifier, self.namespace)
        name = variable.path.rsplit("/", 1)[-1]
        node = NodeData(node_id)
        namespace = self._name_in(folder, name).NamespaceIndex
        node.attributes = self._variable_attributes(node_id, name, variable.description, namespace)
        node.attributes[AT.Value] = value
        data_type = variant_type_of(variable)
        node.attributes[AT.DataType] = self._constant(AT.DataType, ua.NodeId(data_type.value), ua.VariantType.NodeId)
        access = self.access_of(variable)
        for attribute in (AT.AccessLevel, AT.UserAccessLevel):
            node.attributes[attribute] = self._constant(attribute, access, ua.VariantType.Byte)
        node.attributes[AT.Historizing] = self._constant(AT.Historizing, True, ua.VariantType.Boolean)
        kind = ua.NodeId(type_definition(variable))
        node.references = [self._type_reference(kind), self._parent_reference(folder)]
        self.space[node_id] = node
        for suffix, content in _properties(variable):
            self._add_property(node, variable.identifier, suffix, content)
        self.nodes[variable.identifier] = ServedNode(variable, node_id, value, folder)

    def _add_property(self, owner: NodeData, identifier: str, name: str, content: Any) -> None:
        node_id = ua.NodeId(f"{identifier}.{name}", self.namespace)
        node = NodeData(node_id)
        node.attributes = self._variable_attributes(node_id, name, "", namespace=0)
        node.attributes[AT.Value] = self._property_value(content)
        kind = ua.NodeId(PROPERTY_TYPES[type(content)])
        node.attributes[AT.DataType] = self._constant(AT.DataType, kind, ua.VariantType.NodeId)
        for attribute in (AT.AccessLevel, AT.UserAccessLevel):
            node.attributes[attribute] = self._constant(attribute, READ, ua.VariantType.Byte)
        node.attributes[AT.Historizing] = self._constant(AT.Historizing, False, ua.VariantType.Boolean)
        node.references = [self._type_reference(ua.NodeId(IDS.PropertyType))]
        self.space[node_id] = node
        owner.references.append(
            _reference(
                IDS.HasProperty, node_id, ua.QualifiedName(name, 0), ua.NodeClass.Variable, ua.NodeId(IDS.PropertyType)
            )
        )

    def _property_value(self, content: Any) -> AttributeValue:
        key = ("property", str(content))
        if key not in self._shared:
            text = isinstance(content, str)
            variant = ua.Variant(content, ua.VariantType.String if text else ua.VariantType.ExtensionObject)
            self._shared[key] = AttributeValue(ua.DataValue(variant))
        value: AttributeValue = self._shared[key]
        return value

    def _variable_attributes(self, node_id: ua.NodeId, name: str, text: str, namespace: int | None = None) -> Any:
        attributes = self._node_attributes(node_id, name, text, ua.NodeClass.Variable, namespace)
        attributes[AT.ValueRank] = self._constant(AT.ValueRank, -1, ua.VariantType.Int32)
        sampling = self._constant(AT.MinimumSamplingInterval, 0.0, ua.VariantType.Double)
        attributes[AT.MinimumSamplingInterval] = sampling
        return attributes

    def _node_attributes(
        self, node_id: ua.NodeId, name: str, text: str, node_class: ua.NodeClass, namespace: int | None
    ) -> dict[ua.AttributeIds, AttributeValue]:
        browse_name = ua.QualifiedName(name, self.namespace if namespace is None else namespace)
        shared = self._constant
        return {
            AT.NodeId: AttributeValue(ua.DataValue(ua.Variant(node_id, ua.VariantType.NodeId))),
            AT.NodeClass: shared(AT.NodeClass, node_class, ua.VariantType.Int32),
            AT.BrowseName: shared(AT.BrowseName, browse_name, ua.VariantType.QualifiedName),
            AT.DisplayName: shared(AT.DisplayName, ua.LocalizedText(name), ua.VariantType.LocalizedText),
            AT.Description: shared(AT.Description, ua.LocalizedText(text), ua.VariantType.LocalizedText),
            AT.WriteMask: shared(AT.WriteMask, 0, ua.VariantType.UInt32),
            AT.UserWriteMask: shared(AT.UserWriteMask, 0, ua.VariantType.UInt32),
        }

    def _constant(self, attribute: ua.AttributeIds, content: Any, kind: ua.VariantType) -> AttributeValue:
        """One shared value for all nodes with this content; never written afterwards."""
        key = (attribute, str(content))
        if key not in self._shared:
            self._shared[key] = AttributeValue(ua.DataValue(ua.Variant(content, kind)))
        value: AttributeValue = self._shared[key]
        return value

    def _folder(self, levels: tuple[str, ...], part_of: str = "") -> ua.NodeId:
        """The folder of these levels with room for one more child; made as needed."""
        if not levels:
            return ua.NodeId(IDS.ObjectsFolder)
        base = levels
        while self._children.get(base, 0) >= SERVER_FOLDER_CHILDREN - 1:
            self._ensure_folder((*base, MORE))
            base = (*base, MORE)
        node_id = self._ensure_folder(base, part_of if base == levels else "")
        self._children[base] = self._children.get(base, 0) + 1
        return node_id

    def _ensure_folder(self, levels: tuple[str, ...], part_of: str = "") -> ua.NodeId:
        node_id = ua.NodeId("/".join(levels) + "/", self.namespace)
        if node_id in self.space:
            return node_id
        parent = self._folder(levels[:-1]) if levels[-1] != MORE else self._ensure_folder(levels[:-1])
        node = NodeData(node_id)
        namespace = self._name_in(parent, levels[-1]).NamespaceIndex
        node.attributes = self._node_attributes(node_id, levels[-1], "", ua.NodeClass.Object, namespace)
        node.attributes[AT.EventNotifier] = self._constant(AT.EventNotifier, 0, ua.VariantType.Byte)
        kind = ua.NodeId(IDS.FolderType)
        if part_of in self.types:
            kind = ua.NodeId(part_of, self.types_namespace)
            self._instances[node_id] = self.types[part_of]
        node.references = [self._type_reference(kind), self._parent_reference(parent)]
        self.space[node_id] = node
        self._refer(parent, node_id, levels[-1], ua.NodeClass.Object, kind)
        return node_id

    def _refer(self, parent: ua.NodeId, child: ua.NodeId, name: str, node_class: ua.NodeClass, kind: ua.NodeId) -> None:
        reference = _reference(self._holds(parent), child, self._name_in(parent, name), node_class, kind)
        self.space[parent].references.append(reference)

    def _holds(self, folder: ua.NodeId) -> int:
        return int(IDS.HasComponent if folder in self._instances else IDS.Organizes)

    def _name_in(self, folder: ua.NodeId, name: str) -> ua.QualifiedName:
        """Browse name: what the type of the folder knows has the name that the type gives it."""
        known = self._instances.get(folder)
        of_type = known is not None and name in {*known.folders, *(one.path for one in known.variables)}
        return ua.QualifiedName(name, self.types_namespace if of_type else self.namespace)

    def _type_reference(self, kind: ua.NodeId) -> ua.ReferenceDescription:
        key = ("type", kind)
        if key not in self._shared:
            name, node_class = (self._attribute(kind, one) for one in (AT.BrowseName, AT.NodeClass))
            self._shared[key] = _reference(IDS.HasTypeDefinition, kind, name, node_class, ua.NodeId())
        return self._shared[key]

    def _parent_reference(self, parent: ua.NodeId) -> ua.ReferenceDescription:
        key = ("parent", str(parent))
        if key not in self._shared:
            kind = ua.NodeId(IDS.FolderType)
            if parent in self._instances:
                kind = ua.NodeId(self._instances[parent].name, self.types_namespace)
            name = self._attribute(parent, AT.BrowseName)
            reference = _reference(self._holds(parent), parent, name, ua.NodeClass.Object, kind)
            reference.IsForward = False
            self._shared[key] = reference
        return self._shared[key]

    def _attribute(self, node_id: ua.NodeId, attribute: Any) -> Any:
        value = self.space[node_id].attributes[attribute].value
        assert value is not None
        assert value.Value is not None
        return value.Value.Value

    async def _remove(self, identifier: str) -> None:
        node = self.nodes.pop(identifier)
        await self.show(node, ua.DataValue(None, ua.StatusCode(ua.UInt32(BAD_NODE_ID_UNKNOWN))))
        for handle in list(node.value.datachange_callbacks):
            self.space.delete_datachange_callback(handle)
        parent = self.space[node.folder]
        parent.references = [reference for reference in parent.references if reference.NodeId != node.node_id]
        levels = tuple(str(node.folder.Identifier).rstrip("/").split("/"))
        if self._children.get(levels):
            self._children[levels] -= 1
        for suffix, _ in _properties(node.variable):
            del self.space[ua.NodeId(f"{identifier}.{suffix}", self.namespace)]
        del self.space[node.node_id]


def _properties(variable: ServedVariable) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    if variable.data_type is DataType.NUMBER and variable.eu_range is not None:
        found.append(("EURange", ua.Range(variable.eu_range.low, variable.eu_range.high)))
    if variable.data_type is DataType.NUMBER and variable.unit:
        found.append(("EngineeringUnits", eu_information(variable.unit)))
    if variable.definition:
        found.append(("Definition", variable.definition))
    return found


def type_definition(variable: ServedVariable) -> int:
    """Type of the variable: with the properties that it has (OPC 10000-8, 5.3.2)."""
    names = {name for name, _ in _properties(variable)} - {"Definition"}
    if not names:
        return int(IDS.DataItemType if variable.definition else IDS.BaseDataVariableType)
    if len(names) == 1:
        return int(IDS.AnalogItemType if "EURange" in names else IDS.AnalogUnitType)
    return int(IDS.AnalogUnitRangeType)


def _reference(
    kind: int, target: ua.NodeId, name: ua.QualifiedName, node_class: ua.NodeClass, definition: ua.NodeId
) -> ua.ReferenceDescription:
    return ua.ReferenceDescription(
        ReferenceTypeId=ua.NodeId(kind),
        NodeId=target,
        BrowseName=name,
        DisplayName=ua.LocalizedText(name.Name),
        NodeClass=node_class,
        TypeDefinition=definition,
    )
