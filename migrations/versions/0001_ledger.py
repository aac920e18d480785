"""The ledger's first tables."""

import uuid

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "authorisation",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("claimed_until", sa.Double(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("refused_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_authorisation"),
        comment="One row once `login` was run: the pair of OAuth tokens, encrypted, and whose turn it is to renew it.",
    )
    op.create_table(
        "batches",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("lines", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("sent_at", sa.Double(), nullable=True),
        sa.Column("accepted_at", sa.Double(), nullable=True),
        sa.Column("settled_at", sa.Double(), nullable=True),
        sa.Column("due_at", sa.Double(), nullable=False),
        sa.Column("uploads", sa.Integer(), nullable=False),
        sa.Column("polls", sa.Integer(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("isolation", sa.BigInteger(), nullable=True),
        sa.Column("oldest_change", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_batches"),
        sa.UniqueConstraint("request_id", name="uq_batches_request_id"),
        comment="Data files, with their client request id and life: spooled, sent, accepted, done | failed, resolved.",
        sqlite_autoincrement=True,
    )
    op.create_index("ix_batches_settled_at", "batches", ["settled_at"], unique=False)
    op.create_index("ix_batches_type", "batches", ["type", "state", "settled_at"], unique=False)
    op.create_index(
        "ix_batches_note",
        "batches",
        ["id"],
        unique=False,
        sqlite_where=sa.text("note IS NOT NULL"),
        postgresql_where=sa.text("note IS NOT NULL"),
    )
    op.create_index("ix_batches_state", "batches", ["state", "due_at"], unique=False)
    op.create_table(
        "budget",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("recent", sa.Text(), nullable=False),
        sa.Column("blocked_until", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_budget"),
        comment="One row: times of the latest calls to Gong (JSON list), and until when Gong said to wait.",
    )
    op.create_table(
        "calls",
        sa.Column("minute", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("priority", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("minute", "priority", name="pk_calls"),
        comment="Calls made to Gong, by minute since 1970 and priority.",
    )
    op.create_table(
        "epoch",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("ledger", sa.Text(), nullable=False),
        sa.Column("counter", sa.BigInteger(), nullable=False),
        sa.Column("doubted_at", sa.Double(), nullable=True),
        sa.Column("doubted_batch", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_epoch"),
        comment="One row: which ledger this is, and how many batches it booked; "
        "since when it knows less than Gong was told.",
    )
    op.create_table(
        "recovery",
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("step", "name", name="pk_recovery"),
        comment="While the ledger is doubted: entity sources that were read, and types that were compared, since then.",
    )
    op.create_table(
        "cursors",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=True),
        sa.Column("loaded_at", sa.Double(), nullable=True),
        sa.Column("pass_id", sa.BigInteger(), nullable=True),
        sa.Column("pass_fingerprint", sa.Text(), nullable=True),
        sa.Column("pass_bound", sa.Text(), nullable=True),
        sa.Column("position_modified", sa.Text(), nullable=True),
        sa.Column("position_key", sa.Text(), nullable=True),
        sa.Column("cursor_at", sa.Double(), nullable=True),
        sa.Column("pass_at", sa.Double(), nullable=True),
        sa.Column("held_by", sa.Text(), nullable=True),
        sa.Column("held_since", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_cursors"),
        comment="Per entity source: where the next pass starts, and how far an unfinished one has come; who holds it.",
    )
    op.create_table(
        "holds",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("since", sa.Double(), nullable=False),
        sa.Column("objects", sa.BigInteger(), nullable=False),
        sa.Column("live", sa.BigInteger(), nullable=False),
        sa.Column("approved_at", sa.Double(), nullable=True),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("approved", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_holds"),
        comment="What the guard holds, one row a type and kind; and for ever what was let through, when and by whom.",
        sqlite_autoincrement=True,
    )
    op.create_table(
        "lease",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("holder", sa.Text(), nullable=True),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("serves", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_lease"),
        comment="One row: the active process, which `serves` requests if it is a daemon. `token` grows with each new"
        " holder and fences every write.",
    )
    op.create_table(
        "let_go",
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("minute", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("type", "kind", "minute", name="pk_let_go"),
        comment="Deletions, and changes that no stamp told of, that went without a person's word, by minute.",
    )
    op.create_table(
        "meta",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_meta"),
        comment="What the ledger is bound to (source, Gong host, integration), and what Gong's schema holds.",
    )
    op.create_table(
        "objects",
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("source", sa.SmallInteger(), nullable=False),
        sa.Column("told_digest", sa.LargeBinary(), nullable=True),
        sa.Column("told_modified", sa.BigInteger(), nullable=True),
        sa.Column("told_deleted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("told_unsure", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("sent_digest", sa.LargeBinary(), nullable=True),
        sa.Column("sent_deleted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("last_modified", sa.BigInteger(), nullable=True),
        sa.Column("batch_id", sa.BigInteger(), nullable=True),
        sa.Column("line", sa.Integer(), nullable=True),
        sa.Column("refused_digest", sa.LargeBinary(), nullable=True),
        sa.Column("pending", sa.Text(), nullable=True),
        sa.Column("pending_since", sa.Double(), nullable=True),
        sa.Column("pending_due", sa.Double(), nullable=True),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=True),
        sa.Column("address", sa.LargeBinary(), nullable=True),
        sa.Column("isolation", sa.BigInteger(), nullable=True),
        sa.Column("piece", sa.SmallInteger(), nullable=True),
        sa.PrimaryKeyConstraint("object_id", "type", name="pk_objects"),
        comment="What is known of each object: told, in flight, refused, pending.",
    )
    op.create_index(
        "ix_objects_address",
        "objects",
        ["address"],
        unique=False,
        postgresql_where=sa.text("address IS NOT NULL"),
        sqlite_where=sa.text("address IS NOT NULL"),
    )
    op.create_index(
        "ix_objects_isolation",
        "objects",
        ["isolation", "piece"],
        unique=False,
        postgresql_where=sa.text("pending = 'suspect'"),
        sqlite_where=sa.text("pending = 'suspect'"),
    )
    op.create_index(
        "ix_objects_pending",
        "objects",
        ["type", "pending_due"],
        unique=False,
        postgresql_where=sa.text("pending IS NOT NULL"),
        sqlite_where=sa.text("pending IS NOT NULL"),
    )
    op.create_table(
        "passes",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("finished_at", sa.Double(), nullable=True),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("lines", sa.BigInteger(), nullable=False),
        sa.Column("skipped", sa.BigInteger(), nullable=False),
        sa.Column("pended", sa.BigInteger(), nullable=False),
        sa.Column("refused", sa.BigInteger(), nullable=False),
        sa.Column("not_shown", sa.Text(), nullable=True),
        sa.Column("warnings", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_passes"),
        comment="Readings of a source, with what became of their rows.",
    )
    op.create_index("ix_passes_name", "passes", ["name", "id"], unique=False)
    op.create_table(
        "incidents",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("since", sa.Double(), nullable=False),
        sa.Column("objects", sa.BigInteger(), nullable=False),
        sa.Column("lasted", sa.Boolean(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("absent_since", sa.Double(), nullable=True),
        sa.Column("ended_at", sa.Double(), nullable=True),
        sa.Column("told_at", sa.Double(), nullable=True),
        sa.Column("told_objects", sa.BigInteger(), nullable=False),
        sa.Column("end_told_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("kind", "subject", name="pk_incidents"),
        comment="What is wrong, as the webhook is told of it: once when it begins, once when it is over; a day longer.",
    )
    op.create_table(
        "isolations",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("bad", sa.BigInteger(), nullable=False),
        sa.Column("rounds", sa.Integer(), nullable=False),
        sa.Column("due", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_isolations"),
        comment="Failed files, by batch id, whose bad lines Gong did not all list: they are looked for in pieces.",
    )
    op.create_table(
        "refusals",
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=True),
        sa.Column("line", sa.Integer(), nullable=True),
        sa.Column("first_at", sa.Double(), nullable=False),
        sa.Column("last_at", sa.Double(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("type", "object_id", name="pk_refusals"),
        comment="Objects whose latest line is refused, by the connector or by Gong, and why.",
    )

    op.create_table(
        "pauses",
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("since", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("type", name="pk_pauses"),
        comment="Types that are neither read nor uploaded until somebody resumes them.",
    )
    op.create_table(
        "requests",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("arguments", sa.Text(), nullable=False),
        sa.Column("mapping", sa.Text(), nullable=True),
        sa.Column("asked_at", sa.Double(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("for_daemon", sa.Boolean(), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=True),
        sa.Column("finished_at", sa.Double(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_requests"),
        comment="What commands ask of the active process, who asked, and what came of it; an audit.",
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_requests_open",
        "requests",
        ["id"],
        unique=False,
        postgresql_where=sa.text("finished_at IS NULL"),
        sqlite_where=sa.text("finished_at IS NULL"),
    )
    op.create_table(
        "backfills",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=True),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("wave", sa.Integer(), nullable=False),
        sa.Column("waves", sa.Integer(), nullable=False),
        sa.Column("objects", sa.BigInteger(), nullable=False),
        sa.Column("versions", sa.BigInteger(), nullable=False),
        sa.Column("booked", sa.BigInteger(), nullable=False),
        sa.Column("left_out", sa.BigInteger(), nullable=False),
        sa.Column("gaps", sa.BigInteger(), nullable=False),
        sa.Column("refused", sa.BigInteger(), nullable=False),
        sa.Column("most_lines", sa.Integer(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.Double(), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("finished_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_backfills"),
        comment="Histories of entity sources on their way to Gong: staging, sending wave by wave, done | stopped.",
        sqlite_autoincrement=True,
    )
    op.create_table(
        "backfilled",
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("backfill_id", sa.BigInteger(), nullable=False),
        sa.Column("sent_until", sa.BigInteger(), nullable=True),
        sa.Column("batch_id", sa.BigInteger(), nullable=True),
        sa.Column("line", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("object_id", "type", name="pk_backfilled"),
        comment="Objects whose history is being sent: up to which version, and its line on the way.",
    )
    op.create_table(
        "past_refusals",
        sa.Column("backfill_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("modified", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("refused_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("backfill_id", "object_id", "modified", name="pk_past_refusals"),
        comment="Versions of a history that were refused, by the connector or by Gong, and why: they are skipped.",
    )

    op.bulk_insert(
        sa.table("lease", sa.column("id"), sa.column("token"), sa.column("expires_at")),
        [{"id": 1, "token": 0, "expires_at": 0.0}],
    )
    op.bulk_insert(
        sa.table("budget", sa.column("id"), sa.column("recent"), sa.column("blocked_until")),
        [{"id": 1, "recent": "[]", "blocked_until": 0.0}],
    )
    op.bulk_insert(
        sa.table("epoch", sa.column("id"), sa.column("ledger"), sa.column("counter")),
        [{"id": 1, "ledger": str(uuid.uuid4()), "counter": 0}],
    )
