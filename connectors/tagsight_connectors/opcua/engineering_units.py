"""Engineering units as OPC UA tells them: EUInformation with the UNECE code where we know it (OPC 10000-8, 5.6.4)."""

from typing import Final

from asyncua import ua

UNECE: Final = "http://www.opcfoundation.org/UA/units/un/cefact"
UNKNOWN_UNIT: Final = -1

CODES: Final = {
    "%": "P1", "°C": "CEL", "degC": "CEL", "K": "KEL", "°F": "FAH",
    "bar": "BAR", "mbar": "MBR", "Pa": "PAL", "kPa": "KPA", "MPa": "MPA", "psi": "PS",
    "A": "AMP", "V": "VLT", "kV": "KVT", "W": "WTT", "kW": "KWT", "MW": "MAW", "kWh": "KWH", "Hz": "HTZ",
    "rpm": "RPM", "1/min": "RPM", "m": "MTR", "mm": "MMT", "cm": "CMT", "m/s": "MTS", "mm/s": "C16",
    "m3": "MTQ", "m³": "MTQ", "l": "LTR", "m3/h": "MQH", "m³/h": "MQH", "l/min": "L2",
    "kg": "KGM", "t": "TNE", "kg/h": "E93", "kg/s": "KGS", "t/h": "E18",
    "s": "SEC", "min": "MIN", "h": "HUR", "d": "DAY", "ms": "C26", "N": "NEW", "Nm": "NU", "pH": "Q30",
}  # fmt: skip
"""Common code (UNECE Recommendation 20) by the way people write the unit."""


def eu_information(unit: str) -> ua.EUInformation:
    """The unit as a property value; its display name is what was given."""
    code = CODES.get(unit)
    return ua.EUInformation(
        NamespaceUri=UNECE if code else "",
        UnitId=int.from_bytes(code.encode(), "big") if code else UNKNOWN_UNIT,
        DisplayName=ua.LocalizedText(unit),
        Description=ua.LocalizedText(unit),
    )
