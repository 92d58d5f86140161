// An importer of NodeSet2 files by node-opcua: `node node_nodeset.js FILE.xml TYPE`, with node-opcua found through NODE_PATH.
//
// Loads FILE beside the standard nodeset, makes an instance of TYPE, and prints what the instance has, as JSON.
"use strict";

const { AddressSpace, DataType, nodesets } = require("node-opcua");
const { generateAddressSpace } = require("node-opcua-address-space/nodeJS");

async function main(file, typeName) {
  const addressSpace = AddressSpace.create();
  await generateAddressSpace(addressSpace, [nodesets.standard, file]);
  const types = addressSpace.getNamespaceIndex("urn:tagsight:types");
  const own = addressSpace.registerNamespace("urn:importer");
  const type = addressSpace.findObjectType(typeName, types);
  const made = type.instantiate({ browseName: "P101", organizedBy: addressSpace.rootFolder.objects, namespace: own });
  const parts = made.getComponents().map((part) => ({
    name: part.browseName.name,
    namespace: addressSpace.getNamespaceUri(part.browseName.namespaceIndex),
    type: part.typeDefinitionObj.browseName.name,
    data: part.dataType ? DataType[part.dataType.value] : null,
    range: part.euRange ? part.euRange.readValue().value.value : null,
    unit: part.engineeringUnits ? part.engineeringUnits.readValue().value.value.displayName.text : null,
  }));
  console.log(JSON.stringify(parts));
  addressSpace.dispose();
}

main(process.argv[2], process.argv[3]).catch((error) => {
  console.error(error);
  process.exit(1);
});
