"""Recent laboratory values of a soft sensor, each with the inputs at the time of its sample.

A value and the inputs before it do not change, so what was read is kept: a tick reads only what is new. It is a cache
and no state: without it the same is read again.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from tagsight.framing import series_of
from tagsight.scoring_task import LabReading
from tagsight_connectors.history import Span, TagHistory
from tagsight_connectors.quality import Quality

ReadTarget = Callable[[Span], Awaitable[TagHistory]]
ReadInputs = Callable[[int], Awaitable[Mapping[str, TagHistory]]]
"""History of every role that a window which ends at this time (UTC ns) needs."""


@dataclass
class Laboratory:
    """What was read for one version of one model."""

    _kept: dict[int, LabReading] = field(default_factory=dict)

    async def readings(self, span: Span, target: ReadTarget, inputs: ReadInputs, most: int) -> tuple[LabReading, ...]:
        """The newest `most` values of the span, ascending; Bad ones and those that are no numbers do not count.

        Raises:
            HistorianError: as reading does.
        """
        values = series_of(await target(span))
        good = (values.quality != Quality.BAD) & np.isfinite(values.values)
        newest = dict(zip(values.times[good].tolist(), values.values[good].tolist(), strict=True))
        chosen = sorted(newest)[-most:]
        self._kept = {time: self._kept[time] for time in chosen if time in self._kept}
        for time in chosen:
            known = self._kept.get(time)
            if known is None:
                self._kept[time] = LabReading(time, newest[time], await inputs(time))
            elif known.value != newest[time]:  # the laboratory corrected it
                self._kept[time] = LabReading(time, newest[time], known.history)
        return tuple(self._kept[time] for time in chosen)
