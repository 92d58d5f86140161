// A historian by node-opcua: `node node_historian.js CONFIG.json`, with node-opcua found through NODE_PATH.
//
// CONFIG: {port, folder, certificate (DER), certificatePem, key, user, password, applicationUri,
//          aggregates: true for aggregates,
//          policies, modes: what is offered, default Basic256Sha256 and SignAndEncrypt; anonymous: true for anybody too,
//          userCertificate: DER file of a certificate that is a user,
//          capabilities: its ServerCapabilities, such as operationLimits,
//          tags: [{path: "Plant/P101/Speed", type: "Double", unit, low, high, writable,
//                  start_ms, step_ms, values: [...], bad: [indexes]}]}
// Prints "ready" when it listens. Every line of stdin is {path, value, time_ms}: a new value; {service_level}: the
// server's ServiceLevel from now on, answered by {path: "ServiceLevel", time_ms: level}. Every line of stdout
// after "ready" is {path, time_ms}: a value, of stdin or written by a client, that the history has taken.
"use strict";

const fs = require("fs");
const path = require("path");
const readline = require("readline");
const {
  AggregateFunction,
  DataType,
  OPCUACertificateManager,
  OPCUAServer,
  MessageSecurityMode,
  SecurityPolicy,
  StatusCodes,
  Variant,
  addAggregateSupport,
  installAggregateConfigurationOptions,
} = require("node-opcua");

const config = JSON.parse(fs.readFileSync(process.argv[2], "utf-8"));

function folderOf(namespace, addressSpace, levels, folders) {
  if (levels.length === 0) return addressSpace.rootFolder.objects;
  const name = levels.join("/");
  if (!folders.has(name)) {
    folders.set(
      name,
      namespace.addFolder(folderOf(namespace, addressSpace, levels.slice(0, -1), folders), {
        browseName: levels[levels.length - 1],
        nodeId: `s=${name}`,
      }),
    );
  }
  return folders.get(name);
}

function addTag(namespace, addressSpace, folders, tag) {
  const levels = tag.path.split("/");
  const common = {
    organizedBy: folderOf(namespace, addressSpace, levels.slice(0, -1), folders),
    browseName: levels[levels.length - 1],
    nodeId: `s=${tag.path}`,
    dataType: tag.type || "Double",
    description: tag.description || "",
    accessLevel: "CurrentRead | HistoryRead" + (tag.writable ? " | CurrentWrite" : ""),
    userAccessLevel: "CurrentRead | HistoryRead" + (tag.writable ? " | CurrentWrite" : ""),
  };
  const analog = tag.low !== undefined;
  const variable = analog
    ? namespace.addAnalogDataItem({
        ...common,
        engineeringUnitsRange: { low: tag.low, high: tag.high },
        engineeringUnits: { namespaceUri: "", unitId: -1, displayName: tag.unit || "", description: "" },
      })
    : namespace.addVariable({ ...common });
  const values = tag.values || [];
  addressSpace.installHistoricalDataNode(variable, { maxOnlineValues: values.length + 100000 });
  const bad = new Set(tag.bad || []);
  values.forEach((value, at) => {
    const status = bad.has(at) ? StatusCodes.BadSensorFailure : StatusCodes.Good;
    set(variable, common.dataType, value, status, tag.start_ms + at * tag.step_ms);
  });
  variable.on("value_changed", ({ sourceTimestamp }) => {
    const timeMs = sourceTimestamp ? sourceTimestamp.getTime() : 0;
    console.log(JSON.stringify({ path: tag.path, time_ms: timeMs })); // the history's listener came first
  });
  return { variable, type: common.dataType };
}

function set(variable, type, value, status, timeMs) {
  variable.setValueFromSource({ dataType: DataType[type], value }, status, new Date(timeMs));
}

// Average and so on for every tag; Count is computed too, and not listed among what is supported.
function aggregate(addressSpace, variables) {
  const { Average, Interpolative, Minimum, Maximum } = AggregateFunction;
  addAggregateSupport(addressSpace, [Average, Interpolative, Minimum, Maximum]);
  const configuration = { treatUncertainAsBad: true, percentDataBad: 100, percentDataGood: 100 };
  for (const { variable } of variables.values()) installAggregateConfigurationOptions(variable, configuration);
}

async function main() {
  const certificates = new OPCUACertificateManager({
    automaticallyAcceptUnknownCertificate: true,
    rootFolder: path.join(config.folder, "pki"),
  });
  await certificates.initialize();
  const users = new OPCUACertificateManager({
    automaticallyAcceptUnknownCertificate: false,
    rootFolder: path.join(config.folder, "users"),
  });
  await users.initialize();
  if (config.userCertificate) await users.trustCertificate(fs.readFileSync(config.userCertificate));
  const server = new OPCUAServer({
    host: "127.0.0.1",
    hostname: "127.0.0.1",
    port: config.port,
    serverInfo: { applicationUri: config.applicationUri },
    certificateFile: config.certificatePem,
    privateKeyFile: config.key,
    serverCertificateManager: certificates,
    userCertificateManager: users,
    securityPolicies: (config.policies || ["Basic256Sha256"]).map((name) => SecurityPolicy[name]),
    securityModes: (config.modes || ["SignAndEncrypt"]).map((name) => MessageSecurityMode[name]),
    allowAnonymous: config.anonymous || false,
    serverCapabilities: config.capabilities || {},
    userManager: { isValidUser: (user, password) => user === config.user && password === config.password },
  });
  await server.initialize();
  const addressSpace = server.engine.addressSpace;
  const namespace = addressSpace.registerNamespace("urn:plant:node");
  const folders = new Map();
  const variables = new Map();
  for (const tag of config.tags) variables.set(tag.path, addTag(namespace, addressSpace, folders, tag));
  if (config.aggregates) aggregate(addressSpace, variables);
  let level = 255;
  const serviceLevel = addressSpace.findNode("ns=0;i=2267");
  serviceLevel.bindVariable({ get: () => new Variant({ dataType: DataType.Byte, value: level }) }, true);
  await server.start();
  readline.createInterface({ input: process.stdin }).on("line", (line) => {
    const { path: name, value, time_ms: timeMs, service_level: newLevel } = JSON.parse(line);
    if (newLevel !== undefined) {
      level = newLevel;
      console.log(JSON.stringify({ path: "ServiceLevel", time_ms: level }));
      return;
    }
    const { variable, type } = variables.get(name);
    set(variable, type, value, StatusCodes.Good, timeMs);
  });
  process.stdin.on("end", () => process.exit(0)); // never outlives the test that started it
  console.log("ready");
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
