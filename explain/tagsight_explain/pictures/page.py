"""A page that holds everything it shows: no file beside it, nothing from the network, no script."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from tagsight_explain.pictures.canvas import ABNORMAL, DARK, INK, LIGHT, PANEL, PAPER

_STYLE: Final = f"""
body {{ background: {PAPER}; color: {INK}; font: 15px/1.45 "DejaVu Sans", "Segoe UI", "Microsoft YaHei", sans-serif;
  max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }}
h1 {{ font-size: 1.35rem; }} h2 {{ font-size: 1.1rem; margin-top: 2rem; border-bottom: 1px solid {LIGHT}; }}
p.message {{ font-size: 1.1rem; border-left: 0.35rem solid {ABNORMAL}; padding-left: 0.7rem; }}
p.small {{ color: {DARK}; font-size: 0.9rem; }}
table {{ border-collapse: collapse; background: {PANEL}; }}
th, td {{ padding: 0.2rem 0.7rem; border-bottom: 1px solid {LIGHT}; text-align: right; }}
th.words, td.words {{ text-align: left; }}
tr.abnormal td {{ font-weight: bold; }} tr.abnormal td:first-child {{ border-left: 0.35rem solid {ABNORMAL}; }}
pre {{ background: {PANEL}; padding: 0.8rem; white-space: pre-wrap; font-size: 0.8rem; }}
svg {{ display: block; max-width: 100%; height: auto; margin: 1rem 0; }}
"""


@dataclass(frozen=True, slots=True)
class Row:
    """Cells of a table; `abnormal` is marked by weight and colour."""

    cells: tuple[str, ...]
    abnormal: bool = False


def page(title: str, parts: Sequence[str], code: str) -> str:
    """HTML of a page; `parts` are HTML already, `title` is plain text."""
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    return "\n".join(
        [
            "<!DOCTYPE html>",
            f'<html lang="{escape(code)}">',
            '<head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>",
            f"<style>{_STYLE}</style></head>",
            f"<body><h1>{escape(title)}</h1>",
            *parts,
            "</body></html>",
            "",
        ]
    )


def heading(text: str) -> str:
    """Of a part."""
    return f"<h2>{escape(text)}</h2>"


def paragraph(text: str, kind: str = "") -> str:
    """One; `kind`: `message`, `small`."""
    return f'<p class="{kind}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>"


def preformatted(text: str) -> str:
    """Lines as they are."""
    return f"<pre>{escape(text)}</pre>"


def table(head: Sequence[str], rows: Sequence[Row], words: int = 1) -> str:
    """The first `words` columns are words, the others numbers."""
    body = [
        f'<tr class="abnormal">{_cells("td", row.cells, words)}</tr>'
        if row.abnormal
        else f"<tr>{_cells('td', row.cells, words)}</tr>"
        for row in rows
    ]
    return f"<table><thead><tr>{_cells('th', head, words)}</tr></thead><tbody>{''.join(body)}</tbody></table>"


def _cells(kind: str, cells: Sequence[str], words: int) -> str:
    return "".join(
        f'<{kind} class="words">{escape(cell)}</{kind}>' if number < words else f"<{kind}>{escape(cell)}</{kind}>"
        for number, cell in enumerate(cells)
    )


def figure(svg: bytes, words: str) -> str:
    """An SVG inside the page; `words` for those who cannot see it."""
    text = svg.decode()
    inside = text[text.index("<svg") :]
    return re.sub(r"<svg", f'<svg role="img" aria-label="{escape(words)}"', inside, count=1)
