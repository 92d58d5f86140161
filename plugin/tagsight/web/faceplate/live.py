"""What is new, for all faceplates of a process: one look at the ledger twice a second, however many are open."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from tagsight.errors import NotReady, StorageError
from tagsight.heartbeat import HeartbeatWatch
from tagsight.ledger.bindings import BoundModel
from tagsight.ledger.ledger import Ledger
from tagsight.output_tags import PLUGIN
from tagsight.results import OutputValue
from tagsight.served_alarms import LedgerAlarms
from tagsight.web.faceplate.snapshot import Seen, snapshot
from tagsight.web.faceplate.trends import MINUTE_NS, Trend
from tagsight.web.site import Site

LOOK_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class _Known:
    """What tells that nothing has changed."""

    sequence: int = -1
    audit: int = -1
    bindings: str = ""
    retractions: int = -1
    alive: bool = False


@dataclass
class Broadcasts:
    """Snapshots of assets, made anew when the ledger has something new, and only of those that somebody looks at."""

    site: Site
    _alarms: LedgerAlarms | None = field(default=None, init=False)
    _watch: HeartbeatWatch = field(init=False)
    _known: _Known = field(default_factory=_Known, init=False)
    _models: Mapping[str, tuple[BoundModel, ...]] = field(default_factory=dict, init=False)
    _outputs: dict[str, dict[str, OutputValue]] = field(default_factory=dict, init=False)
    _trends: dict[str, Trend] = field(default_factory=dict, init=False)
    _sequence: int = field(default=0, init=False)
    _anew: set[str] = field(default_factory=set, init=False)
    _made: dict[str, str] = field(default_factory=dict, init=False)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    _looked: float = field(default=float("-inf"), init=False)

    def __post_init__(self) -> None:
        self._watch = HeartbeatWatch(self.site.heartbeat, self.site.clock)

    def alarms(self) -> LedgerAlarms:
        """The conditions, and where acts on them go: as the tag server has them. Raises as `Site.ledger`."""
        if self._alarms is None:
            site = self.site
            self._alarms = LedgerAlarms(site.ledger(), site.heartbeat, site.inbox, site.clock, language=site.language)
        return self._alarms

    async def of(self, asset: str) -> str | None:
        """The snapshot of an asset as JSON, the very same text while nothing has changed; None: no such asset.

        Raises:
            NotReady: TagSight has not run yet.
            StorageError: the ledger cannot be read.
        """
        async with self._turn:
            now = self.site.clock.monotonic()
            if now - self._looked >= LOOK_S or asset not in self._made:
                return await asyncio.to_thread(self._look, asset, now)
            return self._made[asset]

    def _look(self, asset: str, now: float) -> str | None:
        ledger, alive = self.site.ledger(), self._watch.is_alive()
        known = _Known(
            ledger.last_sequence(), ledger.last_audit(), ledger.bindings_digest(), ledger.retractions(), alive
        )
        self._looked = now
        if known != self._known:
            self._take_over(ledger, known)
        if asset not in self._models:
            return None
        if asset not in self._made:
            self._made[asset] = json.dumps(self._snapshot(ledger, asset), ensure_ascii=False, allow_nan=False)
        return self._made[asset]

    def _take_over(self, ledger: Ledger, known: _Known) -> None:
        self._made.clear()
        if known.bindings != self._known.bindings:
            models: dict[str, list[BoundModel]] = {}
            for bound in ledger.bindings():
                models.setdefault(bound.model.partition("/")[0], []).append(bound)
            self._models = {asset: tuple(found) for asset, found in models.items()}
        if known.retractions != self._known.retractions:
            self._outputs.clear()
            self._sequence = 0
            self._anew = set(self._trends)
        for one in ledger.newest_rows(self._sequence):
            self._sequence = max(self._sequence, one.sequence)
            self._outputs.setdefault(one.row.model, {}).update({value.output: value for value in one.row.values})
        self._known = known

    def _snapshot(self, ledger: Ledger, asset: str) -> Mapping[str, Any]:
        conditions = {one.name: one for one in self.alarms().conditions()}
        newest, states = ledger.newest_activations(), ledger.operator_states()
        shown = []
        for bound in self._models[asset]:
            model = bound.model
            runs = self._trend(model).look(ledger, self.site.clock.now_ns(), anew=model in self._anew)
            self._anew.discard(model)
            set_by = {"state": states[model]} if model in states else {}
            seen = Seen(
                bound,
                self._outputs.get(model, {}),
                runs,
                conditions.get(model),
                newest.get(model),
                code=self.site.language,
                **set_by,
            )
            shown.append(snapshot(seen))
        status = self._watch.status
        return {
            "asset": asset,
            "alive": self._known.alive,
            "stopped": self._watch.stopped_orderly(),
            "last": status.time_ns // 1_000_000 if status is not None else None,
            "off": states[PLUGIN].off if PLUGIN in states else False,
            "models": sorted(shown, key=_urgency),
        }

    def _trend(self, model: str) -> Trend:
        if model not in self._trends:
            self._trends[model] = Trend(model, self._every_ns(model))
        return self._trends[model]

    def _every_ns(self, model: str) -> int:
        with suppress(NotReady, StorageError):
            plan = self.site.plan()
            for one in plan.models if plan is not None else ():
                if one.key == model:
                    return one.score.every_ns
        return MINUTE_NS


def _urgency(model: Mapping[str, Any]) -> tuple[bool, bool, float]:
    """What needs a look stands first."""
    return not model["alarm"], model["state"] == 0, -(model["score"] or 0.0)
