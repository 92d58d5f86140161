import json
import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from tagsight.commands.docs import generated_files
from tagsight.configuration import check_text
from tagsight.documentation import sample
from tagsight.specification import Configuration, Setting
from tagsight.validation import nested

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^ *```ya?ml\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
GENERATED = generated_files()


def blocks() -> Iterator[tuple[str, str]]:
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for number, block in enumerate(BLOCK.findall(page.read_text(encoding="utf-8")), start=1):
            if "models:" in block and "historian" in block:
                yield f"{page.relative_to(ROOT)}-{number}", dedent(block)


def settings(kind: type[Setting], seen: set[type[Setting]]) -> Iterator[tuple[str, str, object]]:
    seen.add(kind)
    for name, field in kind.model_fields.items():
        inner = nested(field)
        yield f"{kind.__name__}.{field.alias or name}", field.description or "", inner or field.examples
        if inner is not None and inner not in seen:
            yield from settings(inner, seen)


@pytest.mark.parametrize("name", sorted(GENERATED))
def test_a_generated_file_is_current(name: str) -> None:
    committed = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert committed == GENERATED[name], f"docs/{name} is old: run `tagsight docs`"


@pytest.mark.parametrize(("place", "block"), [pytest.param(place, block, id=place) for place, block in blocks()])
def test_every_configuration_in_the_documents_loads_without_fault(place: str, block: str) -> None:
    checked = check_text(block, ROOT / "docs" / "tagsight.yaml")
    assert not checked.faults, [str(fault) for fault in checked.faults]


def test_the_sample_loads_without_fault() -> None:
    checked = check_text(sample(), ROOT / "docs" / "sample.yaml")
    assert not checked.faults, [str(fault) for fault in checked.faults]


def test_every_setting_has_a_description_and_an_example_and_stands_in_the_sample() -> None:
    text = sample()
    for name, description, example in settings(Configuration, set()):
        assert description.endswith("."), name
        assert example is not None or name == "Configuration.templates", name
        assert re.search(rf"^[ #]*{name.rpartition('.')[2]}:", text, re.MULTILINE), name


def test_the_schema_says_what_people_write() -> None:
    schema = json.loads(GENERATED["tagsight.schema.json"])
    every = schema["$defs"]["Score"]["properties"]["every"]
    assert every["type"] == "string"
    assert every["default"] == "1m"
    assert re.fullmatch(every["pattern"], "1h30m")
    assert schema["$defs"]["Model"]["properties"]["machines"]["type"] == "string"
    assert schema["additionalProperties"] is False
