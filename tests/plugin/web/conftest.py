"""A small plant, and the pages in front of it: without NiceGUI in this process, and whole in a server of its own."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from argon2 import PasswordHasher

from tagsight.clocks import SetClock, SystemClock
from tagsight.plan import WebPlan
from tagsight.users import Users
from tagsight.web.application import own_routes
from tagsight.web.gate import Gate
from tagsight.web.process import serve
from tagsight.web.site import Site
from tagsight.web.start import Start
from tagsight_connectors.serving import UserRole
from tagsight_models.frame import Role
from tests.plugin.web.chromium import Browser, chromium
from tests.plugin.web.small_plant import SmallPlant, calm, past, rising

HMI = "https://hmi01:8043"
PASSWORDS = {"olga": "operator-pass", "emil": "engineer-pass", "ada": "admin-password"}
ROLES = {"olga": UserRole.OPERATOR, "emil": UserRole.ENGINEER, "ada": UserRole.ADMIN}
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
NOW = 1_790_000_000_000_000_000
HERE = "http://127.0.0.1:8443"

ODD_ROLES = (Role("<img src=x onerror=attacked=1>", unit="<b>"), Role("{{ 7 * 7 }} ${alert(1)}"))

CONFIGURATION = """
timezone: UTC
historian: {url: "opc.tcp://127.0.0.1:4999", user: tagsight}
web: {frames: ["https://hmi01:8043"]}
models:
  - {name: Health, asset: P101, inputs: ["P101/*"], score: {every: 1m}}
"""


@dataclass
class Pages:
    """The pages of one plant in this process, without NiceGUI; `client` is one browser."""

    plant: SmallPlant
    site: Site
    clock: SetClock
    client: httpx.AsyncClient

    async def sign_in(self, user: str = "olga") -> httpx.Response:
        """With the right password."""
        return await self.client.post(
            "/sign-in", data={"user": user, "password": PASSWORDS[user]}, headers={"Origin": HERE}
        )

    async def key(self, user: str = "olga") -> dict[str, str]:
        """Headers of a faceplate's session."""
        told = await self.client.post("/api/session", data={"user": user, "password": PASSWORDS[user]})
        return {"Authorization": f"Bearer {told.json()['key']}"}

    def audited(self) -> list[tuple[str, str]]:
        """Who and what, after the service has looked."""
        self.plant.serve()
        return [(one.who, one.what) for one in self.plant.ledger.audit_entries()]


def add_users(users: Users) -> None:
    users.hasher = QUICK
    for name, password in PASSWORDS.items():
        users.add(name, password, ROLES[name])


@pytest.fixture
async def pages(tmp_path: Path) -> AsyncIterator[Pages]:
    """P101 in alarm, P102 normal, at a time that stands still."""
    clock = SetClock(NOW)
    plant = SmallPlant(tmp_path / "data", clock, clock.now_ns, start_ns=past(60, NOW))
    plant.score(rising(60))
    plant.score(calm(60), "P102")
    site = Site(plant.data, WebPlan(frames=(HMI,)), clock, plant.inbox)
    add_users(site.users)
    transport = httpx.ASGITransport(Gate(own_routes(site), site, secure=False), client=("10.0.0.7", 1))
    async with httpx.AsyncClient(transport=transport, base_url=HERE) as client:
        yield Pages(plant, site, clock, client)
    site.close()
    plant.close()


@dataclass
class Served:
    """The whole pages at an address of this machine, and the plant behind them."""

    url: str
    plant: SmallPlant
    file: Path

    def client(self, user: str = "") -> httpx.Client:
        """A browser without eyes, signed in where a user is named."""
        client = httpx.Client(base_url=self.url, timeout=60.0)
        if user:
            given = {"user": user, "password": PASSWORDS[user]}
            assert client.post("/sign-in", data=given, headers={"Origin": self.url}).status_code == 303
        return client


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for all tests, in a thread, in real time."""
    folder, clock = tmp_path_factory.mktemp("pages"), SystemClock()
    plant = SmallPlant(
        folder / "data", clock, clock.now_ns, ("P101", "P102", "K301"), start_ns=past(60, clock.now_ns())
    )
    plant.score(rising(60))
    plant.score(calm(60), "P102")
    plant.score([*calm(50), *[None] * 10], "K301")
    odd = SmallPlant(plant.folder, clock, clock.now_ns, ("Odd",), ODD_ROLES, start_ns=plant.start_ns)
    odd.score(rising(20), "Odd")
    odd.close()
    add_users(Users(plant.data.users))
    file = folder / "tagsight.yaml"
    file.write_text(CONFIGURATION, encoding="utf-8")
    stop, loop, ready = asyncio.Event(), asyncio.new_event_loop(), threading.Event()
    told: list[str] = []

    def tell(address: str, _link: str) -> None:
        told.append(address)
        ready.set()

    start = Start(plant.data.root, WebPlan(listen_port=0, frames=(HMI,)), file)
    thread = threading.Thread(target=lambda: loop.run_until_complete(serve(start, stop, tell)))
    thread.start()
    assert ready.wait(120.0)
    yield Served(told[0], plant, file)
    loop.call_soon_threadsafe(stop.set)
    thread.join(60.0)
    loop.close()
    plant.close()


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    """A real one."""
    if chromium() is None:
        pytest.skip("no chromium here: `apt-get install chromium`")
    folder = tmp_path / "browser"
    folder.mkdir()
    with Browser(folder) as found:
        yield found
