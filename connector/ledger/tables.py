"""The ledger's tables. `migrations/` builds them; a test proves the two equal.

Times are seconds since 1970-01-01 UTC. A row of `objects` needs no write when its file is settled well:
`sent_digest` *is* what Gong was told as soon as the batch it points at is no longer unsettled (see
`connector.ledger.objects`), so settling a million lines costs one update of `batches`.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    text,
)

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_serial = BigInteger().with_variant(Integer, "sqlite")

meta: Final = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
    comment="What the ledger is bound to (source, Gong host, integration), and what Gong's schema holds.",
)

lease: Final = Table(
    "lease",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("holder", Text),
    Column("token", BigInteger, nullable=False),
    Column("expires_at", Double, nullable=False),
    Column("serves", Boolean, nullable=False, server_default=text("false")),
    comment="One row: the active process, which `serves` requests if it is a daemon. `token` grows with each new"
    " holder and fences every write.",
)

epoch: Final = Table(
    "epoch",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("ledger", Text, nullable=False),
    Column("counter", BigInteger, nullable=False),
    Column("doubted_at", Double),
    Column("doubted_batch", BigInteger),
    comment="One row: which ledger this is, and how many batches it booked; "
    "since when it knows less than Gong was told.",
)

recovery: Final = Table(
    "recovery",
    metadata,
    Column("step", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    comment="While the ledger is doubted: entity sources that were read, and types that were compared, since then.",
)

budget: Final = Table(
    "budget",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("recent", Text, nullable=False),
    Column("blocked_until", Double, nullable=False),
    comment="One row: times of the latest calls to Gong (JSON list), and until when Gong said to wait.",
)

calls: Final = Table(
    "calls",
    metadata,
    Column("minute", BigInteger, primary_key=True, autoincrement=False),
    Column("priority", SmallInteger, primary_key=True, autoincrement=False),
    Column("count", Integer, nullable=False),
    comment="Calls made to Gong, by minute since 1970 and priority.",
)

authorisation: Final = Table(
    "authorisation",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("generation", BigInteger, nullable=False),
    Column("sealed", Text, nullable=False),
    Column("claimed_until", Double, nullable=False),
    Column("note", Text),
    Column("refused_at", Double),
    comment="One row once `login` was run: the pair of OAuth tokens, encrypted, and whose turn it is to renew it.",
)

let_go: Final = Table(
    "let_go",
    metadata,
    Column("type", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("minute", BigInteger, primary_key=True, autoincrement=False),
    Column("count", Integer, nullable=False),
    comment="Deletions, and changes that no stamp told of, that went without a person's word, by minute.",
)

holds: Final = Table(
    "holds",
    metadata,
    Column("id", _serial, primary_key=True),
    Column("type", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("since", Double, nullable=False),
    Column("objects", BigInteger, nullable=False),
    Column("live", BigInteger, nullable=False),
    Column("approved_at", Double),
    Column("approved_by", Text),
    Column("approved", BigInteger),
    sqlite_autoincrement=True,  # an id that a person has seen never means other objects
    comment="What the guard holds, one row a type and kind; and for ever what was let through, when and by whom.",
)

cursors: Final = Table(
    "cursors",
    metadata,
    Column("name", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("cursor", Text),
    Column("loaded_at", Double),
    Column("pass_id", BigInteger),
    Column("pass_fingerprint", Text),
    Column("pass_bound", Text),
    Column("position_modified", Text),
    Column("position_key", Text),
    Column("cursor_at", Double),
    Column("pass_at", Double),
    Column("held_by", Text),
    Column("held_since", Double),
    comment="Per entity source: where the next pass starts, and how far an unfinished one has come; who holds it.",
)

passes: Final = Table(
    "passes",
    metadata,
    Column("id", _serial, primary_key=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("finished_at", Double),
    Column("rows", BigInteger, nullable=False),
    Column("lines", BigInteger, nullable=False),
    Column("skipped", BigInteger, nullable=False),
    Column("pended", BigInteger, nullable=False),
    Column("refused", BigInteger, nullable=False),
    Column("not_shown", Text),
    Column("warnings", Text),
    Column("error", Text),
    Index("ix_passes_name", "name", "id"),
    comment="Readings of a source, with what became of their rows.",
)

batches: Final = Table(
    "batches",
    metadata,
    Column("id", _serial, primary_key=True),
    Column("type", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("request_id", Text, nullable=False, unique=True),
    Column("state", Text, nullable=False),
    Column("file", Text, nullable=False),
    Column("lines", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("sent_at", Double),
    Column("accepted_at", Double),
    Column("settled_at", Double),
    Column("due_at", Double, nullable=False),
    Column("uploads", Integer, nullable=False),
    Column("polls", Integer, nullable=False),
    Column("answer", Text),
    Column("note", Text),
    Column("isolation", BigInteger),
    Column("oldest_change", Double),
    Index("ix_batches_state", "state", "due_at"),
    Index("ix_batches_settled_at", "settled_at"),
    Index("ix_batches_type", "type", "state", "settled_at"),
    Index(
        "ix_batches_note",
        "id",
        postgresql_where=text("note IS NOT NULL"),
        sqlite_where=text("note IS NOT NULL"),
    ),
    sqlite_autoincrement=True,  # an id used again would make old objects look as if they were in flight
    comment="Data files, with their client request id and life: spooled, sent, accepted, done | failed, resolved.",
)

objects: Final = Table(
    "objects",
    metadata,
    # The id comes first in the key: few rows share one, which no planner needs statistics to know.
    Column("object_id", Text, primary_key=True),
    Column("type", Text, primary_key=True),
    Column("source", SmallInteger, nullable=False),
    Column("told_digest", LargeBinary),
    Column("told_modified", BigInteger),
    Column("told_deleted", Boolean, nullable=False, server_default=text("false")),
    Column("told_unsure", Boolean, nullable=False, server_default=text("false")),
    Column("sent_digest", LargeBinary),
    Column("sent_deleted", Boolean, nullable=False, server_default=text("false")),
    Column("last_modified", BigInteger),
    Column("batch_id", BigInteger),
    Column("line", Integer),
    Column("refused_digest", LargeBinary),
    Column("pending", Text),
    Column("pending_since", Double),
    Column("pending_due", Double),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("account_id", Text),
    Column("address", LargeBinary),
    Column("isolation", BigInteger),
    Column("piece", SmallInteger),
    Index(
        "ix_objects_pending",
        "type",
        "pending_due",
        postgresql_where=text("pending IS NOT NULL"),
        sqlite_where=text("pending IS NOT NULL"),
    ),
    Index(
        "ix_objects_isolation",
        "isolation",
        "piece",
        postgresql_where=text("pending = 'suspect'"),
        sqlite_where=text("pending = 'suspect'"),
    ),
    Index(
        "ix_objects_address",
        "address",
        postgresql_where=text("address IS NOT NULL"),
        sqlite_where=text("address IS NOT NULL"),
    ),
    comment="What is known of each object: told, in flight, refused, pending.",
)

isolations: Final = Table(
    "isolations",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("type", Text, nullable=False),
    Column("bad", BigInteger, nullable=False),
    Column("rounds", Integer, nullable=False),
    Column("due", Double, nullable=False),
    comment="Failed files, by batch id, whose bad lines Gong did not all list: they are looked for in pieces.",
)

refusals: Final = Table(
    "refusals",
    metadata,
    Column("type", Text, primary_key=True),
    Column("object_id", Text, primary_key=True),
    Column("origin", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("batch_id", BigInteger),
    Column("line", Integer),
    Column("first_at", Double, nullable=False),
    Column("last_at", Double, nullable=False),
    Column("times", Integer, nullable=False),
    comment="Objects whose latest line is refused, by the connector or by Gong, and why.",
)

requests: Final = Table(
    "requests",
    metadata,
    Column("id", _serial, primary_key=True),
    Column("operation", Text, nullable=False),
    Column("arguments", Text, nullable=False),
    Column("mapping", Text),
    Column("asked_at", Double, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("for_daemon", Boolean, nullable=False),
    Column("started_at", Double),
    Column("finished_at", Double),
    Column("outcome", Text),
    Column("result", Text),
    Column("error", Text),
    Index(
        "ix_requests_open",
        "id",
        postgresql_where=text("finished_at IS NULL"),
        sqlite_where=text("finished_at IS NULL"),
    ),
    sqlite_autoincrement=True,  # whoever follows a request must not meet another under its id
    comment="What commands ask of the active process, who asked, and what came of it; an audit.",
)

pauses: Final = Table(
    "pauses",
    metadata,
    Column("type", Text, primary_key=True),
    Column("since", Double, nullable=False),
    comment="Types that are neither read nor uploaded until somebody resumes them.",
)

backfills: Final = Table(
    "backfills",
    metadata,
    Column("id", _serial, primary_key=True),
    Column("type", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("asked", Text, nullable=False),
    Column("since", BigInteger),
    Column("until", BigInteger),
    Column("state", Text, nullable=False),
    Column("wave", Integer, nullable=False),
    Column("waves", Integer, nullable=False),
    Column("objects", BigInteger, nullable=False),
    Column("versions", BigInteger, nullable=False),
    Column("booked", BigInteger, nullable=False),
    Column("left_out", BigInteger, nullable=False),
    Column("gaps", BigInteger, nullable=False),
    Column("refused", BigInteger, nullable=False),
    Column("most_lines", Integer),
    Column("tries", Integer, nullable=False),
    Column("due_at", Double, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("finished_at", Double),
    sqlite_autoincrement=True,  # the staging file is named after the id
    comment="Histories of entity sources on their way to Gong: staging, sending wave by wave, done | stopped.",
)

backfilled: Final = Table(
    "backfilled",
    metadata,
    Column("object_id", Text, primary_key=True),
    Column("type", Text, primary_key=True),
    Column("backfill_id", BigInteger, nullable=False),
    Column("sent_until", BigInteger),
    Column("batch_id", BigInteger),
    Column("line", Integer),
    comment="Objects whose history is being sent: up to which version, and its line on the way.",
)

past_refusals: Final = Table(
    "past_refusals",
    metadata,
    Column("backfill_id", BigInteger, primary_key=True, autoincrement=False),
    Column("object_id", Text, primary_key=True),
    Column("modified", BigInteger, primary_key=True, autoincrement=False),
    Column("origin", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("refused_at", Double, nullable=False),
    comment="Versions of a history that were refused, by the connector or by Gong, and why: they are skipped.",
)

incidents: Final = Table(
    "incidents",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("since", Double, nullable=False),
    Column("objects", BigInteger, nullable=False),
    Column("lasted", Boolean, nullable=False),
    Column("times", Integer, nullable=False),
    Column("absent_since", Double),
    Column("ended_at", Double),
    Column("told_at", Double),
    Column("told_objects", BigInteger, nullable=False),
    Column("end_told_at", Double),
    comment="What is wrong, as the webhook is told of it: once when it begins, once when it is over; a day longer.",
)
