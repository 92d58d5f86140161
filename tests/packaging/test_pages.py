"""Links of the pages that the bundle carries, which stand there at the same place as here."""

import re
from pathlib import Path

import bundle
import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *(page for part in bundle.COPIED for page in sorted((ROOT / part).rglob("*.md")))]


@pytest.mark.parametrize("page", [pytest.param(page, id=str(page.relative_to(ROOT))) for page in PAGES])
def test_every_link_to_a_file_leads_to_one(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []
