"""Whatever a file says, a check ends with a plan or with faults that have a cause and a mend."""

import json
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tagsight.configuration import check_text

KEYS = st.sampled_from([
    "timezone", "historian", "historians", "results", "templates", "models", "retention", "url", "user",
    "security", "to", "address", "root", "listen", "name", "asset", "job", "inputs", "roles", "running", "train",
    "last", "from", "to", "every", "exclude", "limit", "score", "grid", "window", "alarm", "at_most", "latch",
    "template", "machines", "tag", "max_gap", "default", "speed", "{x}",
])  # fmt: skip
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8),
    st.sampled_from(["90d", "1m", "2 per month", "sun 03:30", "opc.tcp://a:1", "memory://a", "P101", "UTC", "health",
                     "2026-10-25 02:30", "9999-12-31", "0001-01-01", "{asset}", "{", "../x",
                     "write", "[a] > 1", "0.0.0.0:1"]),
)  # fmt: skip
TREES: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=25
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(KEYS, TREES, max_size=6))
def test_any_tree_of_settings_is_a_plan_or_faults_with_mends(tree: dict[str, Any]) -> None:
    checked = check_text(json.dumps(tree), Path("tagsight.yaml"))
    assert (checked.plan is None) == bool(checked.faults)
    assert all(fault.cause and fault.mend for fault in checked.faults)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(KEYS, TREES, max_size=6))
def test_any_model_is_a_plan_or_faults_with_mends(model: dict[str, Any]) -> None:
    whole = {
        "timezone": "Europe/Berlin",
        "historian": {"url": "memory://a"},
        "models": [{"name": "A", "asset": "B", "inputs": ["x"]} | model],
    }
    checked = check_text(json.dumps(whole), Path("tagsight.yaml"))
    assert (checked.plan is None) == bool(checked.faults)
    assert all(fault.cause and fault.mend for fault in checked.faults)
