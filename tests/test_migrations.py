"""The ledger is made, brought up to date or refused in words when it is opened."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import traceback
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from bridge import ledger, tables
from bridge.ledger import open_ledger
from bridge.ledger_errors import LedgerError, LedgerMissing
from bridge.state import Batch, Link
from tests.ledgers import POSTGRESQL, an_item, ids, needs_postgresql, schema

ROOT = Path(__file__).parents[1]
FIXTURES = Path(__file__).with_name("fixtures")
URL = "sqlite:///bridge.db"

NEXT = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "0002", "0001"


def upgrade():
    recreate = "always" if op.get_bind().dialect.name == "sqlite" else "never"
    with op.batch_alter_table("items", recreate=recreate) as batch:
        batch.add_column(sa.Column("colour", sa.Text(), nullable=False, server_default="grey"))
    {more}
"""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A folder with the ledger of revision 0001."""
    with closing(sqlite3.connect(tmp_path / "bridge.db")) as connection:
        connection.executescript((FIXTURES / "ledger-0001.sql").read_text())
    return tmp_path


@pytest.fixture
def next_release(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program whose newest revision is 0002, and its script."""
    scripts = tmp_path_factory.mktemp("50% new") / "migrations"
    shutil.copytree(ledger.MIGRATIONS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    script = scripts / "versions" / "r0002_colour.py"
    script.write_text(NEXT.format(more=""))
    monkeypatch.setattr(ledger, "MIGRATIONS", scripts)
    monkeypatch.setattr(tables, "REVISION", "0002")
    return script


def revision(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("SELECT version_num FROM bridge_revision").fetchone()[0])


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def put(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


# ---- made ----------------------------------------------------------------------------------------------------


def test_first_start_makes_a_file_for_its_owner_only(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        with open_ledger(URL, tmp_path) as store:
            store.save(Batch(items=[an_item("i")]))
            assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    finally:
        os.umask(before)
    assert names(tmp_path) == ["bridge.db"]
    with open_ledger(URL, tmp_path) as store:
        assert ids(store.all_items()) == ["i"]


def test_relative_path_counts_from_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    open_ledger(URL).close()
    assert names(tmp_path) == ["bridge.db"]


def test_a_path_may_hold_any_sign(tmp_path: Path) -> None:
    folder = tmp_path / "50% #1?"
    folder.mkdir()
    with open_ledger(URL, folder) as store:
        store.save(Batch(items=[an_item("i")]))
    assert names(folder) == ["bridge.db"]


def test_an_empty_file_becomes_a_ledger(tmp_path: Path) -> None:
    (tmp_path / "bridge.db").touch()
    open_ledger(URL, tmp_path).close()
    assert names(tmp_path) == ["bridge.db"]


def made_at_once(url: str) -> None:
    code = "import sys; from bridge.ledger import open_ledger; print(open_ledger(sys.argv[1]).all_items())"
    command = [sys.executable, "-c", code, url]
    started = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(3)]
    assert [(*process.communicate(), process.returncode) for process in started] == [(b"[]\n", b"", 0)] * 3


def test_programs_that_start_at_once_make_one_ledger(tmp_path: Path) -> None:
    made_at_once(f"sqlite:///{tmp_path}/bridge.db")
    assert names(tmp_path) == ["bridge.db"]


def test_a_file_that_another_program_is_just_making_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(sqlite3.connect(tmp_path / "bridge.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        monkeypatch.setattr("bridge.sql_store.time.sleep", lambda _: other.execute("ROLLBACK"))
        with open_ledger(URL, tmp_path) as store:
            assert store.all_items() == []


@needs_postgresql
def test_programs_that_start_at_once_make_one_ledger_on_postgresql() -> None:
    with schema() as url:
        made_at_once(url)


def test_a_ledger_that_is_up_to_date_costs_no_alembic(tmp_path: Path) -> None:
    open_ledger(URL, tmp_path).close()
    code = (
        "import sys; from bridge.ledger import open_ledger; open_ledger(sys.argv[1]); print('alembic' in sys.modules)"
    )
    command = [sys.executable, "-c", code, f"sqlite:///{tmp_path}/bridge.db"]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout == b"False\n"


# ---- the scripts and the tables say the same -------------------------------------------------------------------


def differences(engine: sa.Engine) -> Any:
    with engine.connect() as connection:
        options = {"version_table": tables.REVISION_TABLE, "compare_type": True}
        return compare_metadata(MigrationContext.configure(connection, opts=options), tables.metadata)


def sqlite_schema(engine: sa.Engine) -> dict[str, str]:
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(
            f"SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name != '{tables.REVISION_TABLE}'"
        )
        return {name: " ".join(sql.split()) for name, sql in rows}


def test_migrated_sqlite_is_what_the_tables_say(tmp_path: Path) -> None:
    made = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    tables.metadata.create_all(made)
    with open_ledger(URL, tmp_path) as store:
        assert differences(store._engine) == []
        assert sqlite_schema(store._engine) == sqlite_schema(made)
    made.dispose()


@needs_postgresql
def test_migrated_postgresql_is_what_the_tables_say() -> None:
    def indexes(engine: sa.Engine) -> set[str]:
        with engine.connect() as connection:
            [[name]] = connection.exec_driver_sql("SELECT current_schema()")
            rows = connection.exec_driver_sql(
                f"SELECT indexdef FROM pg_indexes WHERE schemaname = '{name}' "
                f"AND tablename <> '{tables.REVISION_TABLE}'"
            )
            return {row[0].replace(name, "") for row in rows}

    with schema() as first, schema() as second, open_ledger(first) as store:
        made = sa.create_engine(second, poolclass=sa.NullPool)
        tables.metadata.create_all(made)
        assert differences(store._engine) == []
        assert indexes(store._engine) == indexes(made)
        assert len(indexes(made)) > 20


def test_newest_script_is_the_programs_revision() -> None:
    scripts = sorted(path.name for path in (ledger.MIGRATIONS / "versions").glob("r[0-9]*.py"))
    assert scripts[-1].startswith(f"r{tables.REVISION}_")
    assert [name[1:5] for name in scripts] == [f"{number:04}" for number in range(1, len(scripts) + 1)]


# ---- brought up to date ------------------------------------------------------------------------------------------


def test_ledger_of_the_first_revision_is_read(old: Path) -> None:
    with open_ledger(URL, old) as store:
        assert store.identity() == "0123abcd"
        [item, dead] = store.all_items()
        assert (item.id, item.title, item.dead) == ("0a1b", "Bürgerportal ‚mein.aachen‘", False)
        assert (dead.id, dead.deletes) == ("0a2c", [{"title": (1763000000, 2, "9"), "life": (-1, 0, "")}])
        [link] = store.links_flagged("parked")
        assert link.shadow == {"title": "Bürgerportal", "labels": ("Presse",)}
        assert link.parked[""].reason == "Der Titel ist zu lang."
        assert ids(store.links_of(["0a2c"])) == ["l2"]
        assert ids(store.intents_open()) == ["m1"]
        assert store.bindings()[0].there == {"stack": {"1": "Offen"}}
        assert store.unlinked()[0].record.fields == {"SUMMARY": "Neu", "DUE": None}
        assert store.conflicts()[0].winner.value == "neu"
        assert [entry.after for entry in store.journal()] == ["Bürgerportal ‚mein.aachen‘", 50]
        assert store.runs()[0].summary == {"connectors": {"rathaus": {"pulled": 2}}}


def test_upgrade_keeps_everything_and_a_copy(old: Path, next_release: Path) -> None:
    with open_ledger(URL, old) as store:
        assert ids(store.all_items()) == ["0a1b", "0a2c"]
        assert ids(store.links_of(["0a1b"])) == ["l1"]
        with pytest.raises(LedgerError):  # references are watched again
            store.save(Batch(links=[Link("l", "nobody", "c", "n")]))
    assert names(old) == ["bridge.db", "bridge.db.before-0002.bak"]
    copy = old / "bridge.db.before-0002.bak"
    assert copy.stat().st_mode & 0o777 == 0o600
    assert (revision(old / "bridge.db"), revision(copy)) == ("0002", "0001")
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT id FROM items").fetchall() == [("0a1b",), ("0a2c",)]
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_copy_holds_what_a_killed_writer_left_in_the_wal(old: Path, next_release: Path) -> None:
    with closing(sqlite3.connect(old / "bridge.db", isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("PRAGMA wal_autocheckpoint=0")
        writer.execute("UPDATE items SET kind = 'goal'")
        open_ledger(URL, old).close()
    with closing(sqlite3.connect(old / "bridge.db.before-0002.bak")) as connection:
        assert connection.execute("SELECT DISTINCT kind FROM items").fetchall() == [("goal",)]


def test_upgrade_that_fails_leaves_the_ledger_as_it_was(old: Path, next_release: Path) -> None:
    next_release.write_text(NEXT.format(more="raise ZeroDivisionError"))
    with pytest.raises(ZeroDivisionError):
        open_ledger(URL, old)
    with closing(sqlite3.connect(old / "bridge.db")) as connection:
        assert "colour" not in [row[1] for row in connection.execute("PRAGMA table_info(items)")]
    assert revision(old / "bridge.db") == "0001"
    next_release.write_text(NEXT.format(more=""))
    open_ledger(URL, old).close()
    assert revision(old / "bridge.db") == "0002"


@needs_postgresql
def test_upgrade_on_postgresql(next_release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with schema() as url:
        with monkeypatch.context() as earlier:
            earlier.setattr(ledger, "MIGRATIONS", Path(ledger.__file__).with_name("migrations"))
            earlier.setattr(tables, "REVISION", "0001")
            with open_ledger(url) as store:
                store.save(Batch(items=[an_item("i")]))
        with pytest.raises(LedgerError, match="of an earlier release"):
            open_ledger(url, read_only=True)
        with open_ledger(url) as store, store._engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT id, colour FROM items").all() == [("i", "grey")]


# ---- refused in words --------------------------------------------------------------------------------------------


def refused(url: str, folder: Path, **more: Any) -> str:
    """The one sentence with which a ledger is refused; nothing but it may be left behind."""
    before = names(folder)
    with pytest.raises(LedgerError) as caught:
        open_ledger(url, folder, **more)
    assert names(folder) == before
    message = str(caught.value)
    assert message[0].isupper()
    assert message.endswith(".")
    return message


def test_newer_ledger_is_refused(old: Path) -> None:
    put(old / "bridge.db", "UPDATE bridge_revision SET version_num = '0407'")
    for read_only in (False, True):
        assert "by a newer release of this program (its revision is 0407" in refused(URL, old, read_only=read_only)


def test_reader_makes_nothing_and_migrates_nothing(old: Path, next_release: Path) -> None:
    assert "is of an earlier release: “strategy-bridge sync” brings it up to date" in refused(URL, old, read_only=True)
    with pytest.raises(LedgerMissing, match=r"There is no ledger yet at .*other\.db: "):
        open_ledger("sqlite:///other.db", old, read_only=True)
    (old / "empty.db").touch()
    with pytest.raises(LedgerMissing):
        open_ledger("sqlite:///empty.db", old, read_only=True)
    assert names(old) == ["bridge.db", "empty.db"]
    assert revision(old / "bridge.db") == "0001"


@needs_postgresql
def test_reader_finds_no_ledger_on_postgresql() -> None:
    with schema() as url, pytest.raises(LedgerMissing, match="There is no ledger yet in the database of"):
        open_ledger(url, read_only=True)


def test_what_is_no_ledger_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bridge.db").write_text("Protokoll der Sitzung vom 26.03.2018. " * 100)
    assert "is not a ledger, nor any other database" in refused(URL, tmp_path)
    put(tmp_path / "foreign.db", "CREATE TABLE things (id)")
    assert "is a database of another program" in refused("sqlite:///foreign.db", tmp_path)


def test_damaged_ledger_is_refused(old: Path) -> None:
    path = old / "bridge.db"
    path.write_bytes(path.read_bytes()[:4096] + b"\xff" * 8192)
    assert "is damaged" in refused(URL, old)


def test_a_place_that_cannot_hold_a_file_is_refused(tmp_path: Path) -> None:
    assert "The folder" in refused("sqlite:///nowhere/bridge.db", tmp_path)
    (tmp_path / "folder").mkdir()
    assert "is a folder" in refused("sqlite:///folder", tmp_path)


def test_a_lack_of_rights_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as root_may_everything:
        root_may_everything.setattr("bridge.ledger.os.open", denied)
        assert "may not be read and written by this user" in refused(URL, tmp_path)
    open_ledger(URL, tmp_path).close()
    with monkeypatch.context() as root_may_everything:
        root_may_everything.setattr("bridge.place.os.access", lambda *_: False)
        assert "may not be read and written by this user" in refused(URL, tmp_path)


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bridge.ledger.os.open", full)
    assert "the disk is full: make room" in refused(URL, tmp_path)


def test_no_room_for_the_copy_is_no_upgrade(old: Path, next_release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bridge.ledger.os.fsync", full)
    assert "the disk is full" in refused(URL, old)
    assert revision(old / "bridge.db") == "0001"


def test_a_locked_ledger_is_said(old: Path, next_release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.sql_store.BUSY", 0.01)
    put(old / "bridge.db", "PRAGMA journal_mode=WAL")
    with closing(sqlite3.connect(old / "bridge.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerError, match="is locked by another program"):
            open_ledger(URL, old)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "bridge.db",
        "mysql://user:geheim@host/name",
        "sqlite://bridge.db",
        "sqlite:///bridge.db?mode=rwc",
        "postgresql://user:ge/heim@host:x/name",
        "postgresql://user:geheim@127.0.0.1:1/name",
    ],
)
def test_a_wrong_url_is_refused_and_not_repeated(url: str, tmp_path: Path) -> None:
    with pytest.raises(LedgerError) as caught:
        open_ledger(url, tmp_path)
    said = "".join(traceback.format_exception(caught.value, limit=0))
    assert "BRIDGE_DATABASE_URL" in said
    assert "heim" not in said
    assert names(tmp_path) == []


@needs_postgresql
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"password": "geheim"}, "refused the sign-in"),
        ({"username": "nobody_we_know", "password": "geheim"}, "refused the sign-in"),
        ({"database": "no_such_database"}, "does not know the database"),
        ({"port": 1}, "cannot be reached"),
    ],
)
def test_what_postgresql_refuses_is_said_without_the_url(wrong: dict[str, Any], said: str) -> None:
    url = sa.make_url(POSTGRESQL).set(**wrong)
    with pytest.raises(LedgerError, match=f"BRIDGE_DATABASE_URL {said}") as caught:
        open_ledger(url.render_as_string(hide_password=False))
    told = "".join(traceback.format_exception(caught.value, limit=0))
    assert str(url.password) not in told
    assert "geheim" not in told
    assert str(url.host) not in told


@needs_postgresql
def test_tables_of_others_are_left_alone() -> None:
    with schema() as url:
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE items (id int)")
            connection.exec_driver_sql("CREATE TABLE alembic_version (version_num text)")
        with pytest.raises(LedgerError, match="already holds other tables of the same names"):
            open_ledger(url)
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE items")
        open_ledger(url).close()
