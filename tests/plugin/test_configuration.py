from pathlib import Path

import pytest

from tagsight.configuration import check_file, check_text, load
from tagsight.errors import ConfigurationError
from tagsight.plan import Destination, Job, Plan, Security

HEAD = "timezone: Europe/Berlin\nhistorian: {url: opc.tcp://scada01:4840, user: tagsight}\n"
FIRST = (
    HEAD
    + """\
results: {to: server}
models:
  - name: Health
    asset: P101
    job: health
    inputs: ["Plant/P101/*"]
    running: "[Plant/P101/Speed] > 100"
    train: {last: 90d, every: "sun 03:30"}
    score: {every: 1m}
    alarm: {at_most: 2 per month, on_delay: 5m}
"""
)
TEN = """\
timezone: Europe/Berln
historian: {url: "opc.tcp://me:hunter2@scada01:4840", user: me, password: hunter2}
results: {to: write, address: "ns=2;s={asset}.{output}"}
models:
  - name: Health
    asset: P/101
    job: forecast
    inputs: ["Plant/P101/*"]
    running: "[Plant/P101/Speed] >"
    train: {last: 90}
    score: {evry: 1m}
    alarm: {at_most: 2 per moon, on_delay: 5m}
"""


def model(text: str) -> str:
    return HEAD + "models:\n  - {name: Health, asset: P101, inputs: [x], " + text + "}\n"


def planned(text: str) -> Plan:
    checked = check_text(text, Path("tagsight.yaml"))
    assert not checked.faults, [str(fault) for fault in checked.faults]
    assert checked.plan is not None
    return checked.plan


def faults(text: str) -> list[str]:
    return [str(fault) for fault in check_text(text, Path("tagsight.yaml")).faults]


def test_a_first_file_compiles_with_its_defaults() -> None:
    plan = planned(FIRST)
    only = plan.models[0]
    assert only.key == "P101/Health"
    assert only.job is Job.HEALTH
    assert only.running is not None
    assert only.running.operands == ("Plant/P101/Speed",)
    assert only.train.last_ns == 90 * 86_400 * 10**9
    assert only.train.every == {"day_of_week": "sun", "hour": "3", "minute": "30"}
    assert only.score.every_ns == 60 * 10**9
    assert only.score.grid_ns is None
    assert plan.results["default"].to is Destination.SERVER
    assert plan.historians["default"].security is Security.SIGN_AND_ENCRYPT


def test_a_file_with_ten_faults_reports_ten() -> None:
    found = check_text(TEN, Path("tagsight.yaml")).faults
    assert [(fault.line, fault.setting) for fault in found] == [
        (1, "timezone"),
        (2, "historian.password"),
        (2, "historian.url"),
        (3, "results.address"),
        (6, "models[P/101/Health].asset"),
        (7, "models[P/101/Health].job"),
        (9, "models[P/101/Health].running"),
        (10, "models[P/101/Health].train.last"),
        (11, "models[P/101/Health].score.evry"),
        (12, "models[P/101/Health].alarm.at_most"),
    ]
    assert all(fault.cause and fault.mend for fault in found)


