"""Aggregates of OPC 10000-13, computed here: averages, extremes, counts and interpolated values on a grid.

Pure NumPy over a `TagHistory`. It is what a tag gets whose historian computes no aggregates, and the measure of those
that do. Every rule says what it is in the standard, and the tests hold the worked examples of its Annex A.
"""

from tagsight_connectors.aggregates.compute import compute, compute_at
from tagsight_connectors.aggregates.kinds import (
    STANDARD,
    Aggregate,
    AggregateConfiguration,
    Computer,
    ProcessedHistory,
)

__all__ = [
    "STANDARD",
    "Aggregate",
    "AggregateConfiguration",
    "Computer",
    "ProcessedHistory",
    "compute",
    "compute_at",
]
