"""What the page Configure does: the text checked and compared with what runs, and tables of machines saved."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final

from tagsight.applied import Answer, Applied, AppliedFolder
from tagsight.applying import EditedMeanwhile, apply_text
from tagsight.changes import changes_of
from tagsight.configuration import check_text
from tagsight.editing import plain_tree, with_item, with_setting
from tagsight.errors import ConfigurationError, Fault, NotAllowed, StorageError
from tagsight.machine_table import MachineTable, parsed
from tagsight.model_fields import entries_of
from tagsight.plan import Plan
from tagsight.platform import InstanceLock
from tagsight.summary import summary
from tagsight.templates import TABLE_LIMIT
from tagsight.web.saving import file_of, text_of
from tagsight.web.site import Site

_SAVING: Final = Lock()
COPIES: Final = 50
"""Of applied configurations that the page lists."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a check of the text says.

    Attributes:
        faults: as `tagsight check` reports them.
        warnings: they forbid nothing.
        compared: with what runs, in words.
        summary: what it means; () with faults.
    """

    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]
    compared: str
    summary: tuple[str, ...]


def look(site: Site, text: str) -> Look:
    """Check a text as `tagsight check` does. Raises NotReady without a configuration."""
    checked = check_text(text, file_of(site))
    if checked.plan is None:
        return Look(checked.faults, (), "", ())
    return Look((), checked.warnings, compared(site, checked.plan), tuple(summary(checked.plan)))


def compared(site: Site, plan: Plan) -> str:
    """What would change of what runs; of the file, where no service runs."""
    running = InstanceLock(site.data.lock).holder()
    if running is None:
        in_file = site.plan()
        if in_file is None:
            return "No service runs; what is in the file now cannot be used."
        changes = changes_of(in_file, plan)
        return "As in the file." if changes.nothing else f"Compared with the file (no service runs): {changes.words}"
    if running.about == plan.digest:
        return "This is what runs."
    before = _plan_of_digest(site, running.about)
    if before is None:
        return "Differs from what runs, whose text is not kept here: it was started before it was applied."
    return f"Compared with what runs: {changes_of(before, plan).words}"


def _plan_of_digest(site: Site, digest: str) -> Plan | None:
    in_file = site.plan()
    if in_file is not None and in_file.digest == digest:
        return in_file
    folder = AppliedFolder(site.data.applied)
    for one in folder.copies():
        if one.digest == digest:
            return check_text(folder.text(one.name), file_of(site)).plan
    return None


def copies(site: Site) -> tuple[Sequence[Applied], Answer | None]:
    """The newest applied configurations, and what the service said to the last."""
    folder = AppliedFolder(site.data.applied)
    return folder.copies()[:COPIES], folder.answer()


def copy_text(site: Site, name: str) -> str:
    """The text of one of them. Raises StorageError."""
    return AppliedFolder(site.data.applied).text(name)


def tables_of(text: str) -> list[str]:
    """Names of the tables of machines. Raises ConfigurationError where the text is no YAML."""
    return list(dict.fromkeys(entry.machines for entry in entries_of(text) if entry.machines))


def templates_of(text: str) -> list[str]:
    """Names of the templates. Raises ConfigurationError where the text is no YAML."""
    return [str(entry.path[1]) for entry in entries_of(text) if entry.path[0] == "templates"]


def read_table(site: Site, name: str) -> tuple[MachineTable, str]:
    """A table, and the text that it was read from. Raises NotAllowed, StorageError."""
    path = _table(site, name)
    try:
        if path.stat().st_size > TABLE_LIMIT:
            raise NotAllowed(what=f"{name} is larger than {TABLE_LIMIT} bytes", mend="Use several tables.")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(what=f"the table {name} cannot be read", mend=f"Is it at {path}, as UTF-8 text?") from error
    return parsed(text), text


def save_table(site: Site, name: str, table: MachineTable, based_on: str | None, who: str) -> Applied:
    """Write a table that the file names, and apply: nothing is written where the whole would have a fault.

    Args:
        site: of the pages.
        name: as `machines` has it.
        table: what it shall be.
        based_on: what it was when the edit began; None for a new one.
        who: edits.

    Raises:
        ConfigurationError: with the faults that it would make.
        EditedMeanwhile: it was changed meanwhile.
        StorageError: it cannot be written.
    """
    text = text_of(site)
    return _save(site, text, text, name, table, based_on, who)


def add_table(site: Site, template: str, name: str, table: MachineTable, who: str) -> Applied:
    """A new table for a template, as one more entry of `models`. Raises as `save_table`."""
    before = text_of(site)
    if _table(site, name).exists():
        raise NotAllowed(what=f"{name} is there already", mend="Choose it above, or give another name.")
    entry = {"template": template, "machines": name}
    if plain_tree(before).get("models") is None:
        text = with_setting(before, ("models",), [entry])
    else:
        text = with_item(before, ("models",), entry)
    return _save(site, text, before, name, table, None, who)


def _save(  # noqa: PLR0917 - text and table, each as they were and as they shall be
    site: Site, text: str, before: str, name: str, table: MachineTable, based_on: str | None, who: str
) -> Applied:
    with _SAVING:
        return _save_alone(site, text, before, name, table, based_on, who)


def _save_alone(  # noqa: PLR0917 - text and table, each as they were and as they shall be
    site: Site, text: str, before: str, name: str, table: MachineTable, based_on: str | None, who: str
) -> Applied:
    file, path = file_of(site), _table(site, name)
    draft = path.with_name(f".{path.name}.{os.getpid()}.csv")
    content = table.csv()
    try:
        draft.write_text(content, encoding="utf-8")
        faults = check_text(_with_draft(text, name, draft.name), file).faults
        if faults:
            raise ConfigurationError(name, _named(faults, draft.name, path.name))
        now = path.read_text(encoding="utf-8-sig") if path.exists() else None
        if now != based_on:
            raise EditedMeanwhile(what=f"{name} was changed by somebody else since you opened it",
                                  mend="Load it anew and make your change again; yours was not saved.")  # fmt: skip
        draft.replace(path)
    except OSError as error:
        raise StorageError(what=f"{path} cannot be written: {error.strerror}",
                           mend="Is the folder writable for the user that the pages run as?") from error  # fmt: skip
    finally:
        draft.unlink(missing_ok=True)
    folder = AppliedFolder(site.data.applied)
    applied = apply_text(text, before, file, folder, who=who, now_ns=site.clock.now_ns())
    site.note(who, "machines changed", f"{name}: {len(table.rows)} machines")
    return applied


def _with_draft(text: str, name: str, draft: str) -> str:
    """The text as it would be read with the draft in place of the table."""
    for entry in entries_of(text):
        if entry.machines == name:
            folder = name.rpartition("/")[0]
            text = with_setting(text, (*entry.path, "machines"), f"{folder}/{draft}" if folder else draft)
    return text


def _named(faults: Sequence[Fault], draft: str, name: str) -> tuple[Fault, ...]:
    return tuple(
        Fault(one.line, one.setting, one.value.replace(draft, name), one.cause.replace(draft, name), one.mend)
        for one in faults
    )


def _table(site: Site, name: str) -> Path:
    """Where it lies: below the folder of the configuration, whatever a page sends."""
    folder = file_of(site).absolute().parent
    path = (folder / name).resolve()
    if not name or path.suffix.lower() != ".csv" or not path.is_relative_to(folder.resolve()):
        raise NotAllowed(what=f"{name!r} is no table beside the configuration", mend="Write for example pumps.csv.")
    return path
