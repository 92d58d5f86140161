"""Exports of a historian in CSV and Parquet files, wide or long; results go to a file beside them.

Floors, from the ground: `limits`, `states`, `qualities`, `settings` -> `cells`, `times`, `summer_time`, `header` ->
`csv_source`, `parquet_source` -> `export` -> `catalogue` -> `reader`; `results` -> `historian`. Only this folder
imports pandas and pyarrow, and only once a file is opened.
"""
