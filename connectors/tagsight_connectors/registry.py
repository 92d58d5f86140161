"""Which connector opens which URL: one typed dict; other packages add to it by the same door (entry points)."""

from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from tagsight_connectors.connection import Connection
from tagsight_connectors.errors import Unsupported
from tagsight_connectors.historian import Historian

Opener: TypeAlias = Callable[[Connection], Historian]
"""Makes a historian for a connection. It connects to nothing yet: that is `Historian.connect`."""

ENTRY_POINTS: Final = "tagsight.connectors"
"""Group of entry points: the name is the scheme, the object an `Opener`."""


# The imports stand inside, so that each foreign library is loaded only by who connects to that kind of historian.
def _open_opcua(connection: Connection) -> Historian:
    from tagsight_connectors.opcua.client import open_opcua  # noqa: PLC0415 - asyncua takes 0.4 s to import

    return open_opcua(connection)


def _open_file(connection: Connection) -> Historian:
    from tagsight_connectors.file.historian import open_file  # noqa: PLC0415 - pandas and pyarrow likewise

    return open_file(connection)


def _open_memory(connection: Connection) -> Historian:
    from tagsight_connectors.memory.historian import open_memory  # noqa: PLC0415 - as the others

    return open_memory(connection)


BUILT_IN: Final[Mapping[str, Opener]] = {
    "opc.tcp": _open_opcua,
    "file": _open_file,
    "memory": _open_memory,
}


def openers() -> Mapping[str, Opener]:
    """Every known scheme with its opener. A package that brings a built-in scheme does not replace ours."""
    foreign: dict[str, Opener] = {point.name: _late(point) for point in entry_points(group=ENTRY_POINTS)}
    return {**foreign, **BUILT_IN}


def open_historian(connection: Connection) -> Historian:
    """The historian of a URL, not connected yet. Raises Unsupported, naming the known schemes."""
    scheme = urlsplit(connection.url).scheme
    known = openers()
    if scheme not in known:
        raise Unsupported(
            what=f"{connection.url!r}: the scheme {scheme!r}",
            mend=f"A historian's URL begins with one of: {', '.join(f'{name}:' for name in sorted(known))}",
        )
    return known[scheme](connection)


def _late(point: EntryPoint) -> Opener:
    def open_foreign(connection: Connection) -> Historian:
        opener: Opener = point.load()
        return opener(connection)

    return open_foreign
