"""The ledger: one SQLite database with runs, output rows, deliveries, alarms, operators' acts and the audit trail.

Floors, from the ground: `schema`, `records`, `encoding` -> `database` -> one file for each noun (`runs`, `rows`,
`deliveries`, `activations`, `operators`, `targets`, `bindings`, `audit`, `counters`, `retention`), functions over an
open transaction -> `ledger`, which owns the connection and makes each call one short transaction.
"""
