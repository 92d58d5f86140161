"""Types of ours as a NodeSet2 file (OPC 10000-6, Annex F): what our server loads, and what others can import.

Browse names are those that the parts of an instance have too, so that a client which knows the type finds them.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final
from xml.etree import ElementTree as ET

from asyncua import ua

from tagsight_connectors.opcua.engineering_units import eu_information
from tagsight_connectors.opcua.server_space import READ, WRITE, type_definition, variant_type_of
from tagsight_connectors.serving import ServedType, ServedTypes, ServedVariable

IDS: Final = ua.ObjectIds
NODESET: Final = "http://opcfoundation.org/UA/2011/03/UANodeSet.xsd"
TYPES: Final = "http://opcfoundation.org/UA/2008/02/Types.xsd"
CORE: Final = "http://opcfoundation.org/UA/"
CORE_VERSION: Final = {"Version": "1.04", "PublicationDate": "2019-05-01T00:00:00Z"}

ALIASES: Final = {
    "Boolean": IDS.Boolean,
    "Int32": IDS.Int32,
    "Double": IDS.Double,
    "String": IDS.String,
    "Range": IDS.Range,
    "EUInformation": IDS.EUInformation,
    "HasComponent": IDS.HasComponent,
    "HasModellingRule": IDS.HasModellingRule,
    "HasProperty": IDS.HasProperty,
    "HasSubtype": IDS.HasSubtype,
    "HasTypeDefinition": IDS.HasTypeDefinition,
}
MANDATORY: Final = f"i={IDS.ModellingRule_Mandatory}"
OPTIONAL: Final = f"i={IDS.ModellingRule_Optional}"


def nodeset_of(types: ServedTypes) -> str:
    """The content of the file."""
    root = ET.Element("UANodeSet", {"xmlns": NODESET, "xmlns:uax": TYPES})
    ET.SubElement(ET.SubElement(root, "NamespaceUris"), "Uri").text = types.uri
    when = f"{types.published}T00:00:00Z"
    model = {"ModelUri": types.uri, "Version": types.version, "PublicationDate": when}
    models = ET.SubElement(ET.SubElement(root, "Models"), "Model", model)
    ET.SubElement(models, "RequiredModel", {"ModelUri": CORE, **CORE_VERSION})
    aliases = ET.SubElement(root, "Aliases")
    for name, number in ALIASES.items():
        ET.SubElement(aliases, "Alias", {"Alias": name}).text = f"i={number}"
    for one in types.types:
        root.extend(_type_nodes(one))
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _type_nodes(one: ServedType) -> Iterator[ET.Element]:
    parts = [*(variable.path for variable in one.variables), *one.folders]
    node = _node("UAObjectType", one.name, one.name, one.description)
    references = [("HasSubtype", f"i={IDS.BaseObjectType}", False)]
    _refer(node, references + [("HasComponent", _id(f"{one.name}/{part}"), True) for part in parts])
    yield node
    for variable in one.variables:
        yield from _variable_nodes(one, variable)
    for folder in one.folders:
        yield _folder_node(one, folder)


def _variable_nodes(one: ServedType, variable: ServedVariable) -> Iterator[ET.Element]:
    identifier = f"{one.name}/{variable.path}"
    node = _node("UAVariable", identifier, variable.path, variable.description)
    node.set("ParentNodeId", _id(one.name))
    node.set("DataType", variant_type_of(variable).name)
    access = READ | (WRITE if variable.writable_by is not None else 0)
    node.set("AccessLevel", str(access))
    rule = OPTIONAL if variable.path in one.optional else MANDATORY
    references = [
        ("HasTypeDefinition", f"i={type_definition(variable)}", True),
        ("HasModellingRule", rule, True),
        ("HasComponent", _id(one.name), False),
    ]
    properties = list(_property_nodes(identifier, variable))
    _refer(node, references + [("HasProperty", each.attrib["NodeId"], True) for each in properties])
    yield node
    yield from properties


def _property_nodes(owner: str, variable: ServedVariable) -> Iterator[ET.Element]:
    kinds = {IDS.AnalogItemType: "r", IDS.AnalogUnitType: "u", IDS.AnalogUnitRangeType: "ru"}
    has = kinds.get(type_definition(variable), "")
    if "r" in has and variable.eu_range is not None:
        fields = {"Low": repr(variable.eu_range.low), "High": repr(variable.eu_range.high)}
        yield _property_node(owner, "EURange", "Range", _structure(IDS.Range_Encoding_DefaultXml, "Range", fields))
    if "u" in has:
        unit = eu_information(variable.unit)
        fields = {"NamespaceUri": unit.NamespaceUri or "", "UnitId": str(unit.UnitId), "DisplayName": variable.unit}
        fields["Description"] = variable.unit
        value = _structure(IDS.EUInformation_Encoding_DefaultXml, "EUInformation", fields)
        yield _property_node(owner, "EngineeringUnits", "EUInformation", value)
    if variable.definition:
        text = ET.Element("uax:String")
        text.text = variable.definition
        yield _property_node(owner, "Definition", "String", text)


def _property_node(owner: str, name: str, data_type: str, value: ET.Element) -> ET.Element:
    node = _node("UAVariable", f"{owner}.{name}", name, "", namespace=0)
    node.set("ParentNodeId", _id(owner))
    node.set("DataType", data_type)
    references = [
        ("HasTypeDefinition", f"i={IDS.PropertyType}", True),
        ("HasModellingRule", MANDATORY, True),
        ("HasProperty", _id(owner), False),
    ]
    _refer(node, references)
    ET.SubElement(node, "Value").append(value)
    return node


def _structure(encoding: Any, name: str, fields: dict[str, str]) -> ET.Element:
    outer = ET.Element("uax:ExtensionObject")
    ET.SubElement(ET.SubElement(outer, "uax:TypeId"), "uax:Identifier").text = f"i={encoding}"
    body = ET.SubElement(ET.SubElement(outer, "uax:Body"), f"uax:{name}")
    for field, text in fields.items():
        element = ET.SubElement(body, f"uax:{field}")
        if field in {"DisplayName", "Description"}:
            element = ET.SubElement(element, "uax:Text")
        element.text = text
    return outer


def _folder_node(one: ServedType, name: str) -> ET.Element:
    node = _node("UAObject", f"{one.name}/{name}", name, f"{name} of each role")
    node.set("ParentNodeId", _id(one.name))
    references = [
        ("HasTypeDefinition", f"i={IDS.FolderType}", True),
        ("HasModellingRule", OPTIONAL, True),
        ("HasComponent", _id(one.name), False),
    ]
    _refer(node, references)
    return node


def _node(kind: str, identifier: str, name: str, description: str, namespace: int = 1) -> ET.Element:
    browse_name = f"{namespace}:{name}" if namespace else name
    node = ET.Element(kind, {"NodeId": _id(identifier), "BrowseName": browse_name})
    ET.SubElement(node, "DisplayName").text = name
    if description:
        ET.SubElement(node, "Description").text = description
    return node


def _refer(node: ET.Element, references: Sequence[tuple[str, str, bool]]) -> None:
    parent = ET.SubElement(node, "References")
    for kind, target, forward in references:
        attributes = {"ReferenceType": kind} | ({} if forward else {"IsForward": "false"})
        ET.SubElement(parent, "Reference", attributes).text = target


def _id(identifier: str) -> str:
    return f"ns=1;s={identifier}"
