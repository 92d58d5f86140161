"""The shift report: what happened to alarms and models in a period, as figures and as one HTML file.

`alarm_kpis` and `availability` are pure; `gathering` reads the ledger; `sections` says it in words; `shift_page` makes
HTML of it and `writing` puts that on the disk. Nothing here writes to the ledger, and nothing computes with models.
"""
