"""The ledger's tables: a column for whatever is looked up, JSON in ``body`` for the rest of each object.

``seq`` is the order in which rows were first stored. Every look-up of `bridge.state.Store` has an index; those for
flags are partial, so that they hold only the rows that bear the flag. The conditions are named here once, because
a database uses a partial index only for a query that says the very same words.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from bridge import rows
from bridge.state import Intent, Item, Link
from mappings.canonical import normal

REVISION = "0001"
"""The newest revision in bridge/migrations/versions; a test holds them together."""

REVISION_TABLE = "bridge_revision"
"""Where Alembic notes the revision: a name of our own, for databases that other programs share."""

TITLE_KEY = 255
"""Characters of a title that are indexed (PostgreSQL indexes no row above 2,700 bytes); readers compare the rest."""

T = TypeVar("T")

_ODD = "\ufffd"


class Name(sa.TypeDecorator[str]):
    """Any text, also such as no database takes: NUL and lone surrogates are escaped. Ordered by code points."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> Any:
        """PostgreSQL sorts by language unless told otherwise, and prefixes need an order by code points."""
        return sa.Text(collation="C" if dialect.name == "postgresql" else None)

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """The text as stored."""
        if value is None or (value.isprintable() and not value.startswith(_ODD)):
            return value  # what is printable holds neither
        odd = value.startswith(_ODD) or "\0" in value or any("\ud800" <= sign <= "\udfff" for sign in value)
        return _ODD + json.dumps(value) if odd else value

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """The text as given."""
        return str(json.loads(value[1:])) if value and value.startswith(_ODD) else value


def title_key(title: str) -> str:
    """What the index of titles holds."""
    return normal(title)[:TITLE_KEY]


metadata = sa.MetaData()

_Serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # only INTEGER is SQLite's own row number


def _name(name: str, **more: Any) -> sa.Column[str]:
    return sa.Column(name, Name(), nullable=False, **more)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _seq() -> sa.Column[int]:
    return sa.Column("seq", _Serial, primary_key=True)


def _body(name: str = "body") -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


items = sa.Table(
    "items", metadata, _seq(), _name("id", unique=True), _name("kind"), _name("title_key"), _flag("dead"), _body()
)
links = sa.Table(
    "links",
    metadata,
    _seq(),
    _name("id", unique=True),
    sa.Column("item", Name(), sa.ForeignKey("items.id"), nullable=False),
    _name("connector"),
    _name("native_id"),
    _name("state"),
    _name("version"),
    _number("written"),
    _flag("dirty"),
    _flag("behind"),
    _flag("has_waits_for"),
    _flag("has_pending"),
    _flag("has_parked"),
    _body(),
)
intents = sa.Table(
    "intents",
    metadata,
    _seq(),
    _name("id", unique=True),
    _name("kind"),
    _name("connector"),
    _name("item"),
    _name("link"),
    _name("record"),
    _number("run"),
    _number("at"),
    _name("harm"),
    _flag("answered"),
    _flag("open"),
    _body(),
)
bindings = sa.Table("bindings", metadata, _seq(), _name("id", unique=True), _name("name"), _flag("forgotten"), _body())
unlinked = sa.Table(
    "unlinked",
    metadata,
    _seq(),
    _name("connector"),
    _name("native_id"),
    _body(),
    sa.UniqueConstraint("connector", "native_id"),
)
conflicts = sa.Table(
    "conflicts",
    metadata,
    _seq(),
    _name("id", unique=True),
    _number("run"),
    _number("at"),
    _name("item"),
    _name("cell"),
    _body(),
)
journal = sa.Table(
    "journal",
    metadata,
    _seq(),
    _number("run"),
    _number("at"),
    _name("item"),
    _name("cell"),
    _body("before"),
    _body("after"),
    _name("connector"),
    _name("act"),
    _name("why"),
)
runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", sa.BigInteger(), primary_key=True, autoincrement=False),
    _number("started"),
    _number("finished"),
    _flag("ok"),
    _body(),
)

identity = sa.Table("identity", metadata, _name("ledger", primary_key=True))
"""One row: what tells this ledger from every other (R30)."""

