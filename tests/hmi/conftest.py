"""FUXA for the tests here, or the reason why there is none."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from platformdirs import user_cache_path

from tests.hmi.fuxa import Fuxa, install, running
from tests.plugin.web.chromium import Browser, chromium


@pytest.fixture(scope="session")
def fuxa_cache() -> Path:
    """FUXA, installed once into a cache outside the checkout (TAGSIGHT_HMI_CACHE)."""
    if chromium() is None:
        pytest.skip("chromium is needed to look at FUXA's pages")
    cache = Path(os.environ.get("TAGSIGHT_HMI_CACHE") or user_cache_path("tagsight-hmi"))
    reason = install(cache)
    if reason:
        pytest.skip(reason)
    return cache


@pytest.fixture
def fuxa(fuxa_cache: Path) -> Iterator[Fuxa]:
    """A running one."""
    with running(fuxa_cache) as found:
        yield found


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    """A page for it."""
    with Browser(tmp_path / "chromium", 1280, 800) as found:
        yield found


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where screenshots are kept (TAGSIGHT_PICTURES)."""
    return Path(os.environ.get("TAGSIGHT_PICTURES") or tmp_path / "pictures")
