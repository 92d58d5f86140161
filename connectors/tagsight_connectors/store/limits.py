"""Hard limits of the local history store."""

from typing import Final

PART_VALUES: Final = 500_000
"""Values in one file; a day with more takes several."""

PAGE_VALUES: Final = 50_000
"""Values of stored days that are given together; a day with more is given alone."""

TEXTS_AT_ONCE: Final = 4_096
"""Texts that are converted in one piece: converting them holds the interpreter, and with it the event loop."""

BUFFERED_VALUES: Final = 4_000_000
"""Values of unfinished days held in memory by one read, all tags together (about 80 MB)."""

DAYS: Final = 4_000
"""Days of one read that the store looks at, the newest; what is older is asked of the historian each time."""

LEAST_FREE_BYTES: Final = 1_000_000_000
"""Nothing is stored while the disk has less room than this."""

RECHECKED_PART: Final = 20
"""One stored day in so many is compared with the historian again by a read of three days or more."""

GAPS: Final = 10_000
"""Open gaps of one historian; beyond, a new gap of a tag joins its newest one."""

SETTLED: Final = 10_000
"""Settled gaps, and days found changed, that are remembered; the counters go on."""

TAGS_READ: Final = 50
"""Tags that one read takes from the store, or fetches into it, at a time."""

TAGS_AT_ONCE: Final = 20
"""Tags of one day that the backfill asks for at a time."""
