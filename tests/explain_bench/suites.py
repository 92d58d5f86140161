"""All suites by name; each is imported when it runs, so that one that is broken does not hide the others."""

from importlib import import_module
from typing import Final

from tests.accuracy.result import Suite

MODULES: Final[dict[str, str]] = {
    "equality": "tests.explain_bench.equality",
    "relative-error": "tests.explain_bench.relative_error",
    "speed": "tests.explain_bench.speed",
    "single-faults": "tests.explain_bench.single_faults",
    "tennessee": "tests.explain_bench.tennessee_causes",
}
THREADS: Final = {"speed": 2}
"""One thread but for these."""


def suite(name: str) -> Suite:
    """The suite of this name."""
    found: Suite = import_module(MODULES[name]).SUITE
    return found
