// An HMI by node-opcua: `node node_client.js CONFIG.json`, with node-opcua found through NODE_PATH.
//
// CONFIG: {url, folder, certificatePem, key, serverCertificate (DER), applicationUri, user, password, or instead of
//          the user: userCertificate (DER), userKey,
//          policy, mode: default Basic256Sha256 and SignAndEncrypt}
// Prints "ready" when its session is active. Every line of stdin is {id, do, ...}: one of `commands` below; every line
// of stdout after "ready" is {id, answer} or {id, error}, or {alarm}: what node-opcua's own list of alarms now has.
"use strict";

const fs = require("fs");
const path = require("path");
const readline = require("readline");
const {
  AttributeIds,
  CallMethodRequest,
  DataType,
  HistoryReadRequest,
  MessageSecurityMode,
  OPCUACertificateManager,
  OPCUAClient,
  ReadRawModifiedDetails,
  SecurityPolicy,
  TimestampsToReturn,
  UserTokenType,
  Variant,
  coerceNodeId,
  installAlarmMonitoring,
  resolveNodeId,
} = require("node-opcua");

const config = JSON.parse(fs.readFileSync(process.argv[2], "utf-8"));
const say = (line) => console.log(JSON.stringify(line));

function nodeId(session, name) {
  const [, uri, identifier] = /^nsu=([^;]+);s=(.*)$/.exec(name) || [];
  return uri ? coerceNodeId(`ns=${session.getNamespaceIndex(uri)};s=${identifier}`) : resolveNodeId(name);
}

function plainAlarm(alarm) {
  const field = (name) => name.split(".").reduce((found, level) => found && found[level], alarm.fields);
  const value = (name) => {
    const found = field(name);
    return found && found.value !== undefined && found.value !== null ? found.value : null;
  };
  const text = (name) => (value(name) ? value(name).text : null);
  return {
    condition: alarm.conditionId.value,
    event: alarm.eventId.toString("hex"),
    type: alarm.eventType.toString(),
    source: value("sourceName"),
    name: value("conditionName"),
    message: text("message"),
    severity: value("severity"),
    retain: value("retain"),
    active: text("activeState"),
    active_id: value("activeState.id"),
    acked: text("ackedState"),
    confirmed: text("confirmedState"),
    shelving: text("shelvingState.currentState"),
    suppressedOrShelved: value("suppressedOrShelved"),
    quality: value("quality") ? value("quality").name : null,
    comment: text("comment"),
    user: value("clientUserId"),
    input: value("inputNode") ? value("inputNode").toString() : null,
  };
}

const plainData = (data) => ({
  value: data.value ? data.value.value : null,
  status: data.statusCode.value,
  time_ms: data.sourceTimestamp ? data.sourceTimestamp.getTime() : null,
});

async function readPage(session, command) {
  const time = (given) => (given === undefined ? undefined : new Date(given));
  const details = new ReadRawModifiedDetails({
    isReadModified: false,
    startTime: time(command.start_ms),
    endTime: time(command.end_ms),
    numValuesPerNode: command.most || 0,
    returnBounds: command.bounds || false,
  });
  const point = command.point ? Buffer.from(command.point, "hex") : undefined;
  const request = new HistoryReadRequest({
    historyReadDetails: details,
    nodesToRead: [{ nodeId: nodeId(session, command.node), continuationPoint: point }],
    releaseContinuationPoints: command.release || false,
    timestampsToReturn: TimestampsToReturn.Both,
  });
  const response = await session.historyRead(request);
  const [result] = response.results;
  return {
    status: result.statusCode.name,
    point: result.continuationPoint ? result.continuationPoint.toString("hex") : "",
    values: result.historyData && result.historyData.dataValues ? result.historyData.dataValues.map(plainData) : [],
  };
}

