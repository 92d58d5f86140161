"""From drawing to bytes: palette, fonts, and files that are the same for the same values.

An SVG keeps its texts as texts, so whoever shows it uses the fonts there; a PNG needs them here. Where this machine
has no font for the language of a PNG, its texts are English; where it has none for a name, the letters without a font
are shown as `?`; both are said at the foot of the picture. Empty boxes are never drawn.
"""

import io
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias
from zoneinfo import ZoneInfo

import numpy as np
from matplotlib import font_manager, rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from tagsight_explain.language import ENGLISH, Language, language

SVG: Final = "svg"
PNG: Final = "png"
DPI: Final = 144

PAPER: Final = "#ececec"
PANEL: Final = "#f7f7f7"
INK: Final = "#1c1c1c"
DARK: Final = "#4d4d4d"
MIDDLE: Final = "#808080"
LIGHT: Final = "#d2d2d2"
ABNORMAL: Final = "#c44e00"
"""The one colour: vermilion, told from grey by all kinds of colour vision, and dark in black and white."""

OF_HAN: Final = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Microsoft YaHei",
    "SimHei",
    "SimSun",
    "PingFang SC",
    "Hiragino Sans GB",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Arial Unicode MS",
)
"""Fonts with Chinese letters, best first: of Linux, Windows, macOS."""

HAN_FILES: Final = ("notosanscjk", "notosanssc", "sourcehansans", "msyh", "simhei", "simsun", "pingfang", "hiragino",
                    "wqy", "arialuni")  # fmt: skip
"""How the names of their files begin: matplotlib's own list is not made anew when a font is installed."""

PLAIN: Final = "DejaVu Sans"  # comes with matplotlib

_STYLE: Final[dict[Any, Any]] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "tagsight",
    "font.size": 9.0,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.facecolor": PANEL,
    "axes.edgecolor": MIDDLE,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": False,
    "axes.formatter.useoffset": False,
    "figure.facecolor": PAPER,
    "hatch.color": DARK,
    "hatch.linewidth": 0.6,
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": DARK,
    "ytick.color": DARK,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "lines.linewidth": 1.2,
    "path.simplify": False,
}


@dataclass(frozen=True, slots=True)
class Look:
    """How a picture is made.

    Attributes:
        language: code of a catalogue.
        form: `SVG` or `PNG`.
        timezone: of the times in it.
    """

    language: str = ENGLISH
    form: str = SVG
    timezone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))


@dataclass(slots=True)
class Words:
    """The texts of one picture.

    Attributes:
        language: of the texts.
        boxless: letters without a font become `?`: for a PNG.
        replaced: some did.
    """

    language: Language
    boxless: bool = False
    replaced: bool = False

    def __call__(self, key: str, **values: str) -> str:
        """A text with its placeholders filled."""
        return self.language.pictures[key].format(**{name: self.name(value, 1_000) for name, value in values.items()})

    def name(self, text: str, most: int = 28) -> str:
        """What somebody else named, short enough to stand beside an axis. Everything from outside goes through here."""
        short = text if len(text) <= most else text[: most - 1].rstrip() + "…"
        absent = missing_letters([short]) if self.boxless else set()
        self.replaced = self.replaced or bool(absent)
        return "".join("?" if letter in absent else letter for letter in short)

    def number(self, value: float, digits: int = 3) -> str:
        """As the language writes it."""
        return self.language.number(f"{value:.{digits}g}")

    def signed(self, value: float) -> str:
        """With its sign and two decimals."""
        return self.language.number(f"{value:+.2f}")

    def count(self, value: int) -> str:
        """A whole number, its thousands apart."""
        return f"{value:,}".replace(",", "\N{NO-BREAK SPACE}")


Draw: TypeAlias = Callable[[Figure, Words], None]


def picture(draw: Draw, look: Look, width: float, height: float, *, layout: str | None = "constrained") -> bytes:
    """The file that a drawing of this size (inches) becomes; the same drawing gives the same bytes."""
    words, note = _words(look)
    with rc_context({**_STYLE, "font.family": fonts()}), warnings.catch_warnings():
        # an SVG has its letters as text; in a PNG none without a font is left
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font", category=UserWarning)
        figure = Figure(figsize=(width, height), layout=layout)  # type: ignore[arg-type]
        engine = figure.get_layout_engine()
        if isinstance(engine, ConstrainedLayoutEngine):
            engine.set(w_pad=0.08, h_pad=0.06)  # whoever looks may have wider letters
        draw(figure, words)
        notes = [note, words("no_font_for_letters") if words.replaced else ""]
        if any(notes):
            figure.text(0.01, 0.005, "  ".join(filter(None, notes)), fontsize=7, color=DARK, va="bottom")
        return _bytes(figure, look.form)


def panels(figure: Figure, rows: int, columns: int, *, foot: float, left: float = 0.6) -> list[Axes]:
    """Panels that leave room (inches) for a title above, a label at the foot and one at the left; row by row.

    A layout that is given costs half of one that is sought.
    """
    width, height = figure.get_size_inches()
    room = {"left": left / width, "right": 1.0 - 0.1 / width, "top": 1.0 - 0.6 / height, "bottom": foot / height}
    return list(
        np.ravel(figure.subplots(rows, columns, squeeze=False, gridspec_kw={**room, "wspace": 0.3, "hspace": 0.5}))
    )


def _bytes(figure: Figure, form: str) -> bytes:
    target = io.BytesIO()
    if form == PNG:
        figure.set_dpi(DPI)
        FigureCanvasAgg(figure).print_png(target, metadata={"Software": None})  # type: ignore[no-untyped-call]
        return target.getvalue()
    nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
    FigureCanvasSVG(figure).print_svg(target, metadata=nothing)  # type: ignore[no-untyped-call]
    return target.getvalue()


def _words(look: Look) -> tuple[Words, str]:
    """The texts, and what must be said of them at the foot."""
    chosen, png = language(look.language), look.form == PNG
    if not png or not missing_letters(chosen.pictures.values()):
        return Words(chosen, png), ""
    english = Words(language(ENGLISH), png)
    return english, english("no_font_for_language", language=look.language)


def missing_letters(texts: Iterable[str]) -> set[str]:
    """Letters that no font of this machine has."""
    known = _letters()
    return {letter for text in texts for letter in text if not letter.isspace() and ord(letter) not in known}


@cache
def fonts() -> list[str]:
    """Families that are there, the plain one first."""
    manager = font_manager.fontManager
    there = {font.name for font in manager.ttflist}
    if not there.intersection(OF_HAN):
        for path in sorted(font_manager.findSystemFonts()):
            if Path(path).name.lower().startswith(HAN_FILES):
                manager.addfont(path)
        there = {font.name for font in manager.ttflist}
    return [PLAIN, *[name for name in OF_HAN if name in there][:1]]


@cache
def _letters() -> frozenset[int]:
    """Code points that the families have."""
    found: set[int] = set()
    for family in fonts():
        path = font_manager.findfont(font_manager.FontProperties(family=family))
        found |= set(font_manager.get_font(path).get_charmap())
    return frozenset(found)
