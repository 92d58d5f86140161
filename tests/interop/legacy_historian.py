"""A historian by the deprecated `opcua` package: `python legacy_historian.py CONFIG.json`.

CONFIG, the lines that it reads and those that it prints are those of node_historian.js, and one setting more:
`unencrypted`, for an endpoint without security beside the one with SignAndEncrypt, both for anybody.
"""

import datetime as dt
import json
import logging
import sys
from pathlib import Path
from typing import Any

from opcua import Server, ua
from opcua.server.history import HistoryDict

EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - this package knows only times without zone
EMPTY = {"Double": 0.0, "Int32": 0, "String": "", "Boolean": False}


class Archive(HistoryDict):
    """The package's own history in memory; it begins with what was recorded before, and says what it keeps since."""

    def __init__(self, past: dict[Any, list[Any]]) -> None:
        super().__init__()
        self._past = past

    def new_historized_node(self, node_id: Any, period: Any, count: int = 0) -> None:
        super().new_historized_node(node_id, period, count)
        self._datachanges[node_id] += self._past.pop(node_id)

    def save_node_value(self, node_id: Any, value: Any) -> None:
        kept = self._datachanges[node_id]
        if value.SourceTimestamp is None or (kept and kept[-1] is value):
            return  # every subscription begins with the value that is there already
        super().save_node_value(node_id, value)
        time_ms = (value.SourceTimestamp - EPOCH) // dt.timedelta(milliseconds=1)
        print(json.dumps({"path": node_id.Identifier, "time_ms": time_ms}), flush=True)  # noqa: T201 - to the test


class Plant:
    """Folders and historized tags below Objects."""

    def __init__(self, server: Server, index: int) -> None:
        self._server = server
        self._index = index
        self._folders: dict[str, Any] = {"": server.nodes.objects}
        self._past: dict[Any, list[Any]] = {}
        self._types: dict[str, str] = {}
        self._variables: list[Any] = []

    def add(self, tag: dict[str, Any]) -> None:
        above, _, name = tag["path"].rpartition("/")
        kind = tag.get("type", "Double")
        empty = ua.Variant(EMPTY[kind], ua.VariantType[kind])
        variable = self._folder(above).add_variable(self._node(tag["path"]), self._name(name), empty)
        text = ua.Variant(ua.LocalizedText(tag.get("description", "")))
        variable.set_attribute(ua.AttributeIds.Description, ua.DataValue(text))
        if "low" in tag:
            self._add_range(variable, tag)
        if tag["writable"]:
            variable.set_writable()
        bad = set(tag["bad"])
        past = [
            data_value(kind, value, tag["start_ms"] + at * tag["step_ms"], is_bad=at in bad)
            for at, value in enumerate(tag["values"])
        ]
        waiting = ua.StatusCode(ua.StatusCodes.BadWaitingForInitialData)
        newest = past[-1] if past else ua.DataValue(ua.Variant(None), waiting)
        self._server.iserver.set_attribute_value(variable.nodeid, newest)
        self._past[variable.nodeid] = past
        self._types[tag["path"]] = kind
        self._variables.append(variable)

    def historize(self) -> None:
        self._server.iserver.history_manager.set_storage(Archive(self._past))
        self._server.historize_node_data_change(self._variables, period=None, count=0)

    def set(self, path: str, value: Any, time_ms: int) -> None:
        """A new value, as from a sensor; an equal one is no change, so this package keeps no history of it."""
        live = data_value(self._types[path], value, time_ms, is_bad=False)
        self._server.iserver.set_attribute_value(self._node(path), live)

    def _folder(self, path: str) -> Any:
        if path not in self._folders:
            above, _, name = path.rpartition("/")
            self._folders[path] = self._folder(above).add_folder(self._node(path), self._name(name))
        return self._folders[path]

    def _add_range(self, variable: Any, tag: dict[str, Any]) -> None:
        eu_range, unit = ua.Range(), ua.EUInformation()
        eu_range.Low, eu_range.High = float(tag["low"]), float(tag["high"])
        unit.DisplayName = ua.LocalizedText(tag.get("unit", ""))
        for name, value in (("EURange", eu_range), ("EngineeringUnits", unit)):
            variable.add_property(self._node(f"{tag['path']}.{name}"), ua.QualifiedName(name, 0), value)

    def _node(self, path: str) -> Any:
        return ua.NodeId(path, self._index)

    def _name(self, name: str) -> Any:
        return ua.QualifiedName(name, self._index)


def data_value(kind: str, value: Any, time_ms: int, *, is_bad: bool) -> Any:
    status = ua.StatusCodes.BadSensorFailure if is_bad else ua.StatusCodes.Good
    time = EPOCH + dt.timedelta(milliseconds=time_ms)
    variant = ua.Variant(value, ua.VariantType[kind])
    return ua.DataValue(variant, ua.StatusCode(status), sourceTimestamp=time, serverTimestamp=time)


def main(config: dict[str, Any]) -> None:
    server = Server()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{config['port']}")
    server.set_application_uri(config["applicationUri"])
    server.load_certificate(config["certificate"])
    server.load_private_key(config["key"])
    policies = [ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt]
    server.set_security_policy([*policies, ua.SecurityPolicyType.NoSecurity] if config["unencrypted"] else policies)
    if config["unencrypted"]:
        server.set_security_IDs(["Anonymous"])
    known = (config["user"], config["password"])
    server.user_manager.set_user_manager(lambda _session, user, password: (user, password) == known)
    plant = Plant(server, server.register_namespace("urn:plant:legacy"))
    for tag in config["tags"]:
        plant.add(tag)
    server.start()
    plant.historize()
    print("ready", flush=True)  # noqa: T201 - what the test waits for
    for line in sys.stdin:  # never outlives the test that started it
        live = json.loads(line)
        plant.set(live["path"], live["value"], live["time_ms"])
    server.stop()


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