def test_no_fault_shows_a_password() -> None:
    assert not any("hunter2" in fault for fault in faults(TEN))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("scor: {}", "Did you mean `score`?", id="unknown-setting"),
        pytest.param("score: {every: 5}", "a number without its unit", id="no-unit"),
        pytest.param("score: {every: 1ms}", "at least 1s", id="too-often"),
        pytest.param("score: {every: 1m, grid: 45s}", "whole multiple", id="off-grid"),
        pytest.param("score: {window: '60'}", "whole number", id="text-for-number"),
        pytest.param("alarm: {latch: yes}", "true or false", id="yes"),
        pytest.param("outputs: all", "basic or detail", id="choice"),
        pytest.param("historian: north", "Historians here: default", id="no-such-historian"),
        pytest.param('train: {last: 90d, from: "2026-01-01", to: "2026-02-01"}', "exclude one another", id="both"),
        pytest.param('train: {from: "2026-01-01"}', "without `to`", id="half-a-period"),
        pytest.param('train: {from: "2026-02-01", to: "2026-01-01"}', "not after `from`", id="backwards"),
        pytest.param('train: {from: "2026-02-30", to: "2026-03-01"}', "no such day", id="no-day"),
        pytest.param('train: {from: "0001-01-01", to: "2026-03-01"}', "outside 1970", id="year-one"),
        pytest.param('train: {from: "2026-10-25 02:30", to: "2026-11-01"}', "exists twice", id="summer-time-ends"),
        pytest.param('train: {from: "2026-03-29 02:30", to: "2026-11-01"}', "does not exist", id="summer-time-begins"),
        pytest.param(
            'train: {from: "2026-01-01", to: "2026-03-01", limit: {from: "2026-02-01", to: "2026-04-01"}}',
            "overlaps",
            id="limit-in-training",
        ),
        pytest.param('train: {every: "every 7h"}', "does not divide", id="uneven"),
        pytest.param("roles: {speed: {tag: 'a/*'}}", "one tag", id="pattern-for-a-role"),
        pytest.param("roles: {speed: {tag: a}, flow: {tag: a}}", "two roles", id="one-tag-two-roles"),
        pytest.param("template: pump", "no such template", id="no-such-template"),
        pytest.param("machines: missing.csv", "cannot be read", id="no-table"),
    ],
)
def test_a_fault_of_a_model_is_named_with_its_mend(text: str, words: str) -> None:
    found = faults(model(text))
    assert len(found) == 1, found
    assert words in found[0]
    assert found[0].startswith("line 4: ")


@pytest.mark.parametrize("name", ["a/b", "a+b", "a#b", "$a", "a.b", "", "x" * 65, '"a\\tb"'])
def test_a_name_that_cannot_be_a_level_is_refused(name: str) -> None:
    written = name if name.startswith('"') else f'"{name}"'
    assert len(faults(HEAD + f"models: [{{name: {written}, asset: A, inputs: [x]}}]\n")) == 1


def test_an_ambiguous_time_with_its_offset_is_accepted() -> None:
    plan = planned(model('train: {from: "2026-10-25 02:30+01:00", to: "2026-11-01"}'))
    assert plan.models[0].train.start_ns == 1_792_891_800_000_000_000


def test_dates_count_in_the_time_zone_of_the_file() -> None:
    plan = planned(model('train: {from: "2026-01-01", to: "2026-07-01"}'))
    assert plan.models[0].train.start_ns == 1_767_222_000_000_000_000  # 2025-12-31 23:00 UTC
    assert plan.models[0].train.end_ns == 1_782_856_800_000_000_000  # 2026-06-30 22:00 UTC


def test_two_models_of_one_name_are_refused_even_in_other_case() -> None:
    text = HEAD + "models: [{name: A, asset: P, inputs: [x]}, {name: a, asset: p, inputs: [x]}]\n"
    assert "second model" in faults(text)[0]


@pytest.mark.parametrize("faulty", ["first", "second", "both"])
def test_a_second_model_of_a_name_is_told_beside_other_faults_of_either(faulty: str) -> None:
    first, second = ("score: {every: never}" if faulty in (one, "both") else "" for one in ("first", "second"))
    lines = "".join(f"  - {{name: A, asset: P, inputs: [x], {one}}}\n" for one in (first, second))
    text = f"{HEAD}models:\n{lines}"
    found = faults(text)
    assert sum("second model" in fault for fault in found) == 1
    assert len(found) == 1 + text.count("never")


def test_results_are_no_inputs() -> None:
    text = FIRST.replace("{to: server}", '{to: write, address: "ns=2;s=TS.{asset}.{model}.{output}"}')
    assert "TagSight writes" in faults(text.replace("Plant/P101/*", "ns=2;s=TS.P101.Health.Score"))[0]


