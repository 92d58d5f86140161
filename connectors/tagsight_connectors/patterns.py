"""Which tags a pattern names: `*` within one level, `**` any number of levels, `?` one character of a level.

An address (`nsu=...;s=...`, or whatever a historian calls its tags) names itself, also when it holds a `*` or `?`.
Letters are told apart by case, as OPC UA browse names are. No regular expressions: their backtracking takes minutes
for a hostile pattern, this takes at most (length of pattern) x (length of path) steps.
"""

from collections.abc import Callable, Sequence

from tagsight_connectors.tag import Tag


def matches(pattern: str, tag: Tag) -> bool:
    """Does the pattern name this tag? Pure; no pattern raises.

    `**` as a level of its own also matches no level at all: `Plant/**/Speed` names `Plant/Speed`; within a level it
    is a `*`. The pattern `*` alone means everything, as `**` does: a historian's tags are rarely on its first level.
    """
    if pattern in {"*", "**", tag.address}:
        return True
    return _glob(pattern.split("/"), tag.path.split("/"), "**", _level_matches)


def may_lead_to(pattern: str, levels: Sequence[str]) -> bool:
    """Can a tag at or below this path match? Pure; an address may be anywhere.

    A name with a slash in it counts as several levels, as it does in `Tag.path`.
    """
    wanted = pattern.split("/")
    if wanted in (["*"], ["**"]) or _looks_like_an_address(pattern):
        return True
    for at, level in enumerate(part for name in levels for part in name.split("/")):
        if at >= len(wanted):
            return False
        if wanted[at] == "**":
            return True
        if not _level_matches(wanted[at], level):
            return False
    return True


def _looks_like_an_address(pattern: str) -> bool:
    return "=" in pattern.partition("/")[0]


def _level_matches(pattern: str, level: str) -> bool:
    return _glob(pattern, level, "*", _character_matches)


def _character_matches(pattern: str, character: str) -> bool:
    return pattern in {"?", character}


def _glob(pattern: Sequence[str], items: Sequence[str], star: str, fits: Callable[[str, str], bool]) -> bool:
    """Does the pattern fit all items, where `star` fits any run of them? Only the last star is ever tried again."""
    at = done = 0
    last_star, retried = -1, 0
    while done < len(items):
        if at < len(pattern) and pattern[at] == star:
            last_star, retried = at, done
            at += 1
        elif at < len(pattern) and fits(pattern[at], items[done]):
            at, done = at + 1, done + 1
        elif last_star >= 0:
            retried += 1
            at, done = last_star + 1, retried
        else:
            return False
    return all(each == star for each in pattern[at:])
