"""Bytes, languages and fonts of pictures."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from matplotlib.figure import Figure

from tagsight_explain.language import languages
from tagsight_explain.pictures import canvas
from tagsight_explain.pictures.canvas import PNG, SVG, Look, Words, picture
from tests.explain.pictures.svg import texts


def draw(figure: Figure, words: Words) -> None:
    axes = figure.add_subplot()
    axes.bar([0, 1], [1.0, 2.0], color=canvas.ABNORMAL)
    axes.set_title(words.name("离心泵 P101"))
    axes.set_xlabel(words("limit"))


@pytest.fixture
def no_chinese_font(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine with the plain font alone."""
    monkeypatch.setattr(canvas, "OF_HAN", ())
    monkeypatch.setattr(canvas, "HAN_FILES", ("nothing",))
    for one in (canvas.fonts, canvas._letters):
        one.cache_clear()
    yield
    for one in (canvas.fonts, canvas._letters):
        one.cache_clear()


@pytest.mark.parametrize("form", [SVG, PNG])
def test_the_same_drawing_gives_the_same_bytes(form: str) -> None:
    assert picture(draw, Look("de", form), 3.0, 2.0) == picture(draw, Look("de", form), 3.0, 2.0)


def test_an_svg_holds_no_date_and_nothing_from_elsewhere() -> None:
    text = picture(draw, Look(), 3.0, 2.0).decode()
    assert "<dc:date>" not in text
    assert "<image" not in text
    assert 'href="http' not in text


@pytest.mark.parametrize("code", languages())
def test_texts_are_in_the_language_asked_for(code: str) -> None:
    limit = {"en": "limit", "de": "Grenzwert", "zh": "限值"}
    assert limit.get(code, "") in texts(picture(draw, Look(code), 3.0, 2.0))


def test_an_svg_keeps_letters_that_this_machine_has_no_font_for(no_chinese_font: None) -> None:
    found = texts(picture(draw, Look("zh"), 3.0, 2.0))
    assert "离心泵 P101" in found
    assert "限值" in found


def test_a_png_without_a_font_for_its_language_is_english_and_says_so(no_chinese_font: None) -> None:
    said: list[str] = []

    def listening(figure: Figure, words: Words) -> None:
        draw(figure, words)
        said.extend([figure.axes[0].get_title(loc="left"), figure.axes[0].get_xlabel()])

    noted: list[str] = []
    original = Figure.text

    def noting(figure: Figure, *arguments: object, **options: object) -> object:
        noted.append(str(arguments[2]))
        return original(figure, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Figure, "text", noting)
        picture(listening, Look("zh", PNG), 3.0, 2.0)
    assert said == ["??? P101", "limit"]
    assert 'No font for the language "zh"' in noted[0]
    assert "Letters shown as ? have no font" in noted[0]


def test_a_font_that_was_installed_since_is_found() -> None:
    if not canvas.missing_letters("限值"):
        assert canvas.fonts()[-1] in canvas.OF_HAN
    else:
        assert canvas.fonts() == [canvas.PLAIN]


def test_names_are_cut_to_what_fits() -> None:
    words = canvas._words(Look())[0]
    assert words.name("x" * 40) == "x" * 27 + "…"
    assert words.name("short") == "short"


def test_dollar_signs_of_names_are_no_formulas() -> None:
    def dollars(figure: Figure, words: Words) -> None:
        figure.add_subplot().set_title(words.name("$x^2$ & <b>"))

    assert "$x^2$ & <b>" in texts(picture(dollars, Look(), 3.0, 2.0))


def test_the_colour_of_the_abnormal_is_far_from_all_greys_in_black_and_white() -> None:
    def lightness(colour: str) -> float:
        red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light = lightness(canvas.ABNORMAL)
    for ground in (canvas.PAPER, canvas.PANEL, canvas.LIGHT):
        assert abs(light - lightness(ground)) > 0.35


def test_words_and_explanations_bring_no_matplotlib_along() -> None:
    code = "import tagsight_explain.message, tagsight_explain.explainers, tagsight_explain.role_time, sys;"
    code += "print('matplotlib' in sys.modules, 'shap' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=100)
    assert done.stdout.split() == ["False", "False"]