@pytest.mark.parametrize(
    "address", ["ns=2;s={asset}.{model}.{output}", "Score {output}", "ns=2;i=5{output}", "ns=2;s=TS.{what}.{output}"]
)
def test_an_address_that_allows_too_much_or_nothing_is_refused(address: str) -> None:
    text = FIRST.replace("{to: server}", f'{{to: write, address: "{address}"}}')
    assert [fault.setting for fault in check_text(text, Path("a.yaml")).faults] == ["results.address"]


def test_the_fixed_part_of_the_address_is_the_root() -> None:
    text = FIRST.replace("{to: server}", '{to: write, address: "ns=2;s=TS.{asset}.{model}.{output}"}')
    assert planned(text).results["default"].root == "ns=2;s=TS."


def test_roles_give_tags_and_settings() -> None:
    plan = planned(model("roles: {speed: {tag: P/S, max_gap: 10m}, flow: {smallest_deviation: 0.5}}"))
    only = plan.models[0]
    assert only.inputs == ("x", "P/S")
    assert only.input_settings["P/S"].role == "speed"
    assert only.input_settings["P/S"].max_gap_ns == 600 * 10**9
    assert only.input_settings["flow"].smallest_deviation == 0.5


def test_several_historians_have_their_own_results() -> None:
    plan = planned("""\
timezone: UTC
historians:
  north: {url: "opc.tcp://a:4840", user: x, results: {to: write, address: "ns=2;s=TS.{asset}.{model}.{output}"}}
  south: {url: "opc.tcp://b:4840", user: x}
models:
  - {name: A, asset: P, inputs: [x], historian: north}
  - {name: B, asset: P, inputs: [x], historian: south}
""")
    assert plan.results["north"].to is Destination.WRITE
    assert plan.results["south"].to is Destination.SERVER


def test_a_relative_file_is_beside_the_configuration(tmp_path: Path) -> None:
    text = "timezone: UTC\nhistorian: {url: 'file:data/x.csv'}\nmodels: [{name: A, asset: P, inputs: [x]}]\n"
    plan = check_text(text, tmp_path / "a.yaml").plan
    assert plan is not None
    assert plan.historians["default"].url == (tmp_path / "data" / "x.csv").as_uri()


def test_the_digest_follows_the_meaning_not_the_spelling() -> None:
    same = FIRST.replace("every: 1m", "every: 60s").replace("historian: {", "historians: {default: {").replace(
        "user: tagsight}", "user: tagsight}}"
    )  # fmt: skip
    other = FIRST.replace("every: 1m", "every: 2m")
    assert planned(FIRST).digest == planned("# a comment\n" + same).digest
    assert planned(FIRST).digest != planned(other).digest


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(FIRST, "no HMI on another machine", id="loopback"),
        pytest.param(FIRST.replace("user: tagsight", "user: t, security: none"), "READABLE", id="security-none"),
        pytest.param(FIRST.replace("user: tagsight", "user: t, security: sign"), "sent readable", id="security-sign"),
        pytest.param(
            FIRST.replace("to: server", "listen_security: sign"), "HMIs that do not encrypt", id="listen-sign"
        ),
        pytest.param(FIRST.replace("user: tagsight", "anonymous: true"), "anonymously", id="anonymous"),
        pytest.param(
            FIRST.replace("{to: server}", '{to: write, address: "ns=2;s=TS.{output}"}'), "accepted", id="not-accepted"
        ),
        pytest.param(FIRST.replace("on_delay: 5m", "severity: 700"), "advisory", id="severity"),
    ],
)
def test_what_is_seldom_meant_is_a_warning(text: str, words: str) -> None:
    checked = check_text(text, Path("tagsight.yaml"))
    assert checked.plan is not None
    assert any(words in str(warning) for warning in checked.warnings)


@pytest.mark.parametrize("text", ["", "[]", "just text", "models: 5", "a: [", "historian: 5\nmodels: {}"])
def test_what_is_no_configuration_is_a_fault(text: str) -> None:
    assert faults(text)


def test_load_raises_every_fault(tmp_path: Path) -> None:
    file = tmp_path / "tagsight.yaml"
    file.write_text(TEN)
    with pytest.raises(ConfigurationError, match="10 faults"):
        load(file)


