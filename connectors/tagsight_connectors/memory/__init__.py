"""A whole historian in memory: the double of every test, under the same laws as the others. Needs only numpy.

Floors, from the ground: `faults`, `series` -> `store` -> `historian`.
"""

from tagsight_connectors.memory.faults import MemoryFaults
from tagsight_connectors.memory.historian import MemoryHistorian, open_memory
from tagsight_connectors.memory.store import MemoryStore, WriteRecord

__all__ = ["MemoryFaults", "MemoryHistorian", "MemoryStore", "WriteRecord", "open_memory"]
