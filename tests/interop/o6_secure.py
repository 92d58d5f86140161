"""o6 (open62541) with security: `python o6_secure.py serve CONFIG.json` or `... visit CONFIG.json`.

`serve`, CONFIG: {port, certificate, key, applicationUri, trust: [DER files], users: "anonymous", "name" or
"certificate", user, password}: a server with the variable `Plant/Speed`; prints "ready".
`visit`, CONFIG: {url, certificate, key, applicationUri, trust, policy, mode, user, password, node}: reads the node and
prints its value.
o6 without a licence ends its process after ten minutes.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import o6

TYPES = o6.ns0.datatypes if hasattr(o6, "ns0") else o6.ns.ns0.datatypes
KINDS = {"anonymous": "ANONYMOUS", "name": "USER_NAME", "certificate": "CERTIFICATE"}


class Users(o6.AccessControl):
    """One kind of user, and one user of it."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(anonymous=False, username=False)
        self.config = config
        kind = TYPES.UserTokenType[KINDS[config["users"]]]
        self.user_token_policies.append(TYPES.UserTokenPolicy(policyId=config["users"], tokenType=kind))

    def activateSession(self, endpoint: Any, remoteCertificate: bytes, session: Any, userIdentityToken: Any) -> Any:  # noqa: N802, N803, ARG002 - o6's signature
        known = {
            TYPES.AnonymousIdentityToken: lambda _token: self.config["users"] == "anonymous",
            TYPES.UserNameIdentityToken: self._named,
            TYPES.X509IdentityToken: self._certified,
        }
        if not known[type(userIdentityToken)](userIdentityToken):
            raise o6.StatusCodeError(o6.StatusCode.BAD_IDENTITY_TOKEN_REJECTED)

    def _named(self, token: Any) -> bool:
        password = bytes(token.password).decode()
        return (str(token.userName), password) == (self.config["user"], self.config["password"])

    def _certified(self, token: Any) -> bool:
        return bytes(token.certificateData) == Path(self.config["userCertificate"]).read_bytes()


async def serve(config: dict[str, Any]) -> None:
    """Until the process is killed."""
    server = o6.Server(
        port=config["port"],
        certificate=config["certificate"],
        privateKey=config["key"],
        trustList=config["trust"],
        applicationUri=config["applicationUri"],
        accessControl=Users(config),
    )
    await server.addVariable("Speed", server.objectsNode, 42.0, nodeId="ns=1;s=Plant/Speed")
    async with server:
        print("ready", flush=True)  # noqa: T201 - to the test
        await asyncio.Event().wait()


async def visit(config: dict[str, Any]) -> None:
    """Read one node."""
    client = o6.Client(
        config["url"],
        certificate=config["certificate"],
        privateKey=config["key"],
        trustList=config["trust"],
        applicationUri=config["applicationUri"],
        securityMode=int(TYPES.MessageSecurityMode[config["mode"]]),
        securityPolicy=config["policy"],
        username=config["user"],
        password=config["password"],
    )
    async with client:
        value = await client.read(config["node"])
        print(f"value {value}", flush=True)  # noqa: T201 - to the test


if __name__ == "__main__":
    given = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    asyncio.run({"serve": serve, "visit": visit}[sys.argv[1]](given))