def test_a_missing_file_is_a_fault(tmp_path: Path) -> None:
    assert "cannot be read" in check_file(tmp_path / "no.yaml").faults[0].cause


WITH_CAUSES = FIRST.replace('["Plant/P101/*"]', "[Plant/P101/PT-101, Plant/P101/IT-101]")


def test_causes_are_patterns_with_what_is_said_to_them() -> None:
    (cause,) = planned(WITH_CAUSES + '    causes: [{if: "PT-101 low", say: check suction strainer}]\n').models[0].causes
    assert (cause.pattern.operands, cause.say) == (("PT-101",), "check suction strainer")


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        pytest.param('{if: "PT-102 low", say: x}', ("no role 'PT-102'", "Did you mean PT-101?"), id="unknown-role"),
        pytest.param('{if: "PT-101", say: x}', ("not a pattern: at position 7", "PT-101 low and"), id="no-pattern"),
        pytest.param('{if: "PT-101 low"}', ("say", "missing"), id="nothing-said"),
        pytest.param(f'{{if: "PT-101 low", say: {"x" * 61}}}', ("61 characters", "1 to 60"), id="too-long"),
        pytest.param('{if: "PT-101 low", say: " "}', ("0 characters", "1 to 60"), id="empty"),
    ],
)
def test_a_fault_in_a_cause_has_line_and_mend(cause: str, words: tuple[str, ...]) -> None:
    text = WITH_CAUSES + f"    causes:\n      - {cause}\n"
    (fault,) = check_text(text, Path("tagsight.yaml")).faults
    assert fault.line == text.count("\n")
    assert all(word in str(fault) for word in words), str(fault)


def test_roles_that_only_the_historian_knows_are_not_judged() -> None:
    assert planned(FIRST + '    causes: [{if: "anything low", say: x}]\n').models[0].causes


def test_a_template_gives_causes_with_the_name_of_the_asset() -> None:
    text = (
        HEAD
        + """\
templates:
  pump: {name: Health, inputs: ["Plant/{asset}/PT-{asset}"], causes: [{if: "PT-{asset} low", say: "see {asset}"}]}
models:
  - {template: pump, asset: P7}
"""
    )
    (cause,) = planned(text).models[0].causes
    assert (cause.pattern.operands, cause.say) == (("PT-P7",), "see P7")


def test_the_language_is_one_that_has_a_catalogue() -> None:
    assert planned(FIRST).language == "en"
    assert planned("language: de\n" + FIRST).language == "de"
    (fault,) = faults("language: xx\n" + FIRST)
    assert "no such language" in fault
    assert "de, en, zh" in fault


GROUPED = FIRST.replace('["Plant/P101/*"]', "[Plant/P101/PT-101, Plant/P101/FT-101, Plant/P101/Speed]") + (
    "    explain: {absent: normal, normal_every: 10m, groups: {%s}}\n"
)


def test_groups_are_explained_as_one_and_normal_scores_hourly_unless_told() -> None:
    (plan,) = planned(GROUPED % "Suction: [PT-101, FT-101]").models
    assert plan.explain_groups == (("Suction", ("PT-101", "FT-101")),)
    assert (plan.explain_absent, plan.explain_normal_every_ns) == ("normal", 600_000_000_000)
    (bare,) = planned(FIRST).models
    assert (bare.explain_absent, bare.explain_normal_every_ns) == ("", 3_600_000_000_000)


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        pytest.param("Suction: [PT-101, FT-999]", "this model has no role 'FT-999'", id="unknown-role"),
        pytest.param("A: [PT-101], B: [PT-101]", "role 'PT-101' is in 'A' and in 'B'", id="in-two-groups"),
        pytest.param("A: [Speed], Speed: [PT-101]", "'Speed' is a group and a role of another", id="name-of-a-role"),
        pytest.param("Speed: [PT-101]", "'Speed' is a role outside the group", id="name-of-a-role-outside"),
    ],
)
def test_a_role_plays_once(groups: str, words: str) -> None:
    assert any(words in fault for fault in faults(GROUPED % groups))
