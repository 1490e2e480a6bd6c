"""The first ledger: items, links, intents, bindings, unlinked records, conflicts, journal and runs."""

import uuid

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def seq() -> sa.Column[int]:
    return sa.Column("seq", SERIAL, primary_key=True)


def name(column: str, unique: bool = False) -> sa.Column[str]:
    return sa.Column(column, NAME, nullable=False, unique=unique)


def text(column: str) -> sa.Column[str]:
    return sa.Column(column, sa.Text(), nullable=False)


def number(column: str) -> sa.Column[int]:
    return sa.Column(column, sa.BigInteger(), nullable=False)


def flag(column: str) -> sa.Column[bool]:
    return sa.Column(column, sa.Boolean(), nullable=False)


def index(table: str, label: str, columns: list[str], where: str = "") -> None:
    """An index; ``where`` is written as SQLite has it, PostgreSQL says true for 1."""
    if not where:
        op.create_index(label, table, columns)
        return
    there = sa.text(where.replace("IS 1", "IS true"))
    op.create_index(label, table, columns, sqlite_where=sa.text(where), postgresql_where=there)


def upgrade() -> None:
    """Make all tables, and give the ledger what tells it from every other."""
    made = op.create_table("identity", sa.Column("ledger", NAME, nullable=False, primary_key=True))
    op.bulk_insert(made, [{"ledger": uuid.uuid4().hex[:8]}])
    op.create_table(
        "items", seq(), name("id", unique=True), name("kind"), name("title_key"), flag("dead"), text("body")
    )
    op.create_table(
        "links",
        seq(),
        name("id", unique=True),
        sa.Column("item", NAME, sa.ForeignKey("items.id"), nullable=False),
        *(name(column) for column in ("connector", "native_id", "state", "version")),
        number("written"),
        *(flag(column) for column in ("dirty", "behind", "has_waits_for", "has_pending", "has_parked")),
        text("body"),
    )
    op.create_table(
        "intents",
        seq(),
        name("id", unique=True),
        *(name(column) for column in ("kind", "connector", "item", "link", "record")),
        number("run"),
        number("at"),
        name("harm"),
        flag("answered"),
        flag("open"),
        text("body"),
    )
    op.create_table("bindings", seq(), name("id", unique=True), name("name"), flag("forgotten"), text("body"))
    op.create_table(
        "unlinked",
        seq(),
        name("connector"),
        name("native_id"),
        text("body"),
        sa.UniqueConstraint("connector", "native_id"),
    )
    op.create_table(
        "conflicts",
        seq(),
        name("id", unique=True),
        number("run"),
        number("at"),
        name("item"),
        name("cell"),
        text("body"),
    )
    op.create_table(
        "journal",
        seq(),
        number("run"),
        number("at"),
        name("item"),
        name("cell"),
        text("before"),
        text("after"),
        *(name(column) for column in ("connector", "act", "why")),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.BigInteger(), primary_key=True, autoincrement=False),
        number("started"),
        number("finished"),
        flag("ok"),
        text("body"),
    )
    _indexes()


def _indexes() -> None:
    live = "state = 'live'"
    index("items", "items_by_title", ["title_key"])
    index("items", "items_dead", ["id"], "dead IS 1")
    index("links", "links_by_record", ["connector", "native_id"])
    index("links", "links_by_item", ["item"])
    index("links", "links_live", ["connector", "seq", "item"], live)
    index("links", "links_written", ["connector", "written"], f"{live} AND written > 0")
    index("links", "links_frozen", ["connector"], "state = 'frozen'")
    for label, column in (
        ("dirty", "dirty"),
        ("behind", "behind"),
        ("waits_for", "has_waits_for"),
        ("pending", "has_pending"),
        ("parked", "has_parked"),
    ):
        index("links", f"links_{label}", ["seq"], f"state != 'retired' AND {column} IS 1")
    index("intents", "intents_open", ["seq"], "open IS 1")
    index("intents", "intents_harm", ["connector", "at"], "harm != ''")
    index("intents", "intents_by_connector", ["connector"])
    index("conflicts", "conflicts_by_item", ["item", "seq"])
    index("journal", "journal_by_item", ["item", "seq"])
    index("journal", "journal_by_run", ["run", "seq"])
