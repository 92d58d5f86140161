"""From validated settings to the plan: dates to UTC, defaults, and the rules that need more than one group."""

import difflib
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from tagsight import specification as spec
from tagsight.cause_patterns import roles_by_configuration, unknown_role
from tagsight.job_compilation import JobCompiler
from tagsight.job_plans import JobPlan
from tagsight.plan import (
    AlarmPlan,
    CausePlan,
    CostPlan,
    Destination,
    Detail,
    HistorianPlan,
    HistoryStorePlan,
    InputPlan,
    Job,
    LiveMode,
    ModelPlan,
    Period,
    ReportPlan,
    ResultsPlan,
    Retention,
    ScorePlan,
    Security,
    TrainPlan,
    WebPlan,
)
from tagsight.report_settings import Report
from tagsight.validation import SettingFault

WEAR_WINDOW: Final = 120
"""Steps of a window of a prognosis unless set: as long as wear can be told from noise."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DEFAULT_LAST: Final = 90 * spec.DAY
_OWN_ADDRESS: Final = "{asset}/{model}/{output}"  # for historians that take any name: files and memory
_OPC_UA_ADDRESS: Final = re.compile(r"(?:nsu=[^;{}]+;|ns=\d{1,5};)s=(?P<text>.*)", re.ASCII)


@dataclass
class Compiler:
    """Compiles the parts of one file; faults gather in `faults`, with paths relative to the part."""

    timezone: ZoneInfo
    folder: Path
    faults: list[SettingFault] = field(default_factory=list)

    def historian(self, name: str, given: spec.Historian) -> HistorianPlan:
        """One historian; a relative path of a `file:` URL counts from the folder of the configuration."""
        return HistorianPlan(
            name=name,
            url=_absolute(given.url, self.folder),
            user=given.user,
            security=Security(given.security),
            timeout_s=given.timeout / 1e9,
            redundant=tuple(given.redundant),
            user_certificate=self._file(given.user_certificate),
            user_key=self._file(given.user_key),
            anonymous=given.anonymous,
            live=LiveMode(given.live),
        )

    def web(self, given: spec.Web) -> WebPlan:
        """The pages; relative paths count from the folder of the configuration."""
        host, port = given.listen
        certificate = given.certificate or ""
        return WebPlan(
            listen_host=host,
            listen_port=port,
            certificate=certificate if certificate in ("", "own") else self._file(certificate),
            key=self._file(given.key),
            frames=tuple(dict.fromkeys(given.frames)),
            session_ns=given.session,
            idle_ns=given.idle,
            plain_http=given.plain_http_readable_by_everyone,
        )

    def report(self, given: Report) -> ReportPlan:
        """Shift reports; a relative folder counts from that of the configuration."""
        return ReportPlan(tuple(given.every), given.last, self._file(given.to))

    def _file(self, name: str | None) -> str:
        return str((self.folder / name).resolve()) if name else ""

    def results(self, given: spec.Results, scheme: str) -> ResultsPlan:
        """Where the results for models of one historian go; `scheme` of its URL."""
        host, port = given.listen
        if given.to == "server":
            security = Security(given.listen_security)
            return ResultsPlan(Destination.SERVER, listen_host=host, listen_port=port, listen_security=security)
        is_opc_ua = scheme == "opc.tcp"
        address = given.address or ("" if is_opc_ua else _OWN_ADDRESS)
        root = given.root if given.root is not None else address.split("{", 1)[0]
        if not address:
            self._fault(("address",), None, "`to: write` needs the address of the tags",
                        'Write for example `address: "ns=2;s=TagSight.{asset}.{model}.{output}"`.')  # fmt: skip
        elif is_opc_ua:
            self._check_root(address, root)
        elif given.root is not None and not address.startswith(root):
            self._fault(("root",), root, "the addresses do not begin with it", "Write the part before the first brace.")
        return ResultsPlan(Destination(given.to), address, root, host, port)

    def _check_root(self, address: str, root: str) -> None:
        match = _OPC_UA_ADDRESS.fullmatch(address)
        if match is None:
            self._fault(("address",), address, "not an address of OPC UA tags with string identifiers",
                        'Write for example "ns=2;s=TagSight.{asset}.{model}.{output}".')  # fmt: skip
        elif not address.startswith(root):
            self._fault(("root",), root, "the addresses do not begin with it", "Write the part before the first brace.")
        elif len(root) <= match.start("text"):
            self._fault(("address",), address, "it would allow writing to every tag of the historian",
                        'Begin with a name of TagSight\'s own: "ns=2;s=TagSight.{asset}...".')  # fmt: skip

    def model(self, given: spec.Model) -> ModelPlan:
        """One model."""
        settings = {
            role.tag or name: InputPlan(
                role=name if role.tag else None,
                interpolation=role.interpolation,
                max_gap_ns=role.max_gap,
                smallest_deviation=role.smallest_deviation,
            )
            for name, role in given.roles.items()
        }
        tags = [role.tag for role in given.roles.values() if role.tag]
        if len(set(tags)) < len(tags):
            twice = next(tag for tag in tags if tags.count(tag) > 1)
            self._fault(("roles",), twice, "two roles have the same tag", "Give each role a tag of its own.")
        target = [given.production.target] if given.production else []  # what is lost is judged by its own value
        inputs = tuple(dict.fromkeys([*given.inputs, *tags, *target]))
        roles = roles_by_configuration(inputs, settings)
        self._causes(given, None if roles is None else roles | given.explain.groups.keys())
        self._groups(given, roles)
        return ModelPlan(
            asset=given.asset,
            name=given.name,
            job=Job(given.job),
            historian=given.historian,
            inputs=inputs,
            exclude_inputs=tuple(given.exclude_inputs),
            input_settings=settings,
            running=given.running,
            running_buffer_ns=given.running_buffer,
            train=self._train(given.train),
            score=self._score(given.score, given.job),
            alarm=_alarm(given.alarm),
            outputs=Detail(given.outputs),
            explainer=given.explain.explainer,
            explain_seconds=given.explain.seconds,
            explain_absent=given.explain.absent or "",
            explain_groups=tuple((name, tuple(roles)) for name, roles in given.explain.groups.items()),
            explain_normal_every_ns=given.explain.normal_every,
            causes=tuple(CausePlan(one.pattern, one.say) for one in given.causes),
            of_job=self._of_job(given),
            network=given.network or "",
            sister=given.sister or "",
            substitute=given.substitute,
            regime=given.regime or "",
        )

    def _of_job(self, given: spec.Model) -> JobPlan | None:
        compiler = JobCompiler(self.folder, self._utc)
        plan = compiler.plan(given)
        self.faults += compiler.faults
        return plan

    def _causes(self, given: spec.Model, roles: frozenset[str] | None) -> None:
        """Patterns name roles of the model, as far as the file tells what these are."""
        for index, one in enumerate(given.causes):
            unknown = unknown_role(one.pattern, roles) if roles is not None else None
            if unknown is not None:
                role, mend = unknown
                self._fault(("causes", index, "if"), one.pattern.text, f"this model has no role {role!r}", mend)

    def _groups(self, given: spec.Model, roles: frozenset[str] | None) -> None:
        """Groups hold roles of the model, as far as the file tells what these are, and have names of their own."""
        if roles is None:
            return
        for name, members in given.explain.groups.items():
            for member in sorted(set(members) - roles):
                near = difflib.get_close_matches(member, sorted(roles), n=1)
                some = f"Roles of this model: {', '.join(sorted(roles)[:5])}."
                mend = f"Did you mean {near[0]}?" if near else some
                self._fault(("explain", "groups", name), member, f"this model has no role {member!r}", mend)
            if name in roles and name not in members:
                what = f"{name!r} is a role outside the group"
                self._fault(("explain", "groups", name), name, what, "Give the group another name.")

    def _train(self, given: spec.Train) -> TrainPlan:
        period = self._period(given.start, given.end, ("train",))
        held_out = self._period(given.limit.start, given.limit.end, ("train", "limit")) if given.limit else None
        if period and held_out and period[0] < held_out[1] and held_out[0] < period[1]:
            self._fault(("train", "limit", "from"), _text(given.limit.start if given.limit else None),
                        "the held-out time overlaps the time that is learned from",
                        "Choose normal time before `from` or after `to`.")  # fmt: skip
        exclude = [
            Period(*span, one.reason)
            for index, one in enumerate(given.exclude)
            if (span := self._period(one.start, one.end, ("train", "exclude", index)))
        ]
        return TrainPlan(
            last_ns=None if given.start else given.last or _DEFAULT_LAST,
            start_ns=period[0] if period else None,
            end_ns=period[1] if period else None,
            every=given.every,
            exclude=tuple(exclude),
            at_most_seconds=given.at_most / 1e9,
            seed=given.seed,
            limit_start_ns=held_out[0] if held_out else None,
            limit_end_ns=held_out[1] if held_out else None,
            search=given.search or 0,
            promote=given.promote == "when_it_holds",
        )

    def _score(self, given: spec.Score, job: str) -> ScorePlan:
        window = WEAR_WINDOW if job == "prognosis" and "window" not in given.model_fields_set else given.window
        if given.grid is not None and given.every % given.grid:
            self._fault(("score", "every"), None, "not a whole multiple of `grid`: scores lie on the grid",
                        "Write a multiple of `grid`.")  # fmt: skip
        return ScorePlan(
            given.every, given.grid, window, given.wait, given.late, given.catch_up, given.read == "averages"
        )

    def _period(
        self, start: datetime | None, end: datetime | None, path: tuple[str | int, ...]
    ) -> tuple[int, int] | None:
        if start is None or end is None:
            return None
        start_ns, end_ns = self._utc(start, (*path, "from")), self._utc(end, (*path, "to"))
        if start_ns is None or end_ns is None:
            return None
        if end_ns <= start_ns:
            self._fault((*path, "to"), _text(end), "not after `from`", "Write a later day or time.")
            return None
        return start_ns, end_ns

    def _utc(self, moment: datetime, path: tuple[str | int, ...]) -> int | None:
        """UTC ns; a local time that exists twice or never at a change of the clocks is a fault."""
        if moment.tzinfo is None:
            local = moment.replace(tzinfo=self.timezone)
            offsets = [local.replace(fold=fold).utcoffset() for fold in (0, 1)]
            if offsets[0] != offsets[1]:
                there_and_back = local.astimezone(UTC).astimezone(self.timezone)
                exists = there_and_back.replace(tzinfo=None) == moment
                cause = "exists twice" if exists else "does not exist"
                offset = local.strftime("%z")
                self._fault(path, _text(moment), f"this time {cause}: the clocks of {self.timezone.key} change there",
                            f'Write it with its offset: "{_text(moment)}{offset[:3]}:{offset[3:]}".')  # fmt: skip
                return None
            moment = local
        return (moment - _EPOCH) // timedelta(microseconds=1) * 1_000

    def _fault(self, path: tuple[str | int, ...], value: object, cause: str, mend: str) -> None:
        self.faults.append(SettingFault(path, value, cause, mend))


def retention(given: spec.Retention) -> Retention:
    """How long the ledger keeps."""
    return Retention(given.keep, given.at_most)


def history_store(given: spec.HistoryStore) -> HistoryStorePlan:
    """What is kept of histories."""
    return HistoryStorePlan(given.use, given.keep, given.at_most, given.refill)


def _alarm(given: spec.Alarm) -> AlarmPlan:
    at_most, per_ns = given.at_most
    cost = None if given.cost is None else CostPlan(given.cost.false_alarm, given.cost.missed, *given.cost.faults)
    return AlarmPlan(at_most, per_ns, given.on_delay, given.off_delay, given.latch, given.severity, cost)


def _absolute(url: str, folder: Path) -> str:
    parts = urlsplit(url)
    if parts.scheme != "file" or parts.netloc or parts.path.startswith("/"):
        return url
    query = f"?{parts.query}" if parts.query else ""
    return (folder / parts.path).resolve().as_uri() + query


def _text(moment: datetime | None) -> str:
    return moment.isoformat(sep=" ") if moment else ""
