"""What every group of settings is made of: strict fields with description, unit, default and example."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, JsonValue


class Conflict(NamedTuple):
    """Settings of one group that do not go together: the setting to name, why, and what to do."""

    key: str
    cause: str
    mend: str


class Setting(BaseModel):
    """A group of settings: strict types, no unknown keys, immutable."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, allow_inf_nan=False, validate_by_name=False, validate_by_alias=True
    )

    @classmethod
    def together(cls, given: Mapping[str, Any]) -> Iterator[Conflict]:  # noqa: ARG003 - for those that have rules
        """Rules over several settings of this group, by which keys are given."""
        yield from ()


def setting(description: str, *, unit: str = "", example: JsonValue = None, **field: Any) -> Any:
    """A field with everything that the reference page shows."""
    return Field(
        description=description,
        examples=[example] if example is not None else None,
        json_schema_extra={"unit": unit} if unit else None,
        **field,
    )
