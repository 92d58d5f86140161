// An address space by node-opcua without security, for tests: `node node_space.js CONFIG.json`.
//
// CONFIG: {port, scene: "types" | "many", count}. Prints "ready" when it listens; ends with its stdin.
// types: a tag of every kind of value and NodeId, with two values of history each, a circle of folders.
// many: `count` variables in folders of 500.
// Every line of stdin is {path, value, time_ms}: a new number of Plant/Live (scene "types").
"use strict";

const fs = require("fs");
const readline = require("readline");
const { DataType, MessageSecurityMode, OPCUAServer, SecurityPolicy, StatusCodes, Variant, VariantArrayType } =
  require("node-opcua");

const config = JSON.parse(fs.readFileSync(process.argv[2], "utf-8"));
const START_MS = 1700000000000;

function numbers(make) {
  make("SByte", [-128, 127]);
  make("Byte", [0, 255]);
  make("Int16", [-32768, 32767]);
  make("UInt16", [0, 65535]);
  make("Int32", [-2147483648, 2147483647]);
  make("UInt32", [0, 4294967295]);
  make("Int64", [
    [0xffe00000, 0], // -2^53
    [0x00200000, 0], // 2^53
  ]);
  make("UInt64", [
    [0, 0],
    [0x80000000, 0], // 2^63
  ]);
  make("Float", [-1.5, 0.25]);
  make("Double", [1e-300, 1e300]);
  make("Boolean", [false, true]);
}

function types(addressSpace, namespace) {
  const plant = namespace.addFolder(addressSpace.rootFolder.objects, { browseName: "Plant", nodeId: "s=Plant" });
  const history = (variable, type, values, extra) => {
    addressSpace.installHistoricalDataNode(variable, { maxOnlineValues: 1000 });
    values.forEach((value, at) =>
      variable.setValueFromSource(
        { dataType: DataType[type], arrayType: VariantArrayType.Scalar, value, ...extra },
        StatusCodes.Good,
        new Date(START_MS + at * 1000),
      ),
    );
    return variable;
  };
  const access = "CurrentRead | HistoryRead";
  const make = (type, values, options = {}, extra = {}) =>
    history(
      namespace.addVariable({
        organizedBy: plant,
        browseName: type,
        nodeId: `s=${options.browseName || type}`,
        dataType: type,
        accessLevel: access,
        userAccessLevel: access,
        ...options,
      }),
      type,
      values,
      extra,
    );
  numbers(make);
  make("String", ["stopped", "running"]);
  make("LocalizedText", [{ text: "aus" }, { text: "an" }]);
  make("DateTime", [new Date(0), new Date(1)]);
  make("Guid", ["72962B91-FA75-4AE6-8D28-B404DC7DAF63", "72962B91-FA75-4AE6-8D28-B404DC7DAF63"]);
  make("ByteString", [Buffer.from("a"), Buffer.from("b")]);
  const arrays = { valueRank: 1, arrayDimensions: [3] };
  const temps = [new Float64Array([1, 2, 3]), new Float64Array([4, 5, 6])];
  make("Double", temps, { browseName: "Temps", ...arrays }, { arrayType: VariantArrayType.Array });
  make("String", [["a", "b", "c"], ["d", "e", "f"]], { browseName: "Names", ...arrays }, { arrayType: VariantArrayType.Array });
  make("Double", [7, 8], { browseName: "Flows[1]" });
  states(addressSpace, namespace, plant, history, access);
  const identifiers = { Numeric: "i=4711", Strange: "s=a;b=c / d[3]", Guid2: "g=72962B91-FA75-4AE6-8D28-B404DC7DAF63", Opaque: "b=AQID/w==" };
  for (const [browseName, nodeId] of Object.entries(identifiers)) make("Double", [1, 2], { browseName, nodeId });
  const inner = namespace.addFolder(plant, { browseName: "Inner", nodeId: "s=Inner" });
  inner.addReference({ referenceType: "Organizes", nodeId: plant });
  const live = make("Double", [], { browseName: "Live" });
  live.minimumSamplingInterval = 0;
}

function states(addressSpace, namespace, plant, history, access) {
  const mode = namespace.addEnumerationType({
    browseName: "Mode",
    enumeration: [
      { displayName: "Manual", value: 0 },
      { displayName: "Auto", value: 1 },
      { displayName: "Cascade", value: 5 },
    ],
  });
  const step = namespace.addEnumerationType({ browseName: "Step", enumeration: ["Idle", "Fill", "Drain"] });
  const common = (browseName) => ({
    organizedBy: plant,
    browseName,
    nodeId: `s=${browseName}`,
    accessLevel: access,
    userAccessLevel: access,
  });
  history(namespace.addVariable({ ...common("Mode"), dataType: mode }), "Int32", [0, 5]);
  history(namespace.addVariable({ ...common("Step"), dataType: step }), "Int32", [2, 9]);
  const strings = namespace.addMultiStateDiscrete({ ...common("Valve"), enumStrings: ["Closed", "Open"], value: 0 });
  history(strings, "UInt32", [1, 0]);
  const enumValues = [
    { displayName: "Off", value: 10 },
    { displayName: "On", value: 20 },
  ];
  const values = namespace.addMultiStateValueDiscrete({ ...common("Fan"), dataType: "UInt32", enumValues, value: 10 });
  history(values, "UInt32", [20, 10]);
}

function many(addressSpace, namespace) {
  const plant = namespace.addFolder(addressSpace.rootFolder.objects, { browseName: "Plant", nodeId: "s=Plant" });
  let area;
  for (let at = 0; at < config.count; at++) {
    if (at % 500 === 0) area = namespace.addFolder(plant, { browseName: `Area${at / 500}`, nodeId: `s=Area${at / 500}` });
    namespace.addVariable({
      organizedBy: area,
      browseName: `Tag${at}`,
      nodeId: `s=Tag${at}`,
      dataType: "Double",
      value: { dataType: DataType.Double, value: at },
    });
  }
}

async function main() {
  const server = new OPCUAServer({
    host: "127.0.0.1",
    hostname: "127.0.0.1",
    port: config.port,
    securityPolicies: [SecurityPolicy.None],
    securityModes: [MessageSecurityMode.None],
    allowAnonymous: true,
    serverCapabilities: { minSupportedSampleRate: 0 }, // so that Plant/Live tells every change
  });
  await server.initialize();
  const addressSpace = server.engine.addressSpace;
  const namespace = addressSpace.registerNamespace("urn:plant:node");
  ({ types, many })[config.scene](addressSpace, namespace);
  await server.start();
  readline.createInterface({ input: process.stdin }).on("line", (line) => {
    const { value, time_ms: timeMs } = JSON.parse(line);
    const variable = addressSpace.findNode(`ns=${namespace.index};s=Live`);
    variable.setValueFromSource({ dataType: DataType.Double, value }, StatusCodes.Good, new Date(timeMs));
    console.log(JSON.stringify({ path: "Plant/Live", time_ms: timeMs }));
  });
  process.stdin.on("end", () => process.exit(0));
  console.log("ready");
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
