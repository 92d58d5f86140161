"""TagSight: fault models for an industrial historian.

Floors, from the ground: `errors`, `platform`, `clocks` -> `duration`, `timetable`, `conditions` ->
`setting_types` -> `specification` -> `validation`, `document` -> `templates`, `plan` -> `compilation` ->
`configuration` -> `ledger/`, `inbox`, `heartbeat` -> `outputs`, `alarms`, `scoring` -> `delivery`, `workers`,
`schedule`, `reports/` -> `service`, `tag_server` -> `commands/`.
"""

__version__ = "0.1.0"
