"""A shift report as one HTML file: nothing beside it, nothing from the network, no script."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from tagsight import __version__
from tagsight.reports.gathering import ShiftReport
from tagsight.reports.sections import Line, Section, Wording, period_line, sections

SHORT: Final = 19
"""Characters of a date with its time."""

_STYLE: Final = """
body { background: #fff; color: #222; font: 14px/1.45 "Segoe UI", "DejaVu Sans", "Microsoft YaHei", sans-serif;
  max-width: 90rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.35rem; margin-bottom: 0; } h2 { font-size: 1.1rem; margin-top: 2rem; }
p.small { color: #555; font-size: 0.9rem; max-width: 60rem; }
table { border-collapse: collapse; }
th, td { padding: 0.25rem 0.6rem; border-bottom: 1px solid #ccc; text-align: right; vertical-align: top; }
th { color: #555; font-weight: 600; }
th.words, td.words { text-align: left; overflow-wrap: break-word; }
td.short { white-space: nowrap; }
tr.abnormal td { font-weight: bold; } tr.abnormal td:first-child { border-left: 0.35rem solid #b3400f; }
@media print { body { margin: 0; max-width: none; font-size: 10px; } tr { break-inside: avoid; }
  thead { display: table-header-group; } @page { size: A4 landscape; margin: 12mm; } }
"""


def shift_page(report: ShiftReport, wording: Wording) -> str:
    """The whole file. All text of tags, users and operators is escaped."""
    title, period = wording.said["title"], period_line(report, wording)
    made = wording.said["made"].format(time=wording.when(report.made_ns), version=__version__)
    return "\n".join(
        [
            "<!DOCTYPE html>",
            f'<html lang="{escape(wording.language.code)}">',
            '<head><meta charset="utf-8">',
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}, {escape(period)}</title>",
            f"<style>{_STYLE}</style></head>",
            f"<body><h1>{escape(title)}</h1>",
            f"<p>{escape(period)}</p>",
            *(part for section in sections(report, wording) for part in _section(section)),
            f'<p class="small">{escape(made)}</p>',
            "</body></html>",
            "",
        ]
    )


def _section(section: Section) -> Iterator[str]:
    yield f"<h2>{escape(section.heading)}</h2>"
    if section.lines:
        head = _cells("th", section.head, section.words)
        body = "\n".join(_row(line, section.words) for line in section.lines)
        yield f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>"
    kind = ' class="small"' if section.lines else ""
    yield from (f"<p{kind}>{escape(note)}</p>" for note in section.notes)


def _row(line: Line, words: int) -> str:
    kind = ' class="abnormal"' if line.abnormal else ""
    return f"<tr{kind}>{_cells('td', line.cells, words)}</tr>"


def _cells(kind: str, cells: Sequence[str], words: int) -> str:
    return "".join(
        f'<{kind} class="{_classes(cell, of_words=number < words)}">{escape(cell)}</{kind}>'
        for number, cell in enumerate(cells)
    )


def _classes(cell: str, *, of_words: bool) -> str:
    """A date or a short name stays on one line."""
    return " ".join(name for name, so in (("words", of_words), ("short", len(cell) <= SHORT)) if so)
