"""A peer cannot fill the log."""

import logging

import pytest

from tagsight_connectors.opcua.quiet_logs import RateFilter, quieten, unquieten


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
