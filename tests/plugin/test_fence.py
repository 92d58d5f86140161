"""The write fence: what may be written, and a thousand configurations that may not."""

from collections.abc import Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagsight.conditions import parse
from tagsight.errors import NotReady
from tagsight.fence import (
    FenceError,
    Target,
    _Reading,
    address_of,
    allowed_addresses,
    check_targets,
    checked_targets,
    is_result,
    list_digest,
    reads_of,
    root_fault,
    targets_of,
)
from tagsight.job_plans import QualityPlan
from tagsight.ledger.records import AcceptedTargets
from tagsight.output_tags import OutputTag, output_tags, plugin_tags
from tagsight.plan import Destination, Detail, HistorianPlan, Job, ModelPlan, Plan, ResultsPlan, ScorePlan, TrainPlan
from tagsight_connectors.patterns import matches
from tagsight_connectors.tag import Tag
from tagsight_models.frame import Role
from tagsight_models.job_output import JobOutput

PATTERN = "ns=2;s=TagSight.{asset}.{model}.{output}"
ROOT = "ns=2;s=TagSight."
ROLES = (Role("speed", "1/s", 0.0, 50.0), Role("pressure", "bar"))


def plan(
    pattern: str = PATTERN,
    root: str = ROOT,
    inputs: Sequence[str] = ("Plant/P101/*",),
    running: str = "[Plant/P101/Speed] > 100",
    detail: Detail = Detail.BASIC,
) -> Plan:
    model = ModelPlan(
        "P101",
        "Health",
        Job.HEALTH,
        "default",
        tuple(inputs),
        TrainPlan(last_ns=1),
        ScorePlan(60),
        running=parse(running),
        outputs=detail,
    )
    historian = HistorianPlan("default", "opc.tcp://scada01:4840")
    return Plan(
        ZoneInfo("UTC"), {"default": historian}, {"default": ResultsPlan(Destination.WRITE, pattern, root)}, (model,)
    )


def test_a_decent_configuration_passes_with_the_outputs_of_the_model_and_of_the_plugin() -> None:
    targets = checked_targets(plan(), "default", {}, {"nsu=urn:plant;s=P101.Speed"})
    assert len(targets) == len(output_tags("P101/Health", (), detail=False)) + len(plugin_tags())
    assert all(one.address.startswith(ROOT) for one in targets)
    assert "ns=2;s=TagSight.P101.Health.Score" in {one.address for one in targets}


def test_results_of_our_own_server_need_no_fence() -> None:
    served = replace(plan(), results={"default": ResultsPlan(Destination.SERVER)})
    assert targets_of(served, "default", {}) == ()


def test_detailed_outputs_need_the_roles() -> None:
    with pytest.raises(NotReady, match="P101/Health"):
        targets_of(plan(detail=Detail.DETAIL), "default", {})
    targets = checked_targets(plan(detail=Detail.DETAIL), "default", {"P101/Health": ROLES}, ())
    assert "ns=2;s=TagSight.P101.Health.Expected.speed" in {one.address for one in targets}


@pytest.mark.parametrize(
    ("pattern", "output", "address"),
    [
        pytest.param("R/{asset}/{model}/{output}", "Expected/speed", "R/P101/Health/Expected/speed", id="slash"),
        pytest.param("R.{asset}.{model}.{output}", "Expected/speed", "R.P101.Health.Expected.speed", id="dot"),
        pytest.param("R_{asset}{output}", "Expected/speed", "R_P101Expected/speed", id="no-separator"),
        pytest.param("R/{asset}/{role}/{output}", "Expected/speed", "R/P101/speed/Expected", id="role"),
        pytest.param("R/{asset}/{output}/{role}", "Score", "R/P101/Score", id="no-role"),
    ],
)
def test_addresses_follow_the_pattern(pattern: str, output: str, address: str) -> None:
    assert address_of(pattern, "P101/Health", output) == address


@pytest.mark.parametrize(
    ("root", "cause"),
    [
        pytest.param("", "every tag", id="empty"),
        pytest.param("ns=2;s=", "every tag", id="whole-namespace"),
        pytest.param("ns=2;s=/", "every tag", id="only-a-separator"),
        pytest.param("ns=0;s=TagSight", "own namespace", id="namespace-0"),
        pytest.param("nsu=http://opcfoundation.org/UA/;s=TagSight", "own namespace", id="namespace-0-by-uri"),
        pytest.param("nsu=HTTP://OPCFoundation.org/UA/;s=TagSight", "own namespace", id="by-uri-in-capitals"),
        pytest.param("ns=2;s=Objects", "own root", id="objects"),
        pytest.param("Server", "own root", id="server"),
        pytest.param("ns=2;i=85", "string identifiers", id="number"),
        pytest.param("i=85", "string identifiers", id="number-without-namespace"),
        pytest.param("ns=2;TagSight", "not the beginning", id="no-kind"),
        pytest.param("ns=2", "not the beginning", id="namespace-only"),
    ],
)
def test_a_root_must_be_a_place_of_our_own(root: str, cause: str) -> None:
    assert cause in root_fault(root)


