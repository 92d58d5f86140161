import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest

from tagsight_connectors import registry
from tagsight_connectors.connection import Connection
from tagsight_connectors.errors import Unsupported
from tagsight_connectors.memory import MemoryHistorian


def open_elsewhere(connection: Connection) -> MemoryHistorian:
    return MemoryHistorian.named(connection.url)


def test_the_scheme_of_the_url_picks_the_connector() -> None:
    assert isinstance(registry.open_historian(Connection("memory://plant")), MemoryHistorian)


@pytest.mark.parametrize("url", ["ftp://plant", "plant.csv", ""], ids=["ftp", "no-scheme", "empty"])
def test_an_unknown_scheme_is_an_error_that_names_the_known_ones(url: str) -> None:
    with pytest.raises(Unsupported) as raised:
        registry.open_historian(Connection(url))
    assert "opc.tcp:" in raised.value.mend
    assert "file:" in raised.value.mend


def test_another_package_adds_a_scheme_by_an_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("pi", f"{__name__}:open_elsewhere", registry.ENTRY_POINTS)
    monkeypatch.setattr(EntryPoint, "load", lambda _self: open_elsewhere)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point] if group == registry.ENTRY_POINTS else [])
    assert isinstance(registry.open_historian(Connection("pi://server")), MemoryHistorian)


def test_a_foreign_package_cannot_replace_a_built_in_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("opc.tcp", f"{__name__}:open_elsewhere", registry.ENTRY_POINTS)
    monkeypatch.setattr(registry, "entry_points", lambda **_: [point])
    assert registry.openers()["opc.tcp"] is registry.BUILT_IN["opc.tcp"]


def test_opening_a_memory_historian_imports_neither_pandas_nor_pyarrow_nor_asyncua() -> None:
    script = (
        "import sys; from tagsight_connectors.registry import open_historian as o;"
        "from tagsight_connectors.connection import Connection; o(Connection('memory://x'));"
        "print([m for m in ('pandas', 'pyarrow', 'asyncua', 'torch') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
