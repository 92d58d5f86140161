"""A peer cannot fill the log, and a refused connection says nothing beside its error."""

import logging
import socket

import pytest

from tagsight_connectors.connection import Connection, MessageSecurity
from tagsight_connectors.errors import NotConnected
from tagsight_connectors.opcua.client import OpcUaHistorian
from tagsight_connectors.opcua.quiet_logs import FROM_SERVERS, RateFilter, quieten, quieten_client, unquieten


def test_lines_of_one_kind_are_few_short_and_come_again_next_minute(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    rate = RateFilter(lambda: now[0], lines=3, characters=10)
    logger = logging.getLogger("asyncua.uaprotocol")
    quieten(rate)
    try:
        for _ in range(10):
            logger.warning("got %s", "x" * 1_000)
        now[0] = 61.0
        logger.warning("got %s", "x" * 1_000)
    finally:
        unquieten(rate)
    assert [record.getMessage() for record in caplog.records] == ["got xxxxxx"] * 4
    assert rate.suppressed == 7


async def test_a_refused_connection_is_an_error_and_no_line_of_the_library(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    url = f"opc.tcp://127.0.0.1:{port}"
    historian = OpcUaHistorian(Connection(url, anonymous=True, security=MessageSecurity.NONE))
    with pytest.raises(NotConnected):
        await historian.connect()
    assert caplog.records == []


@pytest.mark.parametrize("name", FROM_SERVERS)
def test_what_a_server_sends_makes_no_long_line(caplog: pytest.LogCaptureFixture, name: str) -> None:
    quieten_client()
    logger = logging.getLogger(name)
    logger.warning("ServiceFault: %s", "x" * 1_000_000)
    logger.error("while parsing", exc_info=ValueError("y" * 1_000_000))
    assert len(caplog.text) < 2_000
    assert "while parsing: ValueError: yyy" in caplog.text
