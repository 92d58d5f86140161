"""Tables of the ledger. Laws that a database can hold stand here as constraints and triggers."""

from typing import Final

from sqlalchemy import (
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

SCHEMA_VERSION: Final = 3
"""Kept in `PRAGMA user_version`; a ledger with a higher one was written by a newer TagSight and is refused."""

metadata = MetaData()

runs = Table(
    "runs",
    metadata,
    Column("model", Text, nullable=False),
    Column("due_ns", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("score", Float),
    Column("quality", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("input_digest", Text, nullable=False),
    Column("revised", Integer, nullable=False),
    Column("stopped", Integer, nullable=False),
    Column("trial", Integer, nullable=False),
    Column("roles", Text, nullable=False),
    Column("explanation", Text),
    Column("results", Text, nullable=False, server_default="{}"),
    Column("shadow_version", Integer),
    Column("shadow_score", Float),
    PrimaryKeyConstraint("model", "due_ns"),
    Index("runs_due", "due_ns"),
)

output_rows = Table(
    "output_rows",
    metadata,
    Column("sequence", Integer, primary_key=True),  # given by us: grows for ever, a revised row gets a new one
    Column("model", Text, nullable=False),
    Column("due_ns", Integer, nullable=False),
    Column("part", Text, nullable=False),
    Column("outputs", Text, nullable=False),
    UniqueConstraint("model", "part", "due_ns"),
    Index("output_rows_due", "due_ns"),
)

newest_rows = Table(
    "newest_rows",
    metadata,
    Column("model", Text, nullable=False),
    Column("part", Text, nullable=False),
    Column("due_ns", Integer, nullable=False),
    Column("sequence", Integer, ForeignKey("output_rows.sequence", onupdate="CASCADE"), nullable=False),
    PrimaryKeyConstraint("model", "part"),
    Index("newest_rows_sequence", "sequence"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("number", Integer, primary_key=True),
    # SET NULL and the check together: the row of a pending delivery cannot be deleted, whoever tries
    Column("sequence", Integer, ForeignKey("output_rows.sequence", onupdate="CASCADE", ondelete="SET NULL")),
    Column("model", Text, nullable=False),
    Column("due_ns", Integer, nullable=False),
    Column("part", Text, nullable=False),
    Column("destination", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("refused", Text, nullable=False, server_default="[]"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("settled_ns", Integer),
    UniqueConstraint("model", "part", "due_ns", "destination"),
    CheckConstraint("state IN ('pending', 'written', 'quarantined', 'not_recovered')", name="one_of_four_states"),
    CheckConstraint("state != 'pending' OR sequence IS NOT NULL", name="nothing_pending_disappears"),
    Index("deliveries_sequence", "sequence"),
    Index("deliveries_pending", "destination", "due_ns", sqlite_where=text("state = 'pending'")),
    Index("deliveries_outbox", "due_ns", sqlite_where=text("state = 'pending'")),
    Index("deliveries_quarantined", "destination", "due_ns", sqlite_where=text("state = 'quarantined'")),
    Index("deliveries_given_up", "settled_ns", sqlite_where=text("state = 'not_recovered'")),
    Index("deliveries_settled", "due_ns", sqlite_where=text("state != 'pending'")),
)

watermarks = Table(
    "watermarks",
    metadata,
    Column("model", Text, primary_key=True),
    Column("due_ns", Integer, nullable=False),
)

backlogs = Table(
    "backlogs",
    metadata,
    Column("model", Text, nullable=False),
    Column("first_ns", Integer, nullable=False),
    Column("last_ns", Integer, nullable=False),
    PrimaryKeyConstraint("model", "last_ns"),
)

doubted_since = Table(
    "doubted_since",
    metadata,
    Column("model", Text, primary_key=True),
    Column("due_ns", Integer, nullable=False),  # the watermark before the historian's clock became doubtful
)

activations = Table(
    "activations",
    metadata,
    Column("model", Text, nullable=False),
    Column("since_ns", Integer, nullable=False),
    Column("announced_ns", Integer, nullable=False),
    Column("cleared_ns", Integer),
    Column("acknowledged_by", Text, nullable=False, server_default=""),
    Column("acknowledged_ns", Integer),
    Column("comment", Text, nullable=False, server_default=""),
    Column("revised", Integer, nullable=False, server_default="0"),
    Column("confirmed_by", Text, nullable=False, server_default=""),
    Column("confirmed_ns", Integer),
    PrimaryKeyConstraint("model", "announced_ns"),
    Index("activations_announced", "announced_ns"),
)

alarm_comments = Table(
    "alarm_comments",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("model", Text, nullable=False),
    Column("announced_ns", Integer, nullable=False),
    Column("by", Text, nullable=False),
    Column("time_ns", Integer, nullable=False),
    Column("comment", Text, nullable=False),
    Index("alarm_comments_model", "model", "number"),
)

inbox_acted = Table(
    "inbox_acted",
    metadata,
    Column("entry", Text, primary_key=True),
    Column("acted_ns", Integer, nullable=False),
)

operator_state = Table(
    "operator_state",
    metadata,
    Column("model", Text, primary_key=True),
    Column("off", Integer, nullable=False, server_default="0"),
    Column("shelved_until_ns", Integer),
    Column("feedback_count", Integer, nullable=False, server_default="0"),
    Column("shelved_once", Integer, nullable=False, server_default="0"),
    Column("shelving_ns", Integer),
)

labels = Table(
    "labels",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("model", Text, nullable=False),
    Column("announced_ns", Integer),  # of the alarm that it judges; NULL: none had ever been announced
    Column("feedback", Integer, nullable=False),
    Column("by", Text, nullable=False),
    Column("time_ns", Integer, nullable=False),
    Index("labels_model", "model", "time_ns"),
)

accepted_targets = Table(
    "accepted_targets",
    metadata,
    Column("historian", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("addresses", Text, nullable=False),
    Column("accepted_by", Text, nullable=False),
    Column("accepted_ns", Integer, nullable=False),
)

bindings = Table(
    "bindings",
    metadata,
    Column("model", Text, primary_key=True),
    Column("binding", Text, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("time_ns", Integer, nullable=False),
    Column("who", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("digest", Text, nullable=False),
)

counters = Table(
    "counters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Integer, nullable=False),
)

_REFUSED = "BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END"

TRIGGERS: Final = (
    f"CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit {_REFUSED}",
    f"CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit {_REFUSED}",
)

UPGRADES: Final = {
    1: (
        "ALTER TABLE activations ADD COLUMN confirmed_by TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE activations ADD COLUMN confirmed_ns INTEGER",
        "ALTER TABLE operator_state ADD COLUMN shelved_once INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE operator_state ADD COLUMN shelving_ns INTEGER",
    ),
    2: (
        "ALTER TABLE runs ADD COLUMN results TEXT NOT NULL DEFAULT '{}'",
        "ALTER TABLE runs ADD COLUMN shadow_version INTEGER",
        "ALTER TABLE runs ADD COLUMN shadow_score FLOAT",
    ),
}
"""What makes a ledger of one version one of the next; new tables are made besides."""
