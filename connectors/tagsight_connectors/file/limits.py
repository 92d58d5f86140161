"""Hard limits on what a file may hold; each is documented in `README.md` beside this file."""

from typing import Final

BLOCK_BYTES: Final = 4 * 2**20
"""A CSV file is read in blocks of about this size."""

BLOCK_ROWS: Final = 65_536
"""A Parquet file is read in blocks of at most so many rows."""

LONGEST_LINE: Final = 16 * 2**20
"""Bytes of one line, also of one with quoted line breaks."""

COLUMNS: Final = 20_000
"""Columns of one file."""

FILES: Final = 10_000
"""Files of one folder."""

TAGS: Final = 200_000
"""Tags of all files of one historian."""

TEXT: Final = 4_096
"""Characters of one text value or name."""

PAGE_VALUES: Final = 100_000
"""Values in one page of a read."""

SORTED_VALUES: Final = 20_000_000
"""Values that are sorted in memory at a time, where a file is not in order of time (about 400 MB)."""

RESULT_VALUES: Final = 20_000_000
"""Values of one result tag that are read at a time."""
