"""Which models are trained together."""

from dataclasses import replace

from tagsight.job_plans import ProductionPlan
from tagsight.plan import Job, ModelPlan, TrainPlan
from tagsight.training import MOST_TOGETHER, VALUES_TOGETHER, TrainTask, alike, enough, trained_at_once
from tests.plugin.small_site import plan_of


def keys(groups: list[list[ModelPlan]]) -> list[list[str]]:
    return [[model.asset for model in group] for group in groups]


def test_models_of_normal_behaviour_with_the_same_window_are_a_group() -> None:
    first, second, third, other = (plan_of(name) for name in ("A", "B", "C", "D"))
    wide = replace(second, score=replace(second.score, window_steps=second.score.window_steps + 1))
    elsewhere = replace(other, historian="another")
    assert keys(alike([first, wide, third, elsewhere])) == [["A", "C"], ["B"], ["D"]]


def test_a_model_of_another_job_with_a_sister_or_a_search_is_trained_alone() -> None:
    first, second, third, last = (plan_of(name) for name in ("A", "B", "C", "D"))
    models = [
        replace(first, sister="D/Health"),
        replace(second, train=replace(second.train, search=3)),
        replace(third, job=Job.PRODUCTION, of_job=ProductionPlan("T")),
        last,
        plan_of("E"),
    ]
    assert keys(alike(models)) == [["A"], ["B"], ["C"], ["D", "E"]]


def test_those_due_at_the_same_times_are_trained_at_once() -> None:
    night, noon = TrainPlan(every={"hour": "3", "minute": "0"}), TrainPlan(every={"hour": "12"})
    plans = [night, noon, replace(night, every={"minute": "0", "hour": "3"}), TrainPlan()]
    models = [replace(plan_of(name), train=plan) for name, plan in zip("ABCD", plans, strict=True)]
    assert keys(trained_at_once(models)) == [["A", "C"], ["B"]]


def test_no_more_is_read_than_memory_takes() -> None:
    class Values:
        def __init__(self, count: int) -> None:
            self.count = count

        def __len__(self) -> int:
            return self.count

    def task(count: int) -> TrainTask:
        return TrainTask(plan_of("A"), None, (), {"Flow": Values(count)}, {}, (0, 1), "")  # type: ignore[arg-type,dict-item]

    assert not enough([task(10)] * (MOST_TOGETHER - 1))
    assert enough([task(10)] * MOST_TOGETHER)
    assert enough([task(10), task(VALUES_TOGETHER - 10)])
