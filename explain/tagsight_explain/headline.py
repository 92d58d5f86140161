"""What a job says beside the score, in a few words at the head of the operator's sentence. Plain values in, text out.

`bearing (82 %)`, `12 d left (9 to 16 d)`, `44.2 cSt predicted`, `3.1 t/h below what is possible`; "" where there is
nothing to say.
"""

from collections.abc import Iterator, Mapping
from math import isfinite

from tagsight_explain.language import ENGLISH, Language, language

NORMAL = "normal"
UNKNOWN = "unknown"
HOURS_IN_DAYS = 48.0  # from here on days are easier to read


def headline(results: Mapping[str, float | str], units: Mapping[str, str], *, code: str = ENGLISH) -> str:
    """Of the results of one run.

    Args:
        results: output name -> value, as the model gave them.
        units: output name -> engineering unit.
        code: of the language.
    """
    words = language(code)
    said = [*_classes(results, words), *_remaining(results, words), *_production(results, units, words)]
    return ", ".join(said)


def _classes(results: Mapping[str, float | str], words: Language) -> Iterator[str]:
    """Every component that is not normal; one without a normal state is always said."""
    for output, label in results.items():
        level, _, component = output.partition("/")
        if level != "Class" or label == NORMAL or not isinstance(label, str):
            continue
        probability = results.get("/".join(filter(None, ("Probability", component, label))))
        named = words.texts["unknown_fault"] if label == UNKNOWN else label
        if isinstance(probability, float) and isfinite(probability):
            named = words.say("diagnosed", label=named, probability=f"{100.0 * probability:.0f}")
        yield words.say("component", component=component, label=named) if component else named


def _remaining(results: Mapping[str, float | str], words: Language) -> Iterator[str]:
    left, lower, upper = (results.get(name) for name in ("RemainingLife", "Lower", "Upper"))
    if isinstance(left, float) and isinstance(lower, float) and isinstance(upper, float) and isfinite(left):
        yield words.say("remaining", left=_time(left, words), lower=_time(lower, words), upper=_time(upper, words))


def _time(hours: float, words: Language) -> str:
    if hours < HOURS_IN_DAYS:
        return words.say("hours", number=words.number(f"{hours:.1f}" if hours < 10.0 else f"{hours:.0f}"))
    return words.say("days", number=f"{hours / 24.0:.0f}")


def _production(results: Mapping[str, float | str], units: Mapping[str, str], words: Language) -> Iterator[str]:
    """A loss where the job tells one, else the prediction."""
    for output, text in (("Loss", "lost"), ("Prediction", "predicted")):
        value = results.get(output)
        if isinstance(value, float) and isfinite(value):
            number = words.number(f"{value:.4g}")
            yield words.say(text, value=f"{number} {units[output]}" if units.get(output) else number)
            return