LIVE = links.c.state == sa.literal_column("'live'")
STANDING = links.c.state != sa.literal_column("'retired'")
FROZEN = links.c.state == sa.literal_column("'frozen'")
DEAD = items.c.dead.is_(True)
OPEN = intents.c.open.is_(True)
HARMFUL = intents.c.harm != sa.literal_column("''")
WRITTEN = links.c.written > sa.literal_column("0")
FLAGS: Mapping[str, sa.ColumnElement[bool]] = {
    "dirty": links.c.dirty.is_(True),
    "behind": links.c.behind.is_(True),
    "waits_for": links.c.has_waits_for.is_(True),
    "pending": links.c.has_pending.is_(True),
    "parked": links.c.has_parked.is_(True),
}
"""The flags of a link that is not retired, by the names that `Store.links_flagged` knows."""


def _partial(name: str, *columns: sa.ColumnElement[Any], where: sa.ColumnElement[bool]) -> None:
    sa.Index(name, *columns, sqlite_where=where, postgresql_where=where)


sa.Index("items_by_title", items.c.title_key)
_partial("items_dead", items.c.id, where=DEAD)
sa.Index("links_by_record", links.c.connector, links.c.native_id)
sa.Index("links_by_item", links.c.item)
_partial("links_live", links.c.connector, links.c.seq, links.c.item, where=LIVE)
_partial("links_written", links.c.connector, links.c.written, where=sa.and_(LIVE, WRITTEN))
_partial("links_frozen", links.c.connector, where=FROZEN)
for _flag_name, _condition in FLAGS.items():
    _partial(f"links_{_flag_name}", links.c.seq, where=sa.and_(STANDING, _condition))
_partial("intents_open", intents.c.seq, where=OPEN)
_partial("intents_harm", intents.c.connector, intents.c.at, where=HARMFUL)
sa.Index("intents_by_connector", intents.c.connector)
sa.Index("conflicts_by_item", conflicts.c.item, conflicts.c.seq)
sa.Index("journal_by_item", journal.c.item, journal.c.seq)
sa.Index("journal_by_run", journal.c.run, journal.c.seq)


@dataclass(frozen=True)
class Kept(Generic[T]):
    """How one kind of object is kept: its table, its JSON, what makes it unique, and columns that are worked out.

    A column with the name of a field holds that field; ``derived`` says what the others hold; all fields without a
    column of their own go into ``body``.
    """

    table: sa.Table
    shape: rows.Shape[T]
    unique: tuple[str, ...] = ("id",)
    derived: Mapping[str, Callable[[T], Any]] | None = None

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The fields that have a column of their own."""
        return tuple(name for name in self.shape.codecs if name in self.table.c)

    @cached_property
    def rest(self) -> tuple[str, ...]:
        """The fields that go into ``body``."""
        return tuple(name for name in self.shape.codecs if name not in self.table.c)

    def identity(self, value: T) -> tuple[Any, ...]:
        """What tells this object from others of its kind."""
        return tuple(getattr(value, name) for name in self.unique)

    def row(self, value: T) -> dict[str, Any]:
        """The object as a row."""
        row = {name: self.shape.codecs[name].write(getattr(value, name)) for name in self.columns}
        row |= {name: work_out(value) for name, work_out in (self.derived or {}).items()}
        if "body" in self.table.c:
            row["body"] = rows.dumps(self.shape.part(value, self.rest))
        return row

    def value(self, row: Mapping[str, Any]) -> T:
        """The object of a row."""
        body = rows.loads(row["body"]) if "body" in row else {}
        return self.shape.read(body | {name: row[name] for name in self.columns})


ITEMS: Kept[Item] = Kept(
    items, rows.item, derived={"title_key": lambda it: title_key(it.title), "dead": lambda it: it.dead}
)
LINKS: Kept[Link] = Kept(
    links,
    rows.link,
    derived={
        "has_waits_for": lambda it: bool(it.waits_for),
        "has_pending": lambda it: bool(it.pending),
        "has_parked": lambda it: bool(it.parked),
    },
)
INTENTS: Kept[Intent] = Kept(intents, rows.intent)
BINDINGS = Kept(bindings, rows.binding)
UNLINKED = Kept(unlinked, rows.unlinked, unique=("connector", "native_id"))
CONFLICTS = Kept(conflicts, rows.conflict)
JOURNAL = Kept(journal, rows.entry, unique=())
RUNS = Kept(runs, rows.run)
