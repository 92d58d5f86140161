"""Passwords and keys are in no log, no error and no traceback, also where the library tells everything it does."""

import logging
import traceback
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from tagsight_connectors.connection import MessageSecurity
from tagsight_connectors.errors import HistorianError
from tagsight_connectors.opcua.client import open_opcua
from tests.connectors.opcua.plant_server import connection, free_port, plant_server, trust_the_server

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = "h1dden-s3cret"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def plant(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[int, Path]]:
    port, folder = free_port(), tmp_path_factory.mktemp("plant")
    async with plant_server(port, folder, values=1):
        trust_the_server(folder)
        yield port, folder


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="wrong-password"),
        pytest.param({"url": "opc.tcp://127.0.0.1:1"}, id="nobody-listens"),
        pytest.param({"security": MessageSecurity.NONE}, id="no-security"),
        pytest.param({"user": ""}, id="no-user"),
        pytest.param({"certificates": None}, id="no-certificates"),
        pytest.param({"user_certificate": Path(__file__), "user_key": Path(__file__)}, id="no-user-certificate"),
    ],
)
async def test_a_password_is_in_no_log_and_no_error(
    plant: tuple[int, Path], caplog: pytest.LogCaptureFixture, changes: dict[str, object]
) -> None:
    caplog.set_level(logging.DEBUG)
    port, folder = plant
    historian = open_opcua(replace(connection(port, folder, password=SECRET), **changes))  # type: ignore[arg-type]
    with pytest.raises(HistorianError) as refusal:
        await historian.connect()
    told = "".join(traceback.format_exception(refusal.value)) + repr(refusal.value) + repr(vars(refusal.value))
    assert SECRET not in told + caplog.text + repr(historian)


async def test_a_password_that_is_right_is_in_no_log_either(
    plant: tuple[int, Path], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    port, folder = plant
    historian = open_opcua(connection(port, folder))
    await historian.connect()
    await historian.close()
    assert "secret" not in caplog.text
    assert "PRIVATE KEY" not in caplog.text
    assert "asyncua" in caplog.text  # it did tell everything else
