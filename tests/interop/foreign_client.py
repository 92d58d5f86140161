"""An HMI that somebody else wrote (node-opcua), started as a process of its own, connected to a server of ours."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tagsight_connectors.opcua.certificates import ensure_certificate
from tagsight_connectors.opcua.trust import TrustList

HERE = Path(__file__).parent
CLIENT_URI = "urn:plant:hmi"
DEADLINE_S = 60.0

Alarm = Mapping[str, Any]


@dataclass
class ForeignClient:
    """A connected client; see node_client.js."""

    process: asyncio.subprocess.Process
    alarms: list[Alarm] = field(default_factory=list)
    _answers: dict[int, "asyncio.Future[Any]"] = field(default_factory=dict)
    _numbers: "count[int]" = field(default_factory=count)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def ask(self, what: str, **arguments: Any) -> Any:
        """The answer to one command."""
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        assert self.process.stdin is not None
        self.process.stdin.write((json.dumps({"id": number, "do": what, **arguments}) + "\n").encode())
        return await asyncio.wait_for(answer, DEADLINE_S)

    async def heard(self, wanted: Callable[[Alarm], bool]) -> Alarm:
        """The newest state of an alarm, as soon as it is as wanted."""
        async with self._changed:
            await asyncio.wait_for(
                self._changed.wait_for(lambda: bool(self.alarms) and wanted(self.alarms[-1])), DEADLINE_S
            )
            return self.alarms[-1]

    async def listen(self) -> None:
        """Take what the process says, until it ends."""
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            if line.startswith(b"{"):
                await self._take(json.loads(line))

    async def _take(self, said: dict[str, Any]) -> None:
        if "alarm" in said:
            async with self._changed:
                self.alarms.append(said["alarm"])
                self._changed.notify_all()
        elif "error" in said:
            self._answers.pop(said["id"]).set_exception(RuntimeError(said["error"]))
        else:
            self._answers.pop(said["id"]).set_result(said["answer"])


@asynccontextmanager
async def node_client(
    node_modules: Path,
    folder: Path,
    url: str,
    server: Path,
    *,
    user: str = "",
    password: str = "",
    certificates: Path,
    **settings: str,
) -> AsyncIterator[ForeignClient]:
    """A node-opcua client with a user, or with `userCertificate` and `userKey`.

    With SignAndEncrypt, or as `settings` (of node_client.js) have it; `certificates` of our server trusts it before it
    comes.
    """
    own = ensure_certificate(folder / "hmi", "hmi", CLIENT_URI, ["127.0.0.1", "localhost"])
    TrustList(certificates).add(own.certificate)
    pem = own.certificate.with_suffix(".crt")
    pem.write_bytes(x509.load_der_x509_certificate(own.certificate.read_bytes()).public_bytes(Encoding.PEM))
    config = {
        "url": url,
        "folder": str(folder / "hmi"),
        "certificatePem": str(pem),
        "key": str(own.key),
        "serverCertificate": str(server),
        "applicationUri": own.application_uri,
        "user": user,
        "password": password,
        **settings,
    }
    file, log = folder / "hmi" / "config.json", folder / "hmi" / "log.txt"
    file.write_text(json.dumps(config), encoding="utf-8")
    environment = {**os.environ, "NODE_PATH": str(node_modules), "NODEOPCUA_NO_WARNING": "1"}
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            "node", str(HERE / "node_client.js"), str(file), env=environment, stderr=errors,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=1 << 24,
        )  # fmt: skip
    try:
        if not await asyncio.wait_for(_ready(process), DEADLINE_S):
            pytest.fail(f"the HMI did not start:\n{log.read_text(encoding='utf-8')[-2_000:]}")
        client = ForeignClient(process)
        listening = asyncio.create_task(client.listen())
        yield client
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
    await listening


async def _ready(process: asyncio.subprocess.Process) -> bool:
    assert process.stdout is not None
    async for line in process.stdout:
        if line.strip() == b"ready":
            return True
    return False
