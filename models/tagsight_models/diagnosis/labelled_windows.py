"""The windows that a diagnosis learns from: each ends inside a labelled period, and says which time it is made of.

Two kinds of labelled time are told apart by its length. Where periods are about as long as the window, each is a cycle,
and its last window stands for it. Where they are longer, windows end at many steps of each; one that would reach back
before the start of a run is completed with normal time, so that the beginning of a fault is learned as it will be seen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tagsight_models.diagnosis.components import UNKNOWN, Component
from tagsight_models.diagnosis.normal_label import check_components, normal_label
from tagsight_models.diagnosis.settings import DiagnosisSettings
from tagsight_models.errors import LabelsUnusable, TooLittleData, UnusableInput
from tagsight_models.frame import Flags, Floats, Frame
from tagsight_models.training_data import LabelledPeriod, TrainingData
from tagsight_models.windows import windows

LEAST_OF_CLASS: Final = 10  # windows
CYCLE: Final = 1.5  # periods up to so many windows long are cycles
NOT_LABELLED: Final = -1
WHOLE: Final = -1  # of a window: it is completed from no other time


@dataclass(frozen=True, slots=True, eq=False)
class LabelledWindows:
    """Windows in the order of time.

    Attributes:
        values: shape (n, steps, roles), engineering units.
        labels: shape (n, components), number of the class, -1 where nobody said.
        ends: shape (n,), row of the frame that the window ends at.
        starts: shape (n,), the first row of its own (later than end - steps + 1 where it is completed).
        completed_to: shape (n,), the last row of the normal time that completes it, -1 where nothing does.
        periods: shape (n,), number of the labelled stretch that it ends in: time in which all labels stay.
        stretches: shape (stretches, 2), first and last row of each such stretch.
        components: in the order of the columns of `labels`.
        cycles: each window is a cycle.
    """

    values: Floats
    labels: NDArray[np.intp]
    ends: NDArray[np.intp]
    starts: NDArray[np.intp]
    completed_to: NDArray[np.intp]
    periods: NDArray[np.intp]
    stretches: NDArray[np.intp]
    components: tuple[Component, ...]
    cycles: bool

    def __len__(self) -> int:
        return len(self.values)

    def where(self, chosen: NDArray[Any]) -> "LabelledWindows":
        """Some of them, by flags or numbers."""
        return replace(
            self,
            values=self.values[chosen],
            labels=self.labels[chosen],
            ends=self.ends[chosen],
            starts=self.starts[chosen],
            completed_to=self.completed_to[chosen],
            periods=self.periods[chosen],
        )

    @property
    def normal(self) -> Flags:
        """Shape (n,): no component has a fault, as far as anybody said; False where nothing is ever normal."""
        kinds = [one.normal for one in self.components]
        if min(kinds) < 0:
            return np.zeros(len(self), dtype=np.bool_)
        return np.asarray((self.labels == np.asarray(kinds)).all(axis=1), dtype=np.bool_)


def labelled_windows(data: TrainingData, steps: int, settings: DiagnosisSettings) -> LabelledWindows:
    """Cut them.

    Raises:
        LabelsUnusable: no labels, labels outside the data, one class only, contradictory or empty labels.
        TooLittleData: too few windows of a class.
        UnusableInput: a role that never varies in labelled time.
    """
    frame = data.frame
    components = _components(data.periods, settings.normal)
    rows = _labels_of_rows(frame, data.periods, components)
    stretches = _stretches(rows, _run_starts(frame))
    if not len(stretches):
        raise _outside(frame, data.periods)
    cycles = float(np.median(stretches[:, 1] - stretches[:, 0] + 1)) <= CYCLE * steps
    made = _cut(frame, rows, stretches, components, steps, cycles=cycles)
    if not cycles:
        made = _completed(made, frame, rows, steps)
    made = made.where(_thinned(made, settings.windows_of_class))
    _check(made, rows)
    _vary(frame, made)
    return made


def _components(periods: Sequence[LabelledPeriod], normal: Mapping[str, str]) -> tuple[Component, ...]:
    if not periods:
        cause = "there are no labelled periods"
        raise LabelsUnusable(cause)
    labels: dict[str, list[str]] = {}
    for one in periods:
        label = one.label.strip()
        if not label or label.lower() in ("nan", "none", "null"):
            cause = f"a labelled period has no label (it is {one.label!r})"
            raise LabelsUnusable(cause)
        if label == UNKNOWN:
            cause = f"a label is {UNKNOWN!r}, which is the model's word for what nobody labelled"
            raise LabelsUnusable(cause)
        if not set(label + one.component).isdisjoint("/+#$"):
            cause = f"label {label!r} of {one.component or 'the asset'!r} has one of / + # $ in it"
            raise LabelsUnusable(cause)
        labels.setdefault(one.component, []).append(label)
    check_components(labels, normal)
    found = tuple(Component.of(name, given, normal_label(name, given, normal)) for name, given in labels.items())
    for component in found:
        if len(component.classes) < 2:
            cause = f"{component.shown} has one class only, {component.classes[0]!r}; at least two are needed"
            raise LabelsUnusable(cause)
    return found


def _labels_of_rows(
    frame: Frame, periods: Sequence[LabelledPeriod], components: tuple[Component, ...]
) -> NDArray[np.intp]:
    """Class of each component at each step, -1 where nobody said."""
    rows = np.full((len(frame.times), len(components)), NOT_LABELLED, dtype=np.intp)
    columns = {one.name: number for number, one in enumerate(components)}
    for one in periods:
        column = columns[one.component]
        number = components[column].classes.index(one.label.strip())
        part = slice(*np.searchsorted(frame.times, [one.start_ns, one.end_ns]).tolist())
        before = rows[part, column]
        if ((before != NOT_LABELLED) & (before != number)).any():
            other = components[column].classes[int(before[(before != NOT_LABELLED) & (before != number)][0])]
            cause = f"the same time is labelled {other!r} and {one.label!r} of {components[column].shown}"
            raise LabelsUnusable(cause)
        rows[part, column] = number
    return rows


def _run_starts(frame: Frame) -> Flags:
    """Steps before which no role has a value: a run of the machine begins there."""
    nothing = (frame.reasons != 0).all(axis=1)
    starts = np.concatenate([[True], nothing[:-1]]) & ~nothing
    return np.asarray(starts, dtype=np.bool_)


def _stretches(rows: NDArray[np.intp], run_starts: Flags) -> NDArray[np.intp]:
    """First and last row of each stretch in which all labels stay and something is labelled."""
    changed = np.ones(len(rows), dtype=np.bool_)
    changed[1:] = (rows[1:] != rows[:-1]).any(axis=1) | run_starts[1:]
    firsts = np.flatnonzero(changed)
    lasts = np.append(firsts[1:], len(rows)) - 1
    labelled = (rows[firsts] != NOT_LABELLED).any(axis=1)
    return np.stack([firsts[labelled], lasts[labelled]], axis=1)


def _cut(
    frame: Frame,
    rows: NDArray[np.intp],
    stretches: NDArray[np.intp],
    components: tuple[Component, ...],
    steps: int,
    *,
    cycles: bool,
) -> LabelledWindows:
    """All windows of one run each that end in a stretch; of a cycle the last."""
    made = windows(frame, steps)
    ends = np.arange(steps - 1, len(frame.times))
    run = np.cumsum(_run_starts(frame))
    usable = made.usable & (run[ends] == run[np.maximum(ends - steps + 1, 0)]) & ~_unlabelled(rows[ends])
    stretch = np.searchsorted(stretches[:, 0], ends, side="right") - 1
    usable &= (stretch >= 0) & (ends <= stretches[np.maximum(stretch, 0), 1])
    if cycles:
        last = np.append(stretch[usable][1:] != stretch[usable][:-1], True)[: int(usable.sum())]
        usable[np.flatnonzero(usable)[~last]] = False
    ends = ends[usable]
    return LabelledWindows(
        np.asarray(made.values[usable]),
        rows[ends],
        ends,
        ends - steps + 1,
        np.full(len(ends), WHOLE, dtype=np.intp),
        stretch[usable],
        stretches,
        components,
        cycles,
    )


def _unlabelled(rows: NDArray[np.intp]) -> Flags:
    return np.asarray((rows == NOT_LABELLED).all(axis=1), dtype=np.bool_)


def _completed(made: LabelledWindows, frame: Frame, rows: NDArray[np.intp], steps: int) -> LabelledWindows:
    """With windows that begin in normal time and go on with the first steps of a run that begins in a fault."""
    normal = np.flatnonzero(made.normal)
    if not len(normal):
        return made
    single = windows(frame, 1)
    run_starts = _run_starts(frame)
    kinds = np.asarray([one.normal for one in made.components])
    random = np.random.default_rng(0)
    found: list[tuple[Floats, int, int, int, int]] = []
    for number, (first, last) in enumerate(made.stretches):
        if not run_starts[first] or (rows[first] == kinds).all():
            continue
        for end in range(int(first), min(int(last), int(first) + steps - 2) + 1):
            own = slice(int(first), end + 1)
            if not single.usable[own].all():
                continue
            donor = int(random.choice(normal))
            before = made.values[donor, end + 1 - int(first) :]
            found.append(
                (np.concatenate([before, single.values[own, 0]]), end, int(first), int(made.ends[donor]), number)
            )
    if not found:
        return made
    values, ends, starts, completed, periods = (list(column) for column in zip(*found, strict=True))
    joined = replace(
        made,
        values=np.concatenate([made.values, np.stack(values)]),
        labels=np.concatenate([made.labels, rows[ends]]),
        ends=np.concatenate([made.ends, ends]),
        starts=np.concatenate([made.starts, starts]),
        completed_to=np.concatenate([made.completed_to, completed]),
        periods=np.concatenate([made.periods, periods]),
    )
    return joined.where(np.argsort(joined.ends, kind="stable"))


def _thinned(made: LabelledWindows, most: int) -> Flags:
    """At most so many windows of each combination of labels, spread evenly."""
    kept = np.zeros(len(made), dtype=np.bool_)
    _, kinds = np.unique(made.labels, axis=0, return_inverse=True)
    for kind in np.unique(kinds):
        rows = np.flatnonzero(kinds.reshape(-1) == kind)
        kept[rows[np.unique(np.linspace(0, len(rows) - 1, min(most, len(rows))).astype(np.intp))]] = True
    return kept


def _check(made: LabelledWindows, rows: NDArray[np.intp]) -> None:
    for column, one in enumerate(made.components):
        for number, label in enumerate(one.classes):
            found = int((made.labels[:, column] == number).sum())
            if found < LEAST_OF_CLASS:
                steps = made.values.shape[1]
                named = f"class {label!r} of {one.shown} has {found} windows of {steps} steps"
                least = LEAST_OF_CLASS if made.cycles else steps + LEAST_OF_CLASS
                what = f"learning a fault ({named})"
                raise TooLittleData(
                    what,
                    int((rows[:, column] == number).sum()),
                    least * steps if made.cycles else least,
                    mend="Label more time of this class, widen the `train` period, or leave the class out.",
                )


def _vary(frame: Frame, made: LabelledWindows) -> None:
    least, most = made.values.min(axis=(0, 1)), made.values.max(axis=(0, 1))
    for role, low, high in zip(frame.roles, least, most, strict=True):
        if low == high:
            raise UnusableInput(role.name, f"it is constant ({low:g}) in all labelled time")


def _outside(frame: Frame, periods: Sequence[LabelledPeriod]) -> LabelsUnusable:
    if not len(frame.times):
        return LabelsUnusable("there is no data at all")
    first, last = min(one.start_ns for one in periods), max(one.end_ns for one in periods)
    return LabelsUnusable(
        f"no labelled period lies in the data: labels from {_day(first)} to {_day(last)}, data from "
        f"{_day(int(frame.times[0]))} to {_day(int(frame.times[-1]))}"
    )


def _day(time_ns: int) -> str:
    return str(np.datetime64(time_ns, "ns").astype("datetime64[m]"))
