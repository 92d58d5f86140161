"""The model card: what a model was trained on, how its limit came about, what it is worth and what it cannot see."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

from tagsight_models.frame import Role
from tagsight_models.job_output import JobOutput

FORMAT = 1


@dataclass(frozen=True, slots=True)
class ModelCard:
    """JSON values only, but for `roles`.

    Attributes:
        job: key of `tagsight_models.jobs.JOBS`.
        roles: in the order of the model's columns.
        dropped: roles that were left out, with the cause.
        grid_ns: distance of the steps.
        window_steps: steps of a window.
        start_ns: first step of the data, UTC.
        end_ns: last step of the data, UTC.
        used_steps: steps that the model learned from.
        counts: per role, samples by the words of their reason.
        limit_start_ns: first step of the held-out normal time, UTC.
        limit_end_ns: last step of it.
        limit: how the limit was found: value, normal, low, high, rule, words, normal_ns, activations.
        budget: at_most, per_ns, on_ns, off_ns, every_ns.
        provisional: "" or why the limit is provisional, for people.
        comparison: `lines` and `verdict` for people, and the results of the job's comparison.
        trial: the model must not alarm.
        metrics: of training: losses, epochs.
        seconds: of training, comparison and calibration. Not in `digest`.
        stopped_by_time: the time budget ended the training.
        seed: of the training.
        data_hash: of the values and reasons of the frame.
        plan_hash: of the configuration.
        versions: of the libraries that decide the bytes.
        cannot_see: sentences.
        gates: what the caller needs to gate live data as in training; opaque here.
        outputs: what the model says beside its score.
        asks: what must be read beside the inputs to score: at most `target_values` values of the target, so many that
            count, from `target_back_ns` back, and known `target_known_after_ns` after their time; {} for nothing.
        facts: of calibration and training, beside the metrics.
        doubts: why an engineer should look before approving it, for people.
    """

    job: str
    roles: tuple[Role, ...]
    dropped: Mapping[str, str]
    grid_ns: int
    window_steps: int
    start_ns: int
    end_ns: int
    used_steps: int
    counts: Mapping[str, Mapping[str, int]]
    limit_start_ns: int
    limit_end_ns: int
    limit: Mapping[str, Any]
    budget: Mapping[str, Any]
    provisional: str
    comparison: Mapping[str, Any]
    trial: bool
    metrics: Mapping[str, float]
    seconds: float
    stopped_by_time: bool
    seed: int
    data_hash: str
    plan_hash: str
    versions: Mapping[str, str]
    cannot_see: tuple[str, ...]
    gates: Mapping[str, Any]
    outputs: tuple[JobOutput, ...] = ()
    doubts: tuple[str, ...] = ()
    asks: Mapping[str, int] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """Sorted, so that the same card has the same bytes."""
        return json.dumps({"format": FORMAT, **asdict(self)}, sort_keys=True, indent=1, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> "ModelCard":
        """Read back.

        Raises:
            ValueError: not a card of this format.
        """
        raw = json.loads(text)
        if not isinstance(raw, dict) or raw.pop("format", None) != FORMAT:
            msg = f"not a model card of format {FORMAT}"
            raise ValueError(msg)
        wanted = {each.name for each in fields(cls)}
        if set(raw) != wanted:
            msg = f"keys of the card differ: {sorted(set(raw) ^ wanted)}"
            raise ValueError(msg)
        try:
            roles = tuple(Role(**role) for role in raw["roles"])
            outputs = tuple(JobOutput(**output) for output in raw["outputs"])
        except TypeError as error:
            msg = f"a role or an output of the card: {error}"
            raise ValueError(msg) from error
        return cls(
            **{
                **raw,
                "roles": roles,
                "outputs": outputs,
                "cannot_see": tuple(raw["cannot_see"]),
                "doubts": tuple(raw["doubts"]),
            }
        )

    def takes_windows_of(self, other: "ModelCard") -> bool:
        """Whether both versions are for the same job and can score the same windows."""
        names, others = ([role.name for role in card.roles] for card in (self, other))
        shape, its = ((card.job, card.grid_ns, card.window_steps) for card in (self, other))
        return shape == its and names == others

    def words(self) -> str:
        """One readable page."""
        lines = [
            f"Job            {self.job}",
            f"Inputs         {len(self.roles)}: {', '.join(role.name for role in self.roles)}",
            *(f"Left out       {name}: {cause}" for name, cause in self.dropped.items()),
            f"Data           {_day(self.start_ns)} to {_day(self.end_ns)}, grid {self.grid_ns / 1e9:g} s",
            f"Learned from   {self.used_steps} steps",
            *(f"Not used       {line}" for line in self._excluded()),
            *self._limit_words(),
            *([f"               {self.provisional}"] if self.provisional else []),
            f"Worth          {self.comparison['verdict']}",
            *(f"               {line}" for line in self.comparison["lines"]),
            f"State          {'trial: it does not alarm' if self.trial else 'may alarm'}",
            *(f"Doubt          {sentence}" for sentence in self.doubts),
            f"Training       {self._training_words()}",
            *(f"               {line}" for line in self._remarks()),
            *(f"Cannot see     {sentence}" for sentence in self.cannot_see),
            f"Data hash      {self.data_hash}",
            f"Plan hash      {self.plan_hash}",
            f"Versions       {', '.join(f'{name} {version}' for name, version in self.versions.items())}",
        ]
        return "\n".join(lines)

    def _remarks(self) -> list[str]:
        """What helped: a sister's model, a search."""
        return list(self.comparison.get("remarks", ()))

    def _training_words(self) -> str:
        epochs = (
            f"{self.metrics['epochs']:.0f} epochs, best {self.metrics['best_epoch']:.0f}, "
            if "epochs" in self.metrics
            else ""
        )
        return f"{epochs}{self.seconds:.1f} s{', stopped by its time budget' if self.stopped_by_time else ''}"

    def _limit_words(self) -> list[str]:
        """Where the limit comes from; a job whose limit the engineer sets has its words only."""
        words = [f"Limit          {self.limit['words']}"]
        if "activations" in self.limit:
            span = f"from {_day(self.limit_start_ns)} to {_day(self.limit_end_ns)}"
            words.append(f"               {span}, {self.limit['activations']} activations in it")
        return words

    def in_short(self) -> str:
        """What to know after a training; `words` has the rest."""
        lines = [
            f"Inputs         {len(self.roles)}",
            *(f"Left out       {name}: {cause}" for name, cause in self.dropped.items()),
            f"Learned from   {self.used_steps} steps, {_day(self.start_ns)} to {_day(self.end_ns)}",
            f"Limit          {self.limit['words']}",
            *([f"               {self.provisional}"] if self.provisional else []),
            f"Worth          {self.comparison['verdict']}",
            *(f"Training       {line}" for line in self._remarks()),
            *(f"Doubt          {sentence}" for sentence in self.doubts),
        ]
        return "\n".join(lines)

    def _excluded(self) -> list[str]:
        return [
            f"{role}: {', '.join(f'{count} {reason}' for reason, count in counts.items() if reason != 'used')}"
            for role, counts in self.counts.items()
            if any(reason != "used" for reason in counts)
        ]


def _day(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M UTC")
