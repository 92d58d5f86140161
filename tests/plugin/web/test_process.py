"""The pages' process: TLS, what keeps it from starting, and that it ends with the service."""

import asyncio
import datetime as dt
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tagsight.clocks import SystemClock
from tagsight.data_folder import DataFolder
from tagsight.errors import NotReady
from tagsight.plan import WebPlan
from tagsight.platform import WINDOWS
from tagsight.web.certificate import tls_files
from tagsight.web.kept import PagesProcess
from tagsight.web.start import Start


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path / "data")
    folder.create()
    return folder


def plant_certificate(folder: Path, days: int) -> WebPlan:
    """PEM files of a certificate that ends in so many days."""
    key, now = ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pages")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = builder.not_valid_before(now - dt.timedelta(days=900)).not_valid_after(now + dt.timedelta(days=days))
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "pages.crt").write_bytes(made.sign(key, hashes.SHA256()).public_bytes(pem))
    (folder / "pages.key").write_bytes(private)
    (folder / "pages.key").chmod(0o600)
    return WebPlan(certificate=str(folder / "pages.crt"), key=str(folder / "pages.key"))


def test_a_certificate_of_the_plant_is_used(tmp_path: Path, data: DataFolder) -> None:
    settings = plant_certificate(tmp_path, days=30)
    assert tls_files(settings, data, SystemClock()) == (Path(settings.certificate), Path(settings.key))


def test_an_expired_certificate_is_refused_with_the_number_of_days(tmp_path: Path, data: DataFolder) -> None:
    with pytest.raises(NotReady, match="expired 12 days ago"):
        tls_files(plant_certificate(tmp_path, days=-12), data, SystemClock())


@pytest.mark.skipif(WINDOWS, reason="file modes mean nothing there")
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, data: DataFolder) -> None:
    settings = plant_certificate(tmp_path, days=30)
    Path(settings.key).chmod(0o644)
    with pytest.raises(NotReady, match="others can read"):
        tls_files(settings, data, SystemClock())


@pytest.mark.parametrize("broken", ["certificate", "key", "swapped"])
def test_files_that_do_not_fit_are_refused_in_words(tmp_path: Path, data: DataFolder, broken: str) -> None:
    settings = plant_certificate(tmp_path, days=30)
    path = Path(settings.key if broken == "key" else settings.certificate)
    if broken == "swapped":
        settings = WebPlan(certificate=settings.key, key=settings.certificate)
    else:
        path.write_bytes(b"nothing")
    with pytest.raises(NotReady, match="cannot be used"):
        tls_files(settings, data, SystemClock())


async def test_it_serves_by_tls_with_its_own_certificate_and_tells_the_service_where(data: DataFolder) -> None:
    places: asyncio.Queue[str] = asyncio.Queue()
    troubles: list[str] = []
    start = Start(data.root, WebPlan(listen_port=0, certificate="own"))
    process = PagesProcess(data, start, SystemClock(), lambda _w, why: troubles.append(why), places.put_nowait)
    running = asyncio.create_task(process.run())
    async with asyncio.timeout(120.0):
        told = await places.get()
    address, _, first = told.partition(" ")
    assert address.startswith("https://127.0.0.1:")
    assert "first-link.txt" in first
    assert data.first_link.read_text().startswith(f"{address}/first?code=")
    trusted = ssl.create_default_context(cafile=str(data.certificates / "own" / "pages.crt"))
    reader, writer = await asyncio.open_connection("127.0.0.1", int(address.rpartition(":")[2]), ssl=trusted)
    writer.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    answer = (await reader.read()).decode()
    writer.close()
    assert "200 OK" in answer
    assert "strict-transport-security" in answer
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert troubles == []


def test_a_taken_port_is_told_in_words_and_the_end_of_the_service_ends_it(data: DataFolder) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        start = Start(data.root, WebPlan(listen_port=taken.getsockname()[1]))
        command = [sys.executable, "-m", "tagsight.web.process", str(data.root), start.text()]
        done = subprocess.run(command, stdin=subprocess.PIPE, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert done.stdout.startswith("failed the pages cannot listen at 127.0.0.1:")


def test_what_it_is_started_with_arrives_as_it_was() -> None:
    settings = WebPlan("0.0.0.0", 9443, "own", frames=("https://hmi:1", "http://b"), session_ns=5, plain_http=True)
    start = Start(Path("/data"), settings, Path("/etc/tagsight.yaml"), "de")
    assert Start.of("/data", start.text()) == start
