"""The first configuration file of an engineer: at most twelve lines that say something."""

from collections.abc import Sequence
from typing import Final

from tagsight.validation import as_yaml

LAST: Final = "last: 90d"


def first_file(
    url: str,
    asset: str,
    inputs: Sequence[str],
    *,
    timezone: str,
    user: str = "",
    anonymous: bool = False,
    running: str = "",
    train: str = LAST,
) -> str:
    """The text of a file with one model; `tagsight.configuration.check_text` says whether it can be used.

    `train`: the settings of the training period.
    """
    remark = 'add `every: "sun 03:30"` to train again by the calendar' if train == LAST else "name normal time only"
    who = f", user: {_quoted(user)}" if user else ", anonymous: true" if anonymous else ""
    password = "    # its password: `tagsight password set default`" if user else ""
    condition = (
        f"    running: {_quoted(running)}" if running else '    # running: "[Plant/P101/Speed] > 100"    # else always'
    )
    return f"""\
# TagSight. Every setting: docs/configuration.md; `tagsight check` reads this file and connects to nothing.
timezone: {as_yaml(timezone)}    # of every date and schedule in this file
historian: {{url: {_quoted(url)}{who}}}{password}
results: {{to: server}}    # TagSight's own OPC UA server; add `listen: "0.0.0.0:4841"` for other machines
models:
  - name: Health
    asset: {_quoted(asset)}
    inputs: [{", ".join(_quoted(pattern) for pattern in inputs)}]
    # Scores and learns only while this holds:
{condition}
    train: {{{train}}}    # {remark}
    score: {{every: 1m}}
    alarm: {{at_most: 2 per month, on_delay: 5m}}
"""


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
