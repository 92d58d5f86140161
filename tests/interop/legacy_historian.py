"""A historian by the deprecated `opcua` package: `python legacy_historian.py PORT COUNT START_S`. Prints "ready"."""

import datetime as dt
import logging
import sys

from opcua import Server, ua

EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - this package knows only times without zone


def main(port: int, count: int, start_s: int) -> None:
    server = Server()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}")
    index = server.register_namespace("urn:plant:legacy")
    folder = server.nodes.objects.add_folder(ua.NodeId("Plant", index), ua.QualifiedName("Plant", index))
    speed = folder.add_variable(ua.NodeId("Plant/Speed", index), ua.QualifiedName("Speed", index), 0.0)
    target = folder.add_variable(ua.NodeId("Plant/Score", index), ua.QualifiedName("Score", index), 0.0)
    target.set_writable()
    server.start()
    server.historize_node_data_change(speed, period=None, count=0)
    for at in range(count):
        time = EPOCH + dt.timedelta(seconds=start_s + at)
        value = ua.DataValue(ua.Variant(float(at)))
        value.SourceTimestamp = time
        value.ServerTimestamp = time
        server.iserver.history_manager.storage.save_node_value(speed.nodeid, value)
    print("ready", flush=True)  # noqa: T201 - what the test waits for
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    main(*(int(each) for each in sys.argv[1:4]))
