"""Tags as a tree that is opened folder by folder."""

from hypothesis import given
from hypothesis import strategies as st

from tagsight.tag_tree import Folder, TagTree
from tagsight_connectors.tag import Tag

TAGS = [
    Tag("a1", "Plant/P101/Speed", description="of the motor"),
    Tag("a2", "Plant/P101/Flow"),
    Tag("a3", "Plant/P102/Speed"),
    Tag("a4", "Plant"),
    Tag("a5", "Utilities/Steam"),
]


def test_a_folder_shows_its_folders_first_and_then_its_own_tags() -> None:
    shown = TagTree(TAGS).folder("", 0, 10)
    assert shown.folders == (Folder("Plant", 3), Folder("Utilities", 1))
    assert [tag.address for tag in shown.tags] == ["a4"]
    below = TagTree(TAGS).folder("Plant/P101", 0, 10)
    assert [tag.name for tag in below.tags] == ["Flow", "Speed"]
    assert TagTree(TAGS).folder("Nowhere", 0, 10).total == 0


def test_words_are_looked_for_in_path_and_description_and_a_pattern_is_a_pattern() -> None:
    tree = TagTree(TAGS)
    assert [tag.address for tag in tree.search("speed p10", 0, 9).tags] == ["a1", "a3"]
    assert [tag.address for tag in tree.search("MOTOR", 0, 9).tags] == ["a1"]
    assert [tag.address for tag in tree.search("Plant/*/Speed", 0, 9).tags] == ["a1", "a3"]


def test_of_a_hundred_thousand_tags_a_page_is_what_a_page_holds() -> None:
    tree = TagTree([Tag(f"t{n}", f"Plant/Area{n // 1000:03}/Tag{n:06}") for n in range(100_000)])
    shown = tree.folder("Plant", 90, 20)
    assert (shown.total, len(shown.folders), shown.folders[0].tags) == (100, 10, 1_000)
    found = tree.search("tag0999", 10, 20)
    assert (found.total, len(found.tags)) == (100, 20)


_NAMES = st.sampled_from(["A", "B", "C", "", "A B"])
_PATHS = st.lists(st.lists(_NAMES, min_size=1, max_size=4).map("/".join), max_size=12)


@given(_PATHS, st.integers(1, 5))
def test_page_by_page_each_tag_is_found_once(paths: list[str], count: int) -> None:
    tags = [Tag(f"t{number}", path) for number, path in enumerate(paths)]
    tree = TagTree(tags)
    total = tree.folder("", 0, 1).total
    pages = [tree.folder("", first, count) for first in range(0, total, count)]
    own = sum(len(page.tags) for page in pages)
    assert own + sum(folder.tags for page in pages for folder in page.folders) == len(tags)
    assert sum(len(page.folders) + len(page.tags) for page in pages) == total
