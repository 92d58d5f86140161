"""What becomes of a period that somebody marked on a trend: a line of the configuration, or of the table of labels."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from tagsight.applied import Applied, AppliedFolder
from tagsight.applying import apply_text
from tagsight.editing import place_of_model, plain_tree, with_item
from tagsight.errors import NotReady, StorageError
from tagsight.label_file import add_period
from tagsight.plan import Job, ModelPlan
from tagsight.web.site import Site

FORMAT = "%Y-%m-%d %H:%M:%S"


def shown(time_ns: int, timezone: ZoneInfo) -> str:
    """As the configuration writes a moment, to the second."""
    return datetime.fromtimestamp(time_ns // 1_000_000_000, tz=timezone).strftime(FORMAT)


def leave_out(site: Site, model: ModelPlan, span: tuple[str, str], reason: str, who: str) -> Applied:
    """One more period under `train.exclude` of the model; applied at once.

    Raises:
        NotAllowed: a model of a template.
        ConfigurationError, EditedMeanwhile, StorageError: nothing was changed.
    """
    file = _file(site)
    text = _text(file)
    place = place_of_model(plain_tree(text).get("models", []), model.asset, model.name)
    period = {"from": span[0], "to": span[1], **({"reason": reason} if reason else {})}
    made = with_item(text, ("models", place, "train", "exclude"), period)
    folder = AppliedFolder(site.data.applied)
    return apply_text(made, text, file, folder, who=who, now_ns=site.clock.now_ns())


def label_table(site: Site, model: ModelPlan) -> Path | None:
    """The table of labelled periods of a diagnosis; None where the configuration names none."""
    if model.job is not Job.DIAGNOSIS:
        return None
    file = _file(site)
    tree = plain_tree(_text(file))
    place = place_of_model(tree.get("models", []), model.asset, model.name)
    name = tree["models"][place].get("diagnosis", {}).get("labels", {}).get("file")
    return file.absolute().parent / name if name else None


def label(table: Path, span: tuple[str, str], what: str, component: str = "") -> None:
    """One more row of the table. Raises NotAllowed or StorageError: nothing was changed."""
    add_period(table, *span, what, component)


def _file(site: Site) -> Path:
    if site.file is None:
        raise NotReady("these pages were started without a configuration", "`tagsight web serve FILE` takes one.")
    return site.file


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(what=f"{file} cannot be read", mend="May the user of the pages read it?") from error
