"""Security against o6 (open62541): our client at its server with each kind of user, its client at our server.

o6 is proprietary and no dependency: without it (`pip install o6==2.2.0`) these tests are skipped.
"""

import asyncio
import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tagsight_connectors.connection import Connection
from tagsight_connectors.errors import AccessRefused
from tagsight_connectors.opcua.certificates import ensure_certificate
from tagsight_connectors.opcua.client import open_opcua
from tagsight_connectors.opcua.memory_source import MemorySource
from tagsight_connectors.opcua.server import TagServer
from tagsight_connectors.opcua.server_settings import ServerSettings
from tagsight_connectors.opcua.session import own_certificate
from tagsight_connectors.opcua.trust import TrustList
from tagsight_connectors.serving import ServedVariable, UserRole
from tests.connectors.opcua.served_plant import RealClock
from tests.interop.foreign import free_port

pytestmark = [
    pytest.mark.interop,
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("o6") is None,
        reason="o6 is not installed (proprietary, optional: pip install o6==2.2.0)",
    ),
]

SCRIPT = Path(__file__).parent / "o6_secure.py"
URI = "urn:plant:o6"
POLICIES = ("Aes256_Sha256_RsaPss", "Basic256Sha256", "Aes128_Sha256_RsaOaep")
MODES = {"SignAndEncrypt": "SIGN_AND_ENCRYPT", "Sign": "SIGN"}
DEADLINE_S = 60.0


def written(folder: Path, config: dict[str, Any]) -> str:
    file = folder / "config.json"
    file.write_text(json.dumps(config), encoding="utf-8")
    return str(file)


@contextmanager
def o6_server(folder: Path, users: str) -> Iterator[Connection]:
    """Its server with one kind of user, and how that user connects."""
    own = ensure_certificate(folder / "o6", "o6", URI, ["127.0.0.1", "localhost"])
    user = ensure_certificate(folder / "users", "tagsight-user", "urn:plant:user", [])
    port, certificates = free_port(), folder / "certificates"
    TrustList(certificates).add(own.certificate)
    kinds: dict[str, dict[str, Any]] = {
        "anonymous": {"anonymous": True},
        "name": {"user": "tagsight", "password": "secret of the plant"},
        "certificate": {"user_certificate": user.certificate, "user_key": user.key},
    }
    connection = Connection(f"opc.tcp://127.0.0.1:{port}", certificates=certificates, timeout_s=20.0, **kinds[users])
    config = {
        "port": port,
        "certificate": str(own.certificate),
        "key": str(own.key),
        "applicationUri": URI,
        "trust": [str(own_certificate(connection).certificate), str(user.certificate)],
        "users": users,
        "user": "tagsight",
        "password": "secret of the plant",
        "userCertificate": str(user.certificate),
    }
    command = [sys.executable, str(SCRIPT), "serve", written(folder, config)]
    with (folder / "log.txt").open("w") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    with process:
        try:
            assert process.stdout is not None
            if "ready" not in map(str.strip, process.stdout):
                pytest.fail(f"o6 did not start:\n{(folder / 'log.txt').read_text()[-2_000:]}")
            yield connection
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("users", "shown"),
    [
        ("anonymous", "anonymous"),
        ("name", "user tagsight"),
        ("certificate", "user certificate tagsight-user.der"),
    ],
)
async def test_our_client_signs_in_at_o6_as(tmp_path: Path, users: str, shown: str) -> None:
    with o6_server(tmp_path, users) as connection:
        historian = open_opcua(connection)
        try:
            await historian.connect()
            assert (await historian.describe()).security == f"Aes256_Sha256_RsaPss SignAndEncrypt, {shown}"
            (sample,) = await historian.read_current([f"nsu={URI};s=Plant/Speed"])
            assert sample.value == 42.0
        finally:
            await historian.close()


async def test_nobody_is_anonymous_at_o6_where_it_takes_names(tmp_path: Path) -> None:
    with o6_server(tmp_path, "name") as known:
        anybody = Connection(known.url, anonymous=True, certificates=known.certificates, timeout_s=20.0)
        with pytest.raises(AccessRefused, match="the server takes user names"):
            await open_opcua(anybody).connect()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("policy", POLICIES)
async def test_a_client_by_o6_signs_in_at_our_server(tmp_path: Path, policy: str, mode: str) -> None:
    certificates = tmp_path / "certificates"
    hmi = ensure_certificate(tmp_path / "hmi", "hmi", "urn:plant:hmi", ["127.0.0.1", "localhost"])
    TrustList(certificates).add(hmi.certificate)
    settings = ServerSettings("127.0.0.1", 0, certificates, "urn:tagsight:server", poll_s=0, sign=mode == "Sign")
    source = MemorySource([ServedVariable("Plant/Speed", "Plant/Speed")])
    known = {("olga", "olga-secret"): UserRole.OPERATOR}
    async with TagServer(source, settings, lambda user, word: known.get((user, word)), RealClock()) as server:
        config = {
            "url": server.url,
            "certificate": str(hmi.certificate),
            "key": str(hmi.key),
            "applicationUri": hmi.application_uri,
            "trust": [str(server.certificate.certificate)],
            "policy": f"http://opcfoundation.org/UA/SecurityPolicy#{policy}",
            "mode": MODES[mode],
            "user": "olga",
            "password": "olga-secret",
            "node": "i=2261",
        }
        command = [sys.executable, str(SCRIPT), "visit", written(tmp_path, config)]
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        said, _ = await asyncio.wait_for(process.communicate(), DEADLINE_S)
        assert b"value" in said, said.decode()[-2_000:]
