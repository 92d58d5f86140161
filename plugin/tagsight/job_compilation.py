"""From the settings of a job to its plan: tables of periods and of lives are read here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from tagsight.document import Node
from tagsight.job_plans import (
    DiagnosisPlan,
    JobPlan,
    LabelsPlan,
    LifePlan,
    NamedPeriod,
    ProductionPlan,
    PrognosisPlan,
    QualityPlan,
)
from tagsight.job_settings import Diagnosis, Labels, Production, Prognosis, Quality
from tagsight.setting_types import as_moment
from tagsight.specification import Model
from tagsight.templates import Row, read_table
from tagsight.validation import Path as SettingPath
from tagsight.validation import SettingFault

PERIODS: Final = ("from", "to", "label")
LIVES: Final = ("from", "to")
YES_OR_NO: Final[Mapping[str, bool]] = {
    **dict.fromkeys(("", "yes", "true", "1"), True),
    **dict.fromkeys(("no", "false", "0"), False),
}

Utc = Callable[[datetime, SettingPath], int | None]
"""UTC ns of a moment; None and a fault where there is no such time."""


@dataclass
class JobCompiler:
    """Compiles the group of one job.

    Attributes:
        folder: of the configuration: tables lie there.
        utc: reads a moment in the time zone of the file.
        faults: of what was compiled so far.
    """

    folder: Path
    utc: Utc
    faults: list[SettingFault] = field(default_factory=list)

    def plan(self, model: Model) -> JobPlan | None:
        """None for `health`."""
        if model.diagnosis is not None:
            return self._diagnosis(model.diagnosis)
        if model.prognosis is not None:
            return self._prognosis(model.prognosis)
        if model.quality is not None:
            return _quality(model.quality)
        return None if model.production is None else _production(model.production)

    def _diagnosis(self, given: Diagnosis) -> DiagnosisPlan:
        return DiagnosisPlan(self._labels(given.labels), given.sure_from)

    def _labels(self, given: Labels) -> LabelsPlan:
        path = ("diagnosis", "labels", "file")
        rows = self._table(given.file, path, PERIODS) if given.file else []
        periods = [
            NamedPeriod(*span, row.cells["label"], row.cells.get("component", ""))
            for row in rows
            if (span := self._span(row, path)) and self._has_label(row, path)
        ]
        normal = {**({"": given.normal.strip()} if given.normal else {}), **_stripped(given.normal_of)}
        return LabelsPlan(tuple(periods), given.tag or "", dict(given.names), given.feedback, normal)

    def _has_label(self, row: Row, path: SettingPath) -> bool:
        if not row.cells["label"]:
            self._fault(path, "", f"a period without a label ({row.origin})", "Write what it was, or remove the line.")
        return bool(row.cells["label"])

    def _prognosis(self, given: Prognosis) -> PrognosisPlan:
        path = ("prognosis", "lives")
        rows = self._table(given.lives, path, LIVES) if given.lives else []
        lives = [
            LifePlan(*span, failed)
            for row in rows
            if (span := self._span(row, path)) and (failed := self._failed(row, path)) is not None
        ]
        limit = given.above if given.above is not None else given.below
        return PrognosisPlan(
            tuple(lives), given.tag or "", limit or 0.0, given.above is not None, given.horizon, given.coverage
        )

    def _failed(self, row: Row, path: SettingPath) -> bool | None:
        text = row.cells.get("failed", "").lower()
        if text not in YES_OR_NO:
            self._fault(path, text, f"neither yes nor no in `failed` ({row.origin})", "Write yes or no.")
        return YES_OR_NO.get(text)

    def _table(self, name: str, path: SettingPath, columns: tuple[str, ...]) -> list[Row]:
        rows, faults = read_table(self.folder, Node(name, 0))
        for fault in faults:
            self._fault(path, name, fault.cause, fault.mend)
        missing = [column for column in columns if rows and column not in rows[0].cells]
        if missing:
            self._fault(path, name, f"no column {missing[0]!r}", f"The first line must name {', '.join(columns)}.")
        return [] if missing else rows

    def _span(self, row: Row, path: SettingPath) -> tuple[int, int] | None:
        moments = [self._moment(row, key, path) for key in ("from", "to")]
        start_ns, end_ns = moments
        if start_ns is None or end_ns is None:
            return None
        if end_ns <= start_ns:
            self._fault(path, row.cells["to"], f"`to` is not after `from` ({row.origin})", "Write a later time.")
            return None
        return start_ns, end_ns

    def _moment(self, row: Row, key: str, path: SettingPath) -> int | None:
        try:
            return self.utc(as_moment(row.cells[key]), path)
        except ValueError as error:
            self._fault(path, row.cells[key], f"{error} ({row.origin})", 'Write for example "2026-03-01 06:00".')
            return None

    def _fault(self, path: SettingPath, value: str, cause: str, mend: str) -> None:
        self.faults.append(SettingFault(path, value, cause, mend))


def _stripped(given: Mapping[str, str]) -> dict[str, str]:
    """As labels are: without blanks round them."""
    return {component: label.strip() for component, label in given.items()}


def _quality(given: Quality) -> QualityPlan:
    return QualityPlan(
        given.target, given.delay, given.known_after, given.low, given.high, given.coverage, dict(given.adjustable)
    )


def _production(given: Production) -> ProductionPlan:
    stations = {station: tuple(roles) for station, roles in given.stations.items()}
    return ProductionPlan(
        given.target, given.goal == "raise", given.coverage, dict(given.adjustable), stations, tuple(given.conditions)
    )
