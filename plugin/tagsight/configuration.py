"""The configuration file: read, checked with all its faults at once, compiled to a plan. Connects to nothing."""

import dataclasses
import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo, available_timezones

from tagsight.cautions import cautions
from tagsight.compilation import Compiler, history_store, retention
from tagsight.digest import digest_of
from tagsight.document import SIZE_LIMIT, Node, decode, read_tree
from tagsight.errors import ConfigurationError, Fault
from tagsight.plan import Destination, HistorianPlan, ModelPlan, Plan, ResultsPlan
from tagsight.platform import local_timezone
from tagsight.report_settings import Report
from tagsight.sisters import sister_key
from tagsight.specification import MODELS_LIMIT, Configuration, Historian, HistoryStore, Model, Results, Retention, Web
from tagsight.templates import expand, shown
from tagsight.validation import SettingFault, validate
from tagsight_explain.language import ENGLISH

_SECRET: Final = frozenset({"password", "passwd", "secret", "token"})
_USER_INFO: Final = re.compile(r"//[^/@]*@")


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found: the text, and a plan if there is no fault. Warnings read like faults and forbid nothing."""

    path: str
    plan: Plan | None
    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()
    text: str = ""


def load(path: Path) -> Plan:
    """The plan of a file.

    Raises:
        ConfigurationError: with every fault.
    """
    checked = check_file(path)
    if checked.plan is None:
        raise ConfigurationError(str(path), checked.faults)
    return checked.plan


def check_file(path: Path) -> Checked:
    """Read a file and report everything about it."""
    try:
        with path.open("rb") as stream:
            data = stream.read(SIZE_LIMIT + 1)
    except OSError as error:
        cause, mend = f"cannot be read: {error.strerror}", "`tagsight init` writes a first file."
        return Checked(str(path), None, (Fault(0, "file", str(path), cause, mend),))
    text, faults = decode(data)
    return Checked(str(path), None, tuple(faults)) if faults else check_text(text, path)


def check_text(text: str, path: Path) -> Checked:
    """The same for a text; tables of machines are looked for beside `path`."""
    root, faults = read_tree(text)
    if not isinstance(root.value, dict):
        faults.append(Fault(1, "file", "", "not a group of settings", "Write for example `timezone: Europe/Berlin`."))
    if not isinstance(root.value, dict) or any(fault.setting == "file" for fault in faults):
        return Checked(str(path), None, tuple(faults), text=text)
    check = _Check(root, path.absolute().parent, faults)
    plan = check.plan()
    ordered = sorted(_once(check.faults), key=lambda fault: fault.line)
    warnings = tuple(check.warnings) if not ordered else ()
    return Checked(str(path), None if ordered else plan, tuple(ordered), warnings, text)


@dataclass
class _Check:
    """One check of one file: every part is looked at, however many others are faulty."""

    root: Node
    folder: Path
    faults: list[Fault]
    warnings: list[Fault] = field(default_factory=list)

    def plan(self) -> Plan | None:
        _, found = validate(Configuration, {key: part for key, part in self.root.plain().items() if key != "models"})
        self._add(self.root, found)
        compiler = Compiler(self._timezone(), self.folder)
        historians, results = self._historians(compiler)
        models = self._models(self._part("models"), compiler, results)
        if self.faults:
            return None
        keep, _ = validate(Retention, self._plain("retention"))
        store, _ = validate(HistoryStore, self._plain("history_store"))
        pages = validate(Web, self._plain("web"))[0] if self._part("web") is not None else None
        web = compiler.web(pages) if pages is not None else None
        asked = validate(Report, self._plain("report"))[0] if self._part("report") is not None else None
        reporting = compiler.report(asked) if asked is not None else None
        language = str(self._plain("language") or ENGLISH)
        keeping = retention(keep), history_store(store)
        plan = Plan(compiler.timezone, historians, results, models, *keeping, language, web, reporting)
        self.warnings += cautions(plan, self.root)
        return dataclasses.replace(plan, digest=digest_of(plan))

    def _part(self, *path: str) -> Node | None:
        """What the file says there, None where it says nothing."""
        here: Node | None = self.root
        for step in path:
            here = here.value.get(step) if here is not None and isinstance(here.value, dict) else None
        return here

    def _plain(self, *path: str) -> Any:
        part = self._part(*path)
        return part.plain() if part is not None else {}

    def _timezone(self) -> ZoneInfo:
        part = self._part("timezone")
        name = part.value if part is not None and isinstance(part.value, str) else local_timezone()
        known = available_timezones()
        if name in known:
            return ZoneInfo(name)
        near = difflib.get_close_matches(str(name), known, n=1)
        mend = f"Did you mean {near[0]}?" if near else "Write for example Europe/Berlin or UTC."
        self._fault(part or self.root, "timezone", name, "no such time zone", mend)
        return ZoneInfo("UTC")

    def _historians(self, compiler: Compiler) -> tuple[dict[str, HistorianPlan], dict[str, ResultsPlan]]:
        general, _ = validate(Results, self._plain("results"))
        historians: dict[str, HistorianPlan] = {}
        results: dict[str, ResultsPlan] = {}
        for name, path in self._historian_paths():
            given, _ = validate(Historian, self._plain(*path))
            if given is not None:
                historians[name] = compiler.historian(name, given)
            own_part = self._part(*path, "results")
            own = general if own_part is None else validate(Results, own_part.plain())[0]
            if own is not None:
                results[name] = compiler.results(own, scheme=self._scheme(*path))
                where = ("results",) if own_part is None else (*path, "results")
                self._compiled(compiler, self._part(*where) or self.root, ".".join(where))
        listening = {
            f"{one.listen_host}:{one.listen_port} {one.listen_security.value}"
            for one in results.values()
            if one.to is Destination.SERVER
        }
        if len(listening) > 1:
            places = " and ".join(sorted(listening))
            self._fault(self.root.at(("historians",)), "results.listen", places, "TagSight has one server of its own",
                        "Write `listen` and `listen_security` once, below `results` of the file.")  # fmt: skip
        return historians, results

    def _scheme(self, *historian: str) -> str:
        url = self._part(*historian, "url")
        return str(url.value).split(":", 1)[0] if url is not None else ""

    def _historian_paths(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        if self._part("historian") is not None:
            yield "default", ("historian",)
        named = self._part("historians")
        if named is not None and isinstance(named.value, dict):
            yield from ((name, ("historians", name)) for name in named.value)

    def _models(
        self,
        part: Node | None,
        compiler: Compiler,
        results: Mapping[str, ResultsPlan],
    ) -> tuple[ModelPlan, ...]:
        if part is None or not isinstance(part.value, list) or not part.value:
            what, mend = (part or self.root), "`tagsight init` writes a file with a first one."
            self._fault(what, "models", what.value if part else None, "no model is configured", mend)
            return ()
        names = {name for name, _ in self._historian_paths()}
        models: dict[str, ModelPlan] = {}
        nodes: dict[str, tuple[Node, str]] = {}
        lines: dict[str, int] = {}
        for node in self._expanded(part.value):
            model, found = validate(Model, node.plain())
            prefix = f"models[{_name_of(node)}]"
            self._add(node, found, prefix)
            self._single(node, prefix, lines)
            if model is not None:
                compiled = compiler.model(model)
                self._compiled(compiler, node, prefix)
                self._refer(compiled, node, prefix, names, results)
                models[compiled.key.casefold()] = compiled
                nodes[compiled.key.casefold()] = node, prefix
        return tuple(self._with_sister(one, models, *nodes[key]) for key, one in models.items())

    def _with_sister(self, model: ModelPlan, models: Mapping[str, ModelPlan], node: Node, prefix: str) -> ModelPlan:
        """A model names its sister by her key, which may stand anywhere in the file."""
        found = sister_key(model, models)
        if isinstance(found, SettingFault):
            self._add(node, [found], prefix)
            return model
        return dataclasses.replace(model, sister=found)

    def _single(self, node: Node, prefix: str, lines: dict[str, int]) -> None:
        """No second model of the same asset and name, whatever else is wrong with either."""
        given = node.plain()
        key = [given.get(part) for part in ("asset", "name")] if isinstance(given, dict) else []
        if not key or not all(isinstance(part, str) for part in key):
            return  # said already, as a fault of its own
        both = "/".join(str(part) for part in key)
        first = lines.get(both.casefold())
        if first is not None:
            cause = f"a second model of this asset and name, the first is in line {first}"
            self._fault(node.at(("name",)), prefix, both, cause, "Give it another name.")
        lines.setdefault(both.casefold(), node.line)

    def _expanded(self, items: list[Node]) -> Iterator[Node]:
        part = self._part("templates")
        templates = part.value if part is not None and isinstance(part.value, dict) else {}
        count = 0
        for item in items:
            nodes, faults = expand(item, templates, self.folder)
            self.faults += faults
            for node in nodes:
                count += 1
                if count > MODELS_LIMIT:
                    self._fault(item, "models", None, f"more than {MODELS_LIMIT} models", "Use a second server.")
                    return
                yield node

    def _refer(
        self, model: ModelPlan, node: Node, prefix: str, names: set[str], results: Mapping[str, ResultsPlan]
    ) -> None:
        """What a model refers to exists, and it reads nothing that TagSight writes."""
        if model.historian not in names:
            known = f"Historians here: {', '.join(sorted(names)) or 'none'}."
            self._fault(node.at(("historian",)), f"{prefix}.historian", model.historian, "no such historian", known)
        root = results[model.historian].root if model.historian in results else ""
        for pattern in model.inputs:
            if root and pattern.startswith(root):
                mend = "Results are no inputs: remove it."
                self._fault(node.at(("inputs",)), f"{prefix}.inputs", pattern, "a tag that TagSight writes", mend)

    def _compiled(self, compiler: Compiler, node: Node, prefix: str) -> None:
        self._add(node, compiler.faults, prefix)
        compiler.faults.clear()

    def _add(self, node: Node, found: Iterable[SettingFault], prefix: str = "") -> None:
        for fault in found:
            steps = "".join(f"[{step + 1}]" if isinstance(step, int) else f".{step}" for step in fault.path)
            self._fault(node.at(fault.path), (prefix + steps).lstrip("."), fault.value, fault.cause, fault.mend)

    def _fault(self, node: Node, setting: str, value: object, cause: str, mend: str) -> None:
        secret = any(word in setting.rsplit(".", 1)[-1].lower() for word in _SECRET)
        text = "***" if secret else _USER_INFO.sub("//***@", shown(value))
        origin = f" ({node.origin})" if node.origin else ""
        self.faults.append(Fault(node.line, setting, text, cause + origin, mend))


def _name_of(node: Node) -> str:
    """How faults name a model: `P101/Health`, or what there is of it."""
    given = node.value if isinstance(node.value, dict) else {}
    parts = [shown(given[key].value) for key in ("asset", "name") if key in given]
    return "/".join(parts) or f"line {node.line}"


def _once(faults: Iterable[Fault]) -> list[Fault]:
    """The same fault of a template counts once, however many machines there are."""
    return list({(fault.line, fault.setting.rsplit("]", 1)[-1], fault.value, fault.cause): fault
                 for fault in reversed(list(faults))}.values())  # fmt: skip
