"""What `tagsight.hmi` makes of plans, also of assets with names that nobody should give."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tagsight.configuration import check_text
from tagsight.errors import NotReady
from tagsight.hmi.addresses import endpoint, faceplate_page, indexed, is_web_origin, lines_with_pages
from tagsight.hmi.fuxa import project
from tagsight.hmi.ignition import tag_names, tags_file
from tagsight.hmi.overview import OVERVIEW
from tagsight.hmi.perspective import view
from tagsight.plan import Plan
from tagsight.tag_list import ListedTag, listed_tags

CONFIGURATION = """\
timezone: Europe/Berlin
historian: {url: "opc.tcp://scada01:4840", user: tagsight}
results: {to: server}
models:
  - {name: Health, asset: P101, inputs: ["Plant/P101/*"], train: {last: 90d}, score: {every: 1m}}
  - {name: Health, asset: P102, inputs: ["Plant/P102/*"], train: {last: 90d}, score: {every: 1m}}
"""
NASTY = '<img src=x onerror="alert(1)">&\'</text><script>alert(2)</script>\u0007'


def plan(text: str = CONFIGURATION) -> Plan:
    found = check_text(text, Path("plant.yaml")).plan
    assert found is not None
    return found


def listed(of: Plan) -> list[ListedTag]:
    return list(listed_tags(of, {}))


def nasty_plan() -> Plan:
    """As if the configuration accepted any name."""
    found = plan()
    return replace(found, models=(replace(found.models[0], asset=NASTY), found.models[1]))


def made(of: Plan, **settings: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(project(of, listed(of), **settings)))
    return found


def test_a_project_of_fuxa_has_an_overview_and_a_faceplate_for_each_model() -> None:
    found = made(plan())
    assert [one["name"] for one in found["hmi"]["views"]] == ["TagSight overview", "P101/Health", "P102/Health"]
    assert found["hmi"]["layout"]["start"] == OVERVIEW
    (device,) = found["devices"].values()
    assert (device["type"], device["property"]["address"]) == ("OPCUA", "opc.tcp://127.0.0.1:4841")


def test_every_address_in_fuxa_is_an_output_tag_by_its_index() -> None:
    own = plan()
    (device,) = made(own)["devices"].values()
    assert {one["address"] for one in device["tags"].values()} == {f"ns=2;s={one.name}" for one in listed(own)}


def test_every_item_in_fuxa_speaks_of_a_tag_of_its_own_model() -> None:
    found = made(plan(), web="https://tagsight01:8443")
    (device,) = found["devices"].values()
    views = {one["id"] for one in found["hmi"]["views"]}
    for one in found["hmi"]["views"]:
        for item in one["items"].values():
            for tag in _tags_of(item):
                name = device["tags"][tag]["name"]
                assert one["id"] == OVERVIEW or name.startswith((one["name"] + "/", "TagSight/"))
            for event in item["property"]["events"]:
                assert event["action"] != "onpage" or event["actparam"] in views


def _tags_of(item: dict[str, Any]) -> list[str]:
    own = item["property"]
    found = [own.get("variableId", ""), *(one["variableId"] for one in own.get("actions", ()))]
    found += [one["actoptions"]["variable"]["variableId"] for one in own["events"] if one["action"] == "onSetValue"]
    return [one for one in found if one]


def test_operators_answer_in_fuxa_with_what_feedback_means() -> None:
    found = made(plan())
    (device,) = found["devices"].values()
    pressed = {
        (device["tags"][event["actoptions"]["variable"]["variableId"]]["name"], event["actparam"], item["name"])
        for item in found["hmi"]["views"][1]["items"].values()
        for event in item["property"]["events"]
        if event["action"] == "onSetValue"
    }
    assert pressed == {
        ("P101/Health/Feedback", "1", "True alarm"), ("P101/Health/Feedback", "2", "False alarm"),
        ("P101/Health/Feedback", "3", "Maintenance"), ("P101/Health/Off", "0", "On"), ("P101/Health/Off", "1", "Off"),
    }  # fmt: skip


def test_every_item_has_its_shape_and_ids_are_unique_in_the_project() -> None:
    seen: set[str] = set()
    for one in made(plan())["hmi"]["views"]:
        ids = [shape.get("id") for shape in ET.fromstring(one["svgcontent"]).iter() if shape.get("id")]
        assert len(ids) == len(set(ids))
        assert set(one["items"]) <= set(ids)
        assert seen.isdisjoint(ids)
        seen |= set(filter(None, ids))


def test_names_of_the_plant_are_words_in_fuxa_and_never_markup() -> None:
    for one in made(nasty_plan(), web="https://tagsight01:8443")["hmi"]["views"]:
        for shape in ET.fromstring(one["svgcontent"]).iter():
            assert shape.tag.rpartition("}")[2] in {
                "svg",
                "g",
                "title",
                "rect",
                "text",
                "circle",
                "foreignObject",
                "button",
            }
            assert not [name for name in shape.keys() if name.startswith("on")]  # noqa: SIM118 - an Element is no dict
        for item in one["items"].values():
            assert "<" not in item["name"]
            assert "<" not in item["property"].get("text", "")
            assert all("javascript:" not in event["actparam"] for event in item["property"]["events"])


def test_the_same_plan_makes_the_same_bytes() -> None:
    assert json.dumps(made(plan())) == json.dumps(made(plan()))


def test_a_server_that_listens_everywhere_needs_the_name_that_hmis_use() -> None:
    everywhere = plan(CONFIGURATION.replace("{to: server}", '{to: server, listen: "0.0.0.0:4841"}'))
    with pytest.raises(NotReady):
        endpoint(everywhere, next(iter(everywhere.historians)))
    assert endpoint(everywhere, next(iter(everywhere.historians)), "tagsight01") == "opc.tcp://tagsight01:4841"
    assert endpoint(everywhere, next(iter(everywhere.historians)), "fd00::1") == "opc.tcp://[fd00::1]:4841"


def test_results_in_a_historian_are_shown_from_there() -> None:
    written = CONFIGURATION.replace("{to: server}", '{to: write, address: "ns=4;s=TS.{asset}.{model}.{output}"}')
    (device,) = made(plan(written))["devices"].values()
    assert device["property"]["address"] == "opc.tcp://scada01:4840"
    assert "ns=4;s=TS.P101.Health.Score" in {one["address"] for one in device["tags"].values()}
    with pytest.raises(NotReady):
        indexed("nsu=urn:plant;s=Score")


def test_ignition_gets_every_tag_once_with_unit_range_and_what_it_means() -> None:
    own = plan()
    found = _leaves(json.loads(json.dumps(tags_file(listed(own), "Plant OPC"))))
    assert {one["opcItemPath"] for one in found} == {one.node_id for one in listed(own)}
    share = next(one for one in found if one["opcItemPath"].endswith("P101/Health/Top1_Share"))
    assert (share["dataType"], share["engUnit"], share["engLow"], share["engHigh"]) == ("Float8", "%", 0.0, 100.0)
    assert (share["opcServer"], share["readOnly"]) == ("Plant OPC", True)
    assert "share" in share["documentation"]
    writable = {one["name"] for one in found if not one["readOnly"]}
    assert writable == {"Feedback", "Off"}


def _leaves(folder: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for one in folder["tags"]:
        found += _leaves(one) if one["tagType"] == "Folder" else [one]
    return found


def test_names_in_ignition_are_what_it_accepts_and_stay_different() -> None:
    found = tag_names(["P-101.A", "P-101_A", "p-101/a", "", "-5", NASTY])
    assert len({one.casefold() for one in found.values()}) == len(found)
    assert all(re.fullmatch(r"[A-Za-z0-9_][\w '\-:()]*", one) for one in found.values())
    assert tag_names(["P-101 (A)"]) == {"P-101 (A)": "P-101 (A)"}


def test_the_perspective_view_binds_only_tags_that_there_are() -> None:
    text = json.dumps(view("https://tagsight01:8443"))
    outputs = {one.tag.output for one in listed(plan())}
    bound = set(re.findall(r'"\{path\}/([^"]+)"', text))
    written = set(re.findall(r"path \+ '/(\w+)'", text))
    assert {"Score", "State", "Message", "Top5_Share"} <= bound <= outputs
    assert written == {"Feedback", "Off"}
    assert "https://tagsight01:8443/" in text
    assert "iframe" not in json.dumps(view())


def test_addresses_of_faceplates_are_those_of_the_pages() -> None:
    assert faceplate_page("https://t:8443/", "P101/Health") == "https://t:8443/faceplate/P101?model=P101%2FHealth"
    assert "<" not in faceplate_page("https://t:8443", f"{NASTY}/Health")
    lines = lines_with_pages(listed(plan()), "https://t:8443")
    assert {line[-1] for line in lines if line[0].startswith("TagSight/")} == {""}
    assert all(line[-1].startswith("https://t:8443/faceplate/P10") for line in lines if line[0].startswith("P10"))
    assert is_web_origin("https://t:8443")
    assert not any(map(is_web_origin, ("t:8443", "javascript:alert(1)", "https://t/x", "https://t?a=1", "https://")))
