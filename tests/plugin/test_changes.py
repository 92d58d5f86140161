"""What one plan changes of another."""

from dataclasses import replace
from zoneinfo import ZoneInfo

from tagsight.changes import changes_of, same_connection
from tagsight.plan import Destination, HistorianPlan, HistoryStorePlan, Plan, ResultsPlan
from tests.plugin.small_site import plan_of

ONE, TWO, THREE = (plan_of(asset) for asset in ("P101", "P102", "P103"))
PLAN = Plan(
    ZoneInfo("UTC"),
    {"default": HistorianPlan("default", "memory://plant")},
    {"default": ResultsPlan(Destination.SERVER)},
    (ONE, TWO),
)


def test_the_same_plan_changes_nothing() -> None:
    found = changes_of(PLAN, replace(PLAN))
    assert found.nothing
    assert found.words == "2 unchanged and running on"


def test_models_that_are_new_changed_and_gone_are_named_with_the_fields_that_differ() -> None:
    after = replace(PLAN, models=(replace(ONE, inputs=("P101/Flow",)), THREE))
    found = changes_of(PLAN, after)
    assert (found.added, found.removed, found.unchanged) == (("P103/Health",), ("P102/Health",), 0)
    assert found.changed == {"P101/Health": ("inputs",)}
    assert found.words.startswith("new: P103/Health; changed: P101/Health (inputs); gone: P102/Health")


def test_a_connection_stays_while_historian_results_and_time_zone_stay() -> None:
    assert same_connection(PLAN, replace(PLAN, models=(ONE,)), "default")
    for changed in (
        replace(PLAN, timezone=ZoneInfo("Europe/Berlin")),
        replace(PLAN, historians={"default": HistorianPlan("default", "memory://other")}),
        replace(PLAN, results={}),
    ):
        assert changes_of(PLAN, changed).historians == ("default",)


def test_where_results_are_written_into_the_historian_other_models_open_it_anew() -> None:
    writing = replace(PLAN, results={"default": ResultsPlan(Destination.WRITE, "Results/{output}", "Results")})
    assert same_connection(writing, replace(writing), "default")
    assert not same_connection(writing, replace(writing, models=(ONE,)), "default")


def test_what_waits_for_a_restart_is_said() -> None:
    after = replace(PLAN, history_store=HistoryStorePlan(use=False))
    assert "takes effect at the next start of the service: history_store" in changes_of(PLAN, after).words


def test_of_many_models_five_are_named() -> None:
    after = replace(PLAN, models=(ONE, TWO, *(plan_of(f"P2{number:02}") for number in range(20))))
    assert "and 15 more" in changes_of(PLAN, after).words
