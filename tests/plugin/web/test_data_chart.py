"""The chart of a model's data."""

import json
from zoneinfo import ZoneInfo

import numpy as np

from tagsight.binding import Binding
from tagsight.data_health import data_health
from tagsight.data_look import DataLook
from tagsight.framing import build_frame
from tagsight.web.data_chart import COLOURS, USED, chart, height, reasons_shown
from tagsight.web.pages.data import _range
from tagsight_connectors.history import TagHistory
from tagsight_connectors.quality import BAD, GOOD
from tagsight_models.frame import Role
from tagsight_models.reasons import Reason
from tests.plugin.small_site import MINUTE, plan_of

START = 1_760_000_040_000_000_000 // MINUTE * MINUTE
STEPS = 3_000
SPAN = (START, START + STEPS * MINUTE)
BERLIN = ZoneInfo("Europe/Berlin")


def look() -> DataLook:
    times = START + MINUTE * np.arange(1, STEPS + 1, dtype=np.int64)
    values = np.random.default_rng(1).normal(50.0, 1.0, STEPS)
    values[1_234] = 99.0
    status = np.full(STEPS, GOOD, dtype=np.uint32)
    status[2_000:2_100] = BAD
    found = {"<script>alert(1)</script>": TagHistory(times, values, status)}
    role = Role("<script>alert(1)</script>", "bar")
    framed = build_frame(found, {}, (role,), MINUTE, SPAN)
    addresses = {role.name: "P101/Pressure"}
    health = data_health(framed, found, addresses, SPAN)
    return DataLook(plan_of("P101"), Binding((role,), addresses, {}, {}), found, health, (), ())


def test_a_peak_stays_and_bad_values_are_a_hole() -> None:
    seen = look()
    (trend, strip) = chart(seen, seen.health.tags, BERLIN)["series"]
    values = [value for _, value in trend["data"]]
    assert 99.0 in values
    assert None in values
    assert len(values) < STEPS
    colours = [area[0]["itemStyle"]["color"] for area in strip["markArea"]["data"]]
    assert colours.count(COLOURS[Reason.BAD_QUALITY]) == 1
    assert USED in colours


def test_the_options_are_plain_data_and_a_name_with_a_script_in_it_is_text() -> None:
    seen = look()
    told = json.loads(json.dumps(chart(seen, seen.health.tags, BERLIN)))
    assert told["yAxis"][0]["name"] == "<script>alert(1)</script> [bar]"
    assert not any(key.startswith(":") for key in told)  # nothing that NiceGUI would run as a script


def test_every_reason_that_can_occur_has_a_colour_and_the_legend_names_those_that_do() -> None:
    assert set(COLOURS) == set(Reason) - {Reason.USED}
    assert Reason.BAD_QUALITY in reasons_shown(look().health.tags)
    assert height(2) > height(1)


def test_what_a_browser_sends_as_a_marked_area_is_read_or_ignored() -> None:
    assert _range([{"coordRange": [5.0, 2.0]}]) == (2.0, 5.0)
    assert _range([{"coordRanges": [[1, 2]]}]) == (1.0, 2.0)
    for nonsense in (None, [], [{}], [{"coordRange": ["a", "b"]}], [{"coordRange": [1]}], [{"coordRange": [1, 1]}],
                     [{"coordRange": [float("nan"), 1]}], [{"coordRange": [0, 1e300]}], 7, "x"):  # fmt: skip
        assert _range(nonsense) is None
