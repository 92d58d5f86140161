"""The catalogues: complete, alike, and right for every sentence and reason."""

from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight_explain.errors import BudgetSpent, NotFinite
from tagsight_explain.language import ENGLISH, language, languages
from tagsight_models.reasons import Reason

CODES = languages()
SPECIAL = {"time_of_day", "date_and_time"}
texts = st.text(min_size=1, max_size=40)


def placeholders(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in Formatter().parse(text) if name is not None)


def test_english_german_and_chinese_are_there() -> None:
    assert set(CODES) >= {"de", "en", "zh"}


@pytest.mark.parametrize("code", CODES)
def test_a_catalogue_has_every_text_with_the_same_placeholders(code: str) -> None:
    english, this = language(ENGLISH), language(code)
    assert this.texts.keys() == english.texts.keys()
    assert this.reasons.keys() == english.reasons.keys()
    assert this.pictures.keys() == english.pictures.keys()
    for key, text in [*english.texts.items(), *english.reasons.items()]:
        other = this.texts.get(key) or this.reasons[key]
        assert other.strip(), key
        assert placeholders(other) == placeholders(text), key
    for key, text in english.pictures.items():
        assert this.pictures[key].strip(), key
        assert placeholders(this.pictures[key]) == placeholders(text), key
    assert this.name
    assert len(this.decimal) == 1


@pytest.mark.parametrize("code", CODES)
def test_times_are_written_with_the_same_parts_in_ascii(code: str) -> None:
    for key in SPECIAL:
        text = language(code).texts[key]
        assert text.isascii()
        assert sorted(text[1:].split("%")) or text
        assert {part[0] for part in text.split("%")[1:]} == {
            part[0] for part in language(ENGLISH).texts[key].split("%")[1:]
        }


def test_a_language_without_catalogue_is_not_there() -> None:
    with pytest.raises(KeyError):
        language("../en")


def test_the_english_catalogue_has_the_words_of_the_gates() -> None:
    assert {reason.name.lower(): reason.words for reason in Reason}.items() <= language(ENGLISH).reasons.items()


@pytest.mark.parametrize("reason", list(Reason))
def test_what_a_gate_says_of_roles_is_said_in_german(reason: Reason) -> None:
    german = language("de")
    assert german.reason(f"{reason.words}: Flow, T 1") == f"{german.reasons[reason.name.lower()]}: Flow, T 1"


@pytest.mark.parametrize(
    ("english", "german"),
    [
        pytest.param("", "", id="nothing"),
        pytest.param("stopped", "steht", id="one-word"),
        pytest.param(
            "on trial: not approved for alarms", "im Probebetrieb: nicht für Alarme freigegeben", id="with-colon"
        ),
        pytest.param("shelved until 2026-11-23 14:05", "zurückgestellt bis 2026-11-23 14:05", id="time"),
        pytest.param(
            "shelved until 2026-11-23 14:05 or the end of the alarm",
            "zurückgestellt bis 2026-11-23 14:05 oder bis zum Ende des Alarms",
            id="once",
        ),
        pytest.param(
            "no connection to opc.tcp://a:4840: refused", "keine Verbindung zu opc.tcp://a:4840: refused", id="server"
        ),
        pytest.param(
            "stopped: Flow; the historian's clock stepped by +60 s at 14:05",
            "steht: Flow; die Uhr des Historian sprang um +60 s, um 14:05",
            id="two",
        ),
        pytest.param(
            "score: took longer than 60 s; its process was replaced",
            "score: dauerte länger als 60 s; der Prozess wurde ersetzt",
            id="worker",
        ),
        pytest.param(str(NotFinite("the window")), "keine endliche Zahl: the window", id="not-finite"),
        pytest.param(str(BudgetSpent(2.0, "s")), "2 s waren verbraucht, bevor es ein Ergebnis gab", id="budget"),
        pytest.param("quite something else: x", "quite something else: x", id="unknown-stays"),
    ],
)
def test_a_reason_is_said_in_german(english: str, german: str) -> None:
    assert language("de").reason(english) == german


@given(st.text(max_size=200))
def test_english_reasons_stay_as_they_are(text: str) -> None:
    assert language(ENGLISH).reason(text) == text


@given(st.sampled_from(CODES), st.text(max_size=200))
def test_no_text_is_too_strange_to_be_said(code: str, text: str) -> None:
    assert isinstance(language(code).reason(text), str)


@given(st.sampled_from(CODES), st.sampled_from(sorted(language(ENGLISH).reasons)))
def test_every_english_reason_is_known_in_every_language(code: str, key: str) -> None:
    values = dict.fromkeys(placeholders(language(ENGLISH).reasons[key]), "7")
    english, own = (language(one).reasons[key].format(**values) for one in (ENGLISH, code))
    assert language(code).reason(english) == own


def test_numbers_have_the_decimal_sign_of_the_language() -> None:
    assert [language(code).number("-4.25") for code in ("en", "de", "zh")] == ["-4.25", "-4,25", "-4.25"]
