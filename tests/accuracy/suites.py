"""All suites by name; each is imported when it runs, so that one that is broken does not hide the others."""

from importlib import import_module
from typing import Final

from tests.accuracy.result import Suite

MODULES: Final[dict[str, str]] = {
    "tep-health": "tests.accuracy.tep_health",
    "skab-health": "tests.accuracy.skab_health",
    "plants-health": "tests.accuracy.plants_health",
    "sensor-faults": "tests.accuracy.sensor_faults",
    "petrobras-health": "tests.accuracy.petrobras_health",
    "tep-diagnosis": "tests.accuracy.tep_diagnosis",
    "hydraulic-diagnosis": "tests.accuracy.hydraulic_diagnosis",
    "cmapss-prognosis": "tests.accuracy.cmapss_prognosis",
    "turbine-quality": "tests.accuracy.turbine_quality",
    "turbine-production": "tests.accuracy.turbine_production",
    "plants-production": "tests.accuracy.plants_production",
    "little-data": "tests.accuracy.little_data",
}


def suite(name: str) -> Suite:
    """The suite of this name."""
    found: Suite = import_module(MODULES[name]).SUITE
    return found
