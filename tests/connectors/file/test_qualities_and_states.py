import pytest

from tagsight_connectors.file.qualities import QualityKind, kind_of, status_of
from tagsight_connectors.file.states import STATES, state_of
from tagsight_connectors.quality import (
    BAD,
    BAD_NO_COMMUNICATION,
    BAD_NO_DATA,
    BAD_OUT_OF_RANGE,
    GOOD,
    UNCERTAIN,
    Quality,
    quality_of,
)


def test_every_state_is_bad_and_written_plainly() -> None:
    assert all(quality_of(code) is Quality.BAD for code in STATES.values())
    assert all(text == " ".join(text.split()).casefold() for text in STATES)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Bad", BAD),
        (" scan  timeout ", BAD_NO_COMMUNICATION),
        ("Inp OutRange", BAD_OUT_OF_RANGE),
        ("[-11059] No Good Data For Calculation", BAD),
        ("No Data", BAD_NO_DATA),
        ("AUTO", None),
        ("[-1", None),
    ],
)
def test_a_state_is_known_whatever_its_case_and_blanks(text: str, code: int | None) -> None:
    assert state_of(text) == code


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        pytest.param({"192", "24", "0"}, QualityKind.OPC_DA, id="opc-da"),
        pytest.param({"0", "0x80000000"}, QualityKind.STATUS_CODE, id="status-codes"),
        pytest.param({"0"}, QualityKind.STATUS_CODE, id="zero-alone"),
        pytest.param({"0", "100"}, QualityKind.PERCENT, id="per-cent"),
        pytest.param({"Good", "Bad"}, QualityKind.STATUS_CODE, id="words"),
    ],
)
def test_the_numbers_of_a_column_tell_what_they_are(texts: set[str], kind: QualityKind) -> None:
    assert kind_of(texts) is kind


@pytest.mark.parametrize(
    ("text", "kind", "code"),
    [
        ("192", QualityKind.OPC_DA, GOOD),
        ("216.0", QualityKind.OPC_DA, GOOD),
        ("64", QualityKind.OPC_DA, UNCERTAIN),
        ("0", QualityKind.OPC_DA, BAD),
        ("24", QualityKind.OPC_DA, BAD_NO_COMMUNICATION),
        ("100", QualityKind.PERCENT, GOOD),
        ("0", QualityKind.PERCENT, BAD),
        ("2150694912", QualityKind.STATUS_CODE, 2150694912),
        ("-1", QualityKind.STATUS_CODE, BAD),
        ("1e400", QualityKind.STATUS_CODE, UNCERTAIN),
        ("Good, non-specific", QualityKind.STATUS_CODE, GOOD),
        ("BadSensorFailure", QualityKind.STATUS_CODE, BAD),
        ("whatever", QualityKind.STATUS_CODE, UNCERTAIN),
    ],
)
def test_a_quality_becomes_a_status_code(text: str, kind: QualityKind, code: int) -> None:
    assert status_of(text, kind) == code