def refused(hostile: Plan, addresses: Sequence[str] = ()) -> str:
    with pytest.raises(FenceError) as error:
        checked_targets(hostile, "default", {}, addresses)
    return str(error.value)


def test_an_address_outside_the_root_is_refused_by_name() -> None:
    assert "ns=2;s=TagSight.P101.Health.Score: it is not below" in refused(plan(root="ns=2;s=Results."))[:5_000]


@pytest.mark.parametrize(
    "read",
    [
        pytest.param("ns=2;s=TagSight.P101.Health.Score", id="same"),
        pytest.param("nsu=urn:plant;s=TagSight.P101.Health.Score", id="by-namespace-uri"),
        pytest.param("ns=3;s=tagsight.p101.health.score", id="in-small-letters"),
        pytest.param("index=0;ns=2;s=TagSight.P101.Health.Score", id="an-element-of-it"),
        pytest.param("as=number;ns=2;s=TagSight.P101.Health.Score", id="its-number"),
    ],
)
def test_what_a_model_reads_is_refused(read: str) -> None:
    assert "a model reads it" in refused(plan(), [read])


def test_an_operand_of_the_running_condition_is_refused() -> None:
    assert "a model reads it" in refused(plan(running="[TagSight/P101/Health/Score] > 100"))


def test_a_pattern_of_inputs_that_covers_results_is_refused() -> None:
    assert "a model reads it" in refused(plan(inputs=["TagSight/**"]))


def test_two_outputs_with_one_address_are_refused() -> None:
    assert "two outputs" in refused(plan(pattern="ns=2;s=TagSight.{asset}.{model}"))


def test_every_refused_target_is_named_at_once() -> None:
    tag = OutputTag("Score")
    targets = [Target("ns=2;s=Other.A", "A/H", tag), Target("ns=2;s=Plant.B", "B/H", tag)]
    with pytest.raises(FenceError) as error:
        check_targets(targets, plan().results["default"], ())
    assert [one.address for one in error.value.refusals] == ["ns=2;s=Other.A", "ns=2;s=Plant.B"]


CONTROL_TAGS = ["Plant.P101.Setpoint", "Plant/V12/Command", "ESD.Trip", "FIC-101.SP", "Plant.P101.Speed"]
NAMESPACES = st.sampled_from(["ns=2;s=", "nsu=urn:plant;s=", "ns=17;s=", ""])


CASES = st.sampled_from([str.upper, str.lower, str.title])
EMPTY_ROOTS = st.sampled_from(["", "/", ".", " ", "*", "\\"])
SERVERS_OWN = st.sampled_from(["ns=0;s=", "ns=00;s=", "nsu=http://opcfoundation.org/UA/;s=", "nsu=;s="])
WAYS_OUT = st.sampled_from(["/../", "\\..\\"])
WILD = st.sampled_from(["*", "?"])
UNUSABLE = st.sampled_from(["\n", "\x00", "\u202e", "{tag}"])
FOLDERS = st.sampled_from(["Plant", "Line/1"])
TRICKS = {
    "a model reads it": [
        lambda _draw, at, tag: plan(at + tag, at + tag[:3]),
        lambda draw, at, tag: plan(at + (other := draw(CASES)(tag)), at + other[:3]),
        lambda draw, at, _tag: plan(f"{at}{(up := draw(FOLDERS))}/{{output}}", f"{at}{up}/", [f"{up}/**"]),
    ],
    "every tag": [lambda draw, at, tag: plan(at + tag + "{output}", at + draw(EMPTY_ROOTS))],
    "own namespace": [lambda draw, _at, _tag: plan((own := draw(SERVERS_OWN) + "X.") + "{asset}.{output}", own)],
    "a plain address": [
        lambda draw, at, tag: plan(f"{at}TagSight{draw(WAYS_OUT)}{tag}/{{output}}", f"{at}TagSight"),
        lambda draw, at, tag: plan(f"{at}TagSight.{tag}{draw(WILD)}{{output}}", f"{at}TagSight."),
    ],
    "not below": [lambda _draw, at, tag: plan(f"{at}{tag}.{{asset}}.{{output}}", f"{at}TagSight.")],
    "a usable address": [
        lambda draw, at, tag: plan(f"{at}TagSight.{tag}{draw(UNUSABLE)}{{output}}", f"{at}TagSight."),
    ],
}


