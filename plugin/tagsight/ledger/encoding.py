"""How runs, outputs and bindings are written as JSON, and read back as they were (NaN and infinities too)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tagsight.binding import Binding
from tagsight.ledger.records import RefusedTag
from tagsight.results import ExplanationResult, OutputValue, RoleResult
from tagsight_models.frame import Role
from tagsight_models.job_output import JobOutput


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def encode_outputs(values: Sequence[OutputValue]) -> str:
    """`{"Score":[0.31,0],...}`: the output is the key, so that a row can be asked for one."""
    return _json({one.output: [one.value, one.status] for one in values})


def decode_outputs(text: str) -> tuple[OutputValue, ...]:
    """The inverse of `encode_outputs`."""
    return tuple(OutputValue(output, value, status) for output, (value, status) in json.loads(text).items())


def needles(output: str) -> tuple[str, str]:
    """Texts of which exactly one stands in every encoded row that has `output`, and none in any other.

    A quote inside a JSON string is always preceded by a backslash, so neither can occur in a value or a longer key.
    """
    key = _json(output)
    return f"{{{key}:", f",{key}:"


def encode_roles(roles: Sequence[RoleResult]) -> str:
    """One list a role."""
    return _json([[one.role, one.actual, one.expected, one.lower, one.upper] for one in roles])


def decode_roles(text: str) -> tuple[RoleResult, ...]:
    """The inverse of `encode_roles`."""
    return tuple(RoleResult(*one) for one in json.loads(text))


def encode_results(results: Mapping[str, float | str]) -> str:
    """Outputs of the job."""
    return _json(dict(results))


def decode_results(text: str) -> Mapping[str, float | str]:
    """The inverse of `encode_results`."""
    found: dict[str, float | str] = json.loads(text)
    return found


def encode_explanation(explanation: ExplanationResult | None) -> str | None:
    """None stays None."""
    if explanation is None:
        return None
    return _json(
        {
            "base": explanation.base,
            "contributions": dict(explanation.contributions),
            "standard_error": dict(explanation.standard_error),
            "failure": explanation.failure,
            "without": dict(explanation.without),
        }
    )


def decode_explanation(text: str | None) -> ExplanationResult | None:
    """The inverse of `encode_explanation`."""
    return None if text is None else ExplanationResult(**json.loads(text))


def encode_refused(refused: Sequence[RefusedTag]) -> str:
    """One pair a tag."""
    return _json([[one.address, one.status] for one in refused])


def decode_refused(text: str) -> tuple[RefusedTag, ...]:
    """The inverse of `encode_refused`."""
    return tuple(RefusedTag(address, status) for address, status in json.loads(text))


def encode_addresses(addresses: Sequence[str]) -> str:
    """A list."""
    return _json(list(addresses))


def decode_addresses(text: str) -> tuple[str, ...]:
    """The inverse of `encode_addresses`."""
    return tuple(json.loads(text))


def encode_binding(
    binding: Binding | None,
    *,
    detail: bool,
    severity: int,
    outputs: Sequence[JobOutput] = (),
    groups: Sequence[tuple[str, Sequence[str]]] = (),
) -> str:
    """A model that has not been bound yet has `binding: null`."""
    always = {
        "detail": detail,
        "severity": severity,
        "outputs": [asdict(one) for one in outputs],
        "groups": [[name, list(roles)] for name, roles in groups],
    }
    if binding is None:
        return _json({**always, "binding": None})
    return _json(
        {
            **always,
            "binding": {
                "roles": [asdict(role) for role in binding.roles],
                "addresses": dict(binding.addresses),
                "operands": dict(binding.operands),
                "descriptions": dict(binding.descriptions),
                "skipped": [list(one) for one in binding.skipped],
                "wait_ns": binding.wait_ns,
                "beside": dict(binding.beside),
            },
        }
    )


def decode_binding(
    text: str,
) -> tuple[Binding | None, bool, int, tuple[JobOutput, ...], tuple[tuple[str, tuple[str, ...]], ...]]:
    """Binding (None: not bound yet), whether outputs are detailed, alarm severity, outputs of the job, groups."""
    fields = json.loads(text)
    found, severity = fields["binding"], fields.get("severity", 300)
    outputs = tuple(JobOutput(**one) for one in fields.get("outputs", ()))
    groups = tuple((name, tuple(roles)) for name, roles in fields.get("groups", ()))
    if found is None:
        return None, fields["detail"], severity, outputs, groups
    binding = Binding(
        roles=tuple(Role(**role) for role in found["roles"]),
        addresses=found["addresses"],
        operands=found["operands"],
        descriptions=found["descriptions"],
        skipped=tuple((path, why) for path, why in found["skipped"]),
        wait_ns=found.get("wait_ns"),
        beside=found.get("beside", {}),
    )
    return binding, fields["detail"], severity, outputs, groups