const commands = {
  async alarms({ session, state }) {
    state.list = await installAlarmMonitoring(session);
    state.list.on("alarmChanged", (alarm) => say({ alarm: plainAlarm(alarm) }));
    return state.list.alarms().length;
  },
  async acknowledge({ session }, command) {
    const event = Buffer.from(command.event, "hex");
    return (await session.acknowledgeCondition(nodeId(session, command.condition), event, command.comment)).name;
  },
  async confirm({ session }, command) {
    const event = Buffer.from(command.event, "hex");
    return (await session.confirmCondition(nodeId(session, command.condition), event, command.comment)).name;
  },
  async call({ session }, command) {
    const inputArguments = command.arguments.map(([type, value]) =>
      type === "ByteString"
        ? new Variant({ dataType: DataType.ByteString, value: Buffer.from(value, "hex") })
        : new Variant({ dataType: DataType[type], value: type === "LocalizedText" ? { text: value } : value }),
    );
    const methodId = resolveNodeId(command.method);
    const objectId = nodeId(session, command.condition);
    return (await session.call(new CallMethodRequest({ objectId, methodId, inputArguments }))).statusCode.name;
  },
  async history({ session }, command) {
    return await readPage(session, command);
  },
  // All values of many nodes, page by page, counted and not sent on: how fast this client reads.
  async pull({ session }, command) {
    const started = process.hrtime.bigint();
    let waiting = command.nodes.map((node) => ({ nodeId: nodeId(session, node), continuationPoint: null }));
    let count = 0;
    while (waiting.length) {
      const response = await session.historyRead(
        new HistoryReadRequest({
          historyReadDetails: new ReadRawModifiedDetails({
            startTime: new Date(command.start_ms),
            endTime: new Date(command.end_ms),
            numValuesPerNode: 0,
            isReadModified: false,
            returnBounds: false,
          }),
          nodesToRead: waiting,
          releaseContinuationPoints: false,
          timestampsToReturn: TimestampsToReturn.Source,
        }),
      );
      const going = [];
      response.results.forEach((result, at) => {
        count += result.historyData && result.historyData.dataValues ? result.historyData.dataValues.length : 0;
        if (result.continuationPoint && result.continuationPoint.length) {
          going.push({ nodeId: waiting[at].nodeId, continuationPoint: result.continuationPoint });
        }
      });
      waiting = going;
    }
    return { count, seconds: Number(process.hrtime.bigint() - started) / 1e9 };
  },
  // Subscribes; values from `least` on count as changes (those at the start are lower).
  async watch({ session, state }, command) {
    const subscription = await session.createSubscription2({
      requestedPublishingInterval: command.publishing_ms,
      requestedLifetimeCount: 1000,
      requestedMaxKeepAliveCount: 20,
      maxNotificationsPerPublish: 0,
      publishingEnabled: true,
      priority: 1,
    });
    Object.assign(state, { changes: 0, wanted: 0, reached: () => {} });
    for (let first = 0; first < command.nodes.length; first += 1000) {
      const items = command.nodes
        .slice(first, first + 1000)
        .map((node) => ({ nodeId: nodeId(session, node), attributeId: AttributeIds.Value }));
      const asked = { samplingInterval: 0, queueSize: 10, discardOldest: true };
      const group = await subscription.monitorItems(items, asked, TimestampsToReturn.Both);
      group.on("changed", (_item, data) => {
        state.changes += data.value.value >= command.least ? 1 : 0;
        if (state.changes >= state.wanted) state.reached();
      });
    }
    return command.nodes.length;
  },
  // Subscribes to one node; its values are kept in order, with status and source time.
  async monitor({ session, state }, command) {
    const subscription = await session.createSubscription2({
      requestedPublishingInterval: 50,
      requestedLifetimeCount: 1000,
      requestedMaxKeepAliveCount: 20,
      maxNotificationsPerPublish: 0,
      publishingEnabled: true,
      priority: 1,
    });
    Object.assign(state, { seen: [], wanted: 0, reached: () => {} });
    const item = { nodeId: nodeId(session, command.node), attributeId: AttributeIds.Value };
    const asked = { samplingInterval: 0, queueSize: 100, discardOldest: true };
    const monitored = await subscription.monitor(item, asked, TimestampsToReturn.Both);
    monitored.on("changed", (data) => {
      state.seen.push(plainData(data));
      if (state.seen.length >= state.wanted) state.reached();
    });
    return monitored.statusCode.name;
  },
  async seen({ state }, command) {
    state.wanted = command.count;
    if (state.seen.length < command.count) await new Promise((reached) => Object.assign(state, { reached }));
    return state.seen;
  },
  async write({ session }, command) {
    const value = { value: { dataType: DataType[command.type], value: command.value } };
    const asked = { nodeId: nodeId(session, command.node), attributeId: AttributeIds.Value, value };
    return (await session.write(asked)).name;
  },
  async changes({ state }, command) {
    state.wanted = command.count;
    if (state.changes < command.count) await new Promise((reached) => Object.assign(state, { reached }));
    return state.changes;
  },
  async read({ session }, command) {
    return plainData(await session.read({ nodeId: nodeId(session, command.node), attributeId: AttributeIds.Value }));
  },
  async browse({ session }, command) {
    const result = await session.browse({
      nodeId: nodeId(session, command.node),
      referenceTypeId: command.reference || "HierarchicalReferences",
      includeSubtypes: true,
      browseDirection: 0,
      nodeClassMask: 0,
      resultMask: 63,
    });
    return (result.references || []).map((one) => ({
      id: one.nodeId.toString(),
      name: one.browseName.name,
      namespace: session.getNamespaceArray ? session.getNamespaceArray()[one.browseName.namespaceIndex] : null,
      type: one.typeDefinition ? one.typeDefinition.toString() : null,
      reference: one.referenceTypeId.toString(),
    }));
  },
};

async function main() {
  const certificates = new OPCUACertificateManager({
    rootFolder: path.join(config.folder, "pki"),
    automaticallyAcceptUnknownCertificate: false,
  });
  await certificates.initialize();
  await certificates.trustCertificate(fs.readFileSync(config.serverCertificate));
  const client = OPCUAClient.create({
    applicationName: "HMI",
    applicationUri: config.applicationUri,
    certificateFile: config.certificatePem,
    privateKeyFile: config.key,
    clientCertificateManager: certificates,
    securityMode: MessageSecurityMode[config.mode || "SignAndEncrypt"],
    securityPolicy: SecurityPolicy[config.policy || "Basic256Sha256"],
    endpointMustExist: false,
    connectionStrategy: { maxRetry: 3, initialDelay: 200 },
  });
  await client.connect(config.url);
  const named = { type: UserTokenType.UserName, userName: config.user, password: config.password };
  const user = config.userCertificate
    ? {
        type: UserTokenType.Certificate,
        certificateData: fs.readFileSync(config.userCertificate),
        privateKey: fs.readFileSync(config.userKey, "utf-8"),
      }
    : named;
  const session = await client.createSession(user);
  await session.readNamespaceArray();
  const everything = { session, state: {} };
  console.log("ready");
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const command = JSON.parse(line);
    try {
      say({ id: command.id, answer: await commands[command.do](everything, command) });
    } catch (error) {
      say({ id: command.id, error: error.message });
    }
  }
  process.exit(0); // never outlives the test that started it
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
