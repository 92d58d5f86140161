"""The local history store: what was read once from a historian is kept, so that it is not asked for again.

Floors, from the ground: `limits`, `days` -> `day_file` (Parquet), `database` -> `catalogue`, `gaps` ->
`history_store` -> `day_writer` -> `stored_historian` -> `backfill`. See README.md.
"""
