"""Which label of a component means that it has no fault: as the engineer says, else as the labels suggest."""

from collections.abc import Collection, Mapping

from tagsight_models.errors import LabelsUnusable
from tagsight_models.training_data import NORMAL

MEND = "Correct `diagnosis.labels.normal` or `normal_of`: they name a label that there is, as it is written there."


def normal_label(component: str, labels: Collection[str], given: Mapping[str, str]) -> str:
    """The label without a fault; one that is not among the labels where nothing says which it is.

    `given` maps component to label; what it says of "", the whole asset, holds for every component that is not named
    and has that label. Without a word of the engineer it is "normal", however it is written; of severities, all numbers
    and none below 0, it is 0. Which end of other severities is the healthy one nobody can know.

    Raises:
        LabelsUnusable: the engineer names a label that does not occur.
    """
    known = sorted(set(labels))
    if component in given:
        if given[component] not in known:
            whose = component or "the asset"
            cause = f"{given[component]!r} is said to be normal of {whose}, whose labels are {', '.join(known)}"
            raise LabelsUnusable(cause, mend=MEND)
        return given[component]
    for label in (given.get(""), NORMAL):
        if label in known:
            return label
    written = [label for label in known if label.lower() == NORMAL]
    return written[0] if written else _nothing_of(known)


def check_components(labels: Mapping[str, Collection[str]], given: Mapping[str, str]) -> None:
    """What the engineer says is about components that have labels, `labels` by component.

    Raises:
        LabelsUnusable: it is not.
    """
    if "" in given and not any(given[""] in of_one for of_one in labels.values()):
        cause = f"{given['']!r} is said to be normal, and no period is labelled so"
        raise LabelsUnusable(cause, mend=MEND)
    for name in given:
        if name and name not in labels:
            known = ", ".join(filter(None, labels)) or "none"
            cause = f"`normal_of` names {name!r}, and no label is about it; components with labels: {known}"
            raise LabelsUnusable(cause, mend=MEND)


def _nothing_of(labels: Collection[str]) -> str:
    """The label that is 0 where all are numbers from 0 on."""
    try:
        numbers = {label: float(label) for label in labels}
    except ValueError:
        return NORMAL
    least = min(numbers, key=lambda label: numbers[label])
    return least if numbers[least] == 0.0 else NORMAL
