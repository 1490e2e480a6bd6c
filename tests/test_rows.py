"""Nothing gets lost or changed on its way through JSON and a database, and every ledger gives the same answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge import tables
from bridge.ledger import open_ledger
from bridge.ledger_errors import LedgerError
from bridge.memory_store import MemoryStore
from bridge.rows import Shape
from bridge.sql_store import SqlStore
from bridge.state import Batch, Store
from connectors.base import Ref
from tests import store_values
from tests.ledgers import a_link, needs_postgresql, schema

KEPT: dict[str, tables.Kept[Any]] = {
    "items": tables.ITEMS,
    "links": tables.LINKS,
    "intents": tables.INTENTS,
    "bindings": tables.BINDINGS,
    "unlinked": tables.UNLINKED,
    "conflicts": tables.CONFLICTS,
    "journal": tables.JOURNAL,
    "runs": tables.RUNS,
}


def exact(value: object) -> object:
    """A value that tells True from 1: Python's own comparison does not."""
    if isinstance(value, (set, frozenset)):
        return type(value), sorted(repr(exact(it)) for it in value)
    if isinstance(value, dict):
        return {key: exact(it) for key, it in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value), [exact(it) for it in value]
    if hasattr(value, "__dataclass_fields__"):
        return type(value), {part.name: exact(getattr(value, part.name)) for part in fields(value)}  # type: ignore[arg-type]
    return type(value), value


@pytest.mark.parametrize("kind", KEPT)
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_every_object_survives_its_row(kind: str, data: st.DataObject) -> None:
    value = data.draw(store_values.EVERYTHING[kind])
    row = json.loads(json.dumps(KEPT[kind].row(value)))
    assert exact(KEPT[kind].value(row)) == exact(value)


@given(st.sampled_from(store_values.NASTY) | st.text(st.characters()))
def test_names_that_no_database_takes_are_told_apart(text: str) -> None:
    stored = tables.Name().process_bind_param(text, sa.create_engine("sqlite://").dialect)
    assert stored is not None
    assert "\0" not in stored.encode().decode()
    assert tables.Name().process_result_value(stored, sa.create_engine("sqlite://").dialect) == text


def test_a_field_that_nobody_said_how_to_store_is_noticed() -> None:
    @dataclass
    class Grown:
        id: str
        extra: dict[str, str] = field(default_factory=dict)

    with pytest.raises(TypeError, match="extra"):
        Shape(Grown)
    with pytest.raises(TypeError, match="other"):
        Shape(Grown, extra=Shape(Ref), other=Shape(Ref))


def test_rows_of_other_releases_are_read() -> None:
    row = tables.LINKS.row(a_link("l"))
    row["body"] = json.dumps({"born": "2026", "dropped_in_this_release": [1]})
    assert tables.LINKS.value(row) == a_link("l", born="2026")


def everything(store: Store) -> object:
    """Every answer that a ledger gives."""
    names = [*store_values.NASTY, "a", "ab", "abc", "b", "ß", "c1", "c2"]
    connectors = ["c1", "c2", "ĉ"]
    answers = [
        *(store.links_flagged(flag) for flag in ("dirty", "behind", "waits_for", "pending", "parked")),
        *(look(c) for c in connectors for look in (store.links_frozen, store.live_refs, store.count_live)),
        *(store.versions_written(c, run) for c in connectors for run in (0, 2)),
        *(store.links_by_record(c, names) for c in connectors),
        *(store.intents_since(c, at) for c in connectors for at in (0, 5)),
        *(look(name) for name in ["a", "ß", "\ud800"] for look in (store.find_items, store.conflicts, store.journal)),
        *(look(names) for look in (store.links_of, store.items, store.items_titled)),
        *(look() for look in (store.bindings, store.all_items, store.intents_open, store.unlinked)),
        *(store.conflicts(), store.journal(), store.journal(run=2), store.journal("a", 2), store.runs(3)),
    ]
    return exact(answers)


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=needs_postgresql)], name="shared_store"
)
def shared_sql_store(request: pytest.FixtureRequest) -> Iterator[SqlStore]:
    if request.param == "sqlite":
        with open_ledger("sqlite://") as ledger:
            yield ledger
    else:
        with schema() as url, open_ledger(url) as ledger:
            yield ledger


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@given(batches=st.lists(store_values.batches | store_values.connectors, min_size=1, max_size=4))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_ledger_gives_the_same_answers(shared_store: SqlStore, batches: list[Batch | str]) -> None:
    with shared_store._transaction() as connection:
        for table in reversed([kept.table for kept in KEPT.values()]):
            connection.execute(sa.delete(table))
    memory = MemoryStore()
    for batch in batches:
        outcomes = []
        for store in (memory, shared_store):
            try:
                store.forget(batch) if isinstance(batch, str) else store.save(batch)
                outcomes.append("stored")
            except LedgerError:
                outcomes.append("refused")
        assert outcomes[0] == outcomes[1]
    assert everything(shared_store) == everything(memory)
