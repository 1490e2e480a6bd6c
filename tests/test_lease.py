"""One pass at a time per ledger; the lock dies with its holder (R29)."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from bridge import lease as leases
from bridge.lease import lease
from bridge.ledger_errors import LeaseHeld, LedgerError
from tests.ledgers import needs_postgresql, schema

ROOT = Path(__file__).parents[1]
HOLDER = """
import sys
from bridge.lease import lease
with lease(sys.argv[1], wait=0) as held:
    print(held.held(), flush=True)
    sys.stdin.read()
"""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=needs_postgresql)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/bridge.db"
    else:
        with schema() as fresh:
            yield fresh


@contextmanager
def holder(url: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lease."""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", HOLDER, url], cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        try:
            yield other
        finally:
            other.kill()


def patience(url: str) -> float:
    """A server learns of a death through a socket: that takes a moment. The kernel knows at once."""
    return 10 if url.startswith("postgres") else 0


def test_lease_is_held_then_free_again(url: str) -> None:
    for _ in range(2):
        with lease(url, wait=0) as mine:
            assert mine.held()
        assert not mine.held()


def test_second_pass_is_told_who_is_at_work(url: str) -> None:
    with holder(url) as other:
        with pytest.raises(LeaseHeld, match=rf"Another pass .* \(process {other.pid} on .+, since .+ UTC\)") as caught:
            lease(url, wait=0.3).__enter__()
        assert str(caught.value).endswith(" and did not end within 0 seconds: try again when it has ended.")
        assert caught.value.pid == other.pid
        assert caught.value.since is not None


def test_second_lease_of_one_process_is_refused_too(url: str) -> None:
    with lease(url, wait=0) as mine:
        with pytest.raises(LeaseHeld) as caught:
            lease(url, wait=0).__enter__()
        assert caught.value.pid == os.getpid()
        assert mine.held()


def test_killed_holder_leaves_the_lease_to_the_next(url: str) -> None:
    with holder(url) as other:
        other.send_signal(signal.SIGKILL)
        other.wait()
        with lease(url, wait=patience(url)) as mine:
            assert mine.held()


def test_waiting_ends_when_the_holder_ends(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with holder(url) as other:
        tries = []

        def sleep(_: float) -> None:
            tries.append(1)
            if len(tries) == 3:
                assert other.stdin is not None
                other.stdin.close()
                other.wait()

        monkeypatch.setattr("bridge.lease.time.sleep", sleep)
        with lease(url, wait=1000) as mine:
            assert mine.held()
        assert len(tries) >= 3


def test_pass_that_fails_lets_go(url: str) -> None:
    with pytest.raises(ZeroDivisionError), lease(url, wait=0):
        _ = 1 / 0
    with lease(url, wait=0) as mine:
        assert mine.held()


def test_removed_lock_file_is_a_lost_lease(tmp_path: Path) -> None:
    lock = tmp_path / "bridge.db-lock"
    with lease("sqlite:///bridge.db", tmp_path, wait=0) as mine:
        assert lock.stat().st_mode & 0o777 == 0o600
        lock.rename(tmp_path / "elsewhere")
        assert not mine.held()
        with lease("sqlite:///bridge.db", tmp_path, wait=0) as other:
            assert other.held()
            assert not mine.held()
        (tmp_path / "elsewhere").rename(lock)
        assert not mine.held()  # lost is lost


def test_lock_file_removed_while_it_is_taken_is_taken_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock, flock = tmp_path / "bridge.db-lock", fcntl.flock

    def late(file: int, how: int) -> None:
        monkeypatch.setattr("bridge.lease.fcntl.flock", flock)
        lock.unlink()
        flock(file, how)

    monkeypatch.setattr("bridge.lease.fcntl.flock", late)
    with lease("sqlite:///bridge.db", tmp_path, wait=10) as mine:
        assert mine.held()
        with pytest.raises(LeaseHeld):
            lease("sqlite:///bridge.db", tmp_path, wait=0).__enter__()


def test_lock_lies_beside_the_file_that_a_link_points_to(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link.db").symlink_to(tmp_path / "real" / "bridge.db")
    with lease("sqlite:///link.db", tmp_path, wait=0), pytest.raises(LeaseHeld):
        lease("sqlite:///real/bridge.db", tmp_path, wait=0).__enter__()


def test_leases_of_two_ledgers_do_not_meet(url: str, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with lease(url, wait=0) as one, lease("sqlite:///other/bridge.db", tmp_path, wait=0) as two:
        assert one.held()
        assert two.held()


@needs_postgresql
def test_leases_of_two_schemas_of_one_database_do_not_meet() -> None:
    with schema() as first, schema() as second, lease(first, wait=0) as one, lease(second, wait=0) as two:
        assert one.held()
        assert two.held()


def test_lease_of_a_ledger_in_memory_binds_this_process() -> None:
    with lease("sqlite://", wait=0) as mine:
        assert mine.held()
        with pytest.raises(LeaseHeld, match=str(os.getpid())):
            lease("sqlite://", wait=0).__enter__()
    assert not mine.held()
    with lease("sqlite://", wait=0) as mine:
        assert mine.held()


@needs_postgresql
def test_ended_session_is_a_lost_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    with schema() as url:
        with lease(url, wait=0) as mine:
            engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
            with engine.connect() as connection:
                found = connection.exec_driver_sql(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE application_name LIKE 'strategy-bridge pass %%' AND pid IN "
                    "(SELECT pid FROM pg_locks WHERE locktype = 'advisory') "
                    f"AND application_name LIKE '%% {os.getpid()} %%'"
                ).all()
            assert len(found) == 1
            assert mine.held()  # believed for a second, so that eight writers do not ask eight times
            monkeypatch.setattr(leases, "CHECK", 0.0)
            assert not mine.held()
            monkeypatch.setattr(leases, "CHECK", 1000.0)
            assert not mine.held()
        with lease(url, wait=patience(url)) as mine:
            assert mine.held()


def test_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=r"^The folder .*/nowhere of the ledger does not exist: .*\.$"):
        lease("sqlite:///nowhere/bridge.db", tmp_path).__enter__()


def test_unreachable_server_is_said_without_the_url() -> None:
    with pytest.raises(LedgerError, match=r"cannot be reached: .*\.$") as caught:
        lease("postgresql://user:geheim@127.0.0.1:1/ledger").__enter__()
    assert "geheim" not in str(caught.value)
    assert "127.0.0.1" not in str(caught.value)
