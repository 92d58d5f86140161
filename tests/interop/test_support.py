"""The same is asked of every server at hand; docs/interop.md says what each one answers."""

from pathlib import Path

import pytest

from tests.interop.servers import COUNT
from tests.interop.support import SERVERS, Support, examined, missing, rows_of

PAGE = Path(__file__).parents[2] / "docs" / "interop.md"


@pytest.fixture(params=SERVERS)
async def found(request: pytest.FixtureRequest) -> tuple[str, Support]:
    name: str = request.param
    if why := missing(name):
        pytest.skip(why)
    modules = request.getfixturevalue("node_modules") if name == "node-opcua" else None
    return name, await examined(name, modules)


async def test_every_server_is_read_whole_its_aggregates_are_right_and_the_page_says_what_it_supports(
    found: tuple[str, Support],
) -> None:
    name, support = found
    assert support.values == COUNT
    assert support.wrong == ()
    assert support.unknown == "an error (UnknownTag)"
    assert rows_of(PAGE.read_text(encoding="utf-8"))[name] == support.row(name)