@st.composite
def hostile_plans(draw: st.DrawFn) -> tuple[str, Plan, list[str]]:
    """A configuration that, by one trick or another, aims at a control tag that a model reads, or at everything."""
    tag = f"{draw(st.sampled_from(CONTROL_TAGS))}{draw(st.integers(0, 9_999))}"
    cause = draw(st.sampled_from(sorted(TRICKS)))
    trick = draw(st.sampled_from(TRICKS[cause]))
    return cause, trick(draw, draw(NAMESPACES), tag), [draw(NAMESPACES) + tag]


@settings(max_examples=1_000, deadline=None)
@given(hostile=hostile_plans())
def test_hostile_configurations_are_refused_each_for_its_own_cause(hostile: tuple[str, Plan, list[str]]) -> None:
    cause, aimed, reads = hostile
    with pytest.raises(FenceError) as error:
        checked_targets(aimed, "default", {}, reads)
    assert any(cause in one.cause for one in error.value.refusals)


def accepted(targets: Sequence[Target], digest: str | None = None) -> AcceptedTargets:
    addresses = tuple(one.address for one in targets)
    return AcceptedTargets("default", digest or list_digest("default", targets), addresses, "anna", 1)


def test_only_an_accepted_list_may_be_written_and_a_changed_one_not_at_all() -> None:
    targets = targets_of(plan(), "default", {})
    assert allowed_addresses("default", targets, None) == frozenset()
    assert allowed_addresses("default", targets, accepted(targets)) == {one.address for one in targets}
    assert allowed_addresses("default", targets[1:], accepted(targets)) == frozenset()
    assert allowed_addresses("default", targets, accepted(targets[1:])) == frozenset()
    assert allowed_addresses("other", targets, accepted(targets)) == frozenset()


def test_a_list_of_addresses_that_does_not_fit_its_digest_allows_only_what_is_in_both() -> None:
    targets = targets_of(plan(), "default", {})
    forged = accepted(targets[1:], list_digest("default", targets))
    assert targets[0].address not in allowed_addresses("default", targets, forged)


def test_the_digest_does_not_depend_on_the_order() -> None:
    targets = targets_of(plan(), "default", {})
    assert list_digest("default", targets) == list_digest("default", targets[::-1])


def test_a_tag_below_the_root_of_the_results_is_ours_and_never_an_input() -> None:
    results = ResultsPlan(to=Destination.WRITE, address="ns=2;s=TagSight.{asset}.{model}.{output}")
    assert is_result(results, Tag("nsu=urn:plant;s=TagSight.P101.Health.Score", "TagSight/P101/Health/Score"))
    assert not is_result(results, Tag("nsu=urn:plant;s=Plant.P101.Speed", "Plant/P101/Speed"))


PLAIN = ["Plant", "P101", "TagSight", "Speed"]
LEVEL = st.sampled_from([*PLAIN, "*", "**", "P*", "?101"])
PATTERNS = st.lists(st.lists(LEVEL, min_size=1, max_size=4).map("/".join), max_size=6)


@given(patterns=PATTERNS, levels=st.lists(st.sampled_from(PLAIN), min_size=1, max_size=5))
def test_a_target_is_read_by_the_patterns_that_name_it_and_by_no_other(patterns: list[str], levels: list[str]) -> None:
    path = "/".join(levels)
    meant = [one for one in patterns if one.strip("*/")]  # one that names everything is meant for the plant
    named = any(matches(one, Tag(path, path)) or one.casefold() == path.casefold() for one in meant)
    assert _Reading(patterns).has(path) is named


def test_what_a_job_says_is_a_target_only_once_it_is_known() -> None:
    sensor = plan()
    model = replace(sensor.models[0], job=Job.QUALITY, of_job=QualityPlan("Lab/Viscosity"))
    sensor = replace(sensor, models=(model,))
    with pytest.raises(NotReady, match="outputs of P101/Health are not known yet"):
        targets_of(sensor, "default", {})
    found = targets_of(sensor, "default", {}, {"P101/Health": (JobOutput("Prediction", "cSt"),)})
    assert any(target.address.endswith("Prediction") for target in found)
    assert "Lab/Viscosity" in reads_of(sensor, "default", ())
