"""The bridge as a service, and two of it at once: the schedule, SIGTERM, the lease, interrupted and beside itself.

The service is a process of its own; it is ended by its id only.
"""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from io import StringIO

import pytest

from bridge import commands, config
from bridge.ledger_errors import LedgerError
from bridge.screen import Screen
from bridge.tables import REVISION_TABLE
from bridge.texts import texts
from tests.go_between import GoBetween
from tests.mirror import PROJECT, Desk, Mirror, environment, written
from tests.radicale_server import Radicale

pytestmark = pytest.mark.radicale


def until(condition: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
    """Wait for something that another process does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.05)


@contextmanager
def service(mirror: Mirror, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """`run` in a process of its own; ended with the test."""
    process = mirror.starts("run", *words)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def ends_well(process: subprocess.Popen[bytes], sign: int = signal.SIGTERM) -> tuple[str, str]:
    """Told to end, it does so within ten seconds, with 0 and without a cry."""
    process.send_signal(sign)
    out, err = process.communicate(timeout=10)
    assert process.returncode == 0, err.decode()
    assert "Traceback" not in err.decode()
    return out.decode(), err.decode()


# ---- the schedule -----------------------------------------------------------------------------------------------


def test_the_service_mirrors_until_it_is_told_to_end(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    rathaus.adds("Netz")
    mirror.begins()
    mirror.sets(BRIDGE_INTERVAL="1")
    with service(mirror) as process:
        rathaus.edits("Netz", "PRIORITY:1")
        until(lambda: entwicklung.task("Netz").get("PRIORITY") == "1", "the edit arrives")
        entwicklung.adds("Neu", ago=0)
        until(lambda: len(rathaus.all()) == 2, "the new task arrives")
        assert process.poll() is None
        ends_well(process)
    mirror.rests()


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_told_to_end_in_the_middle_of_a_pass_it_ends_soon(
    mirror: Mirror, radicale: Radicale, rathaus: Desk, entwicklung: Desk, sign: int
) -> None:
    """Forty creates of half a second each: most of them are never sent, and none is sent twice."""
    rathaus.adds("Netz")
    with GoBetween(radicale.port) as way:
        mirror.sets(ENTWICKLUNG_URL=way.url + entwicklung.path, ENTWICKLUNG_WRITES="1")
        mirror.begins()
        for number in range(40):
            rathaus.adds(f"Neu {number}", ago=0)
        way.counted()
        way.before = way.after = 0.25
        with service(mirror) as process:
            until(lambda: any(method == "PUT" for method, _, _ in way.seen), "it writes")
            ends_well(process, sign)
        way.before = way.after = 0
        sent = len(entwicklung.all())
        assert 1 < sent < 30
        told = mirror.sync()
        assert written(told) <= 41 - sent
        assert len(entwicklung.tasks()) == 41
        mirror.rests()


def test_passes_of_a_service_never_overlap(
    mirror: Mirror, radicale: Radicale, rathaus: Desk, entwicklung: Desk
) -> None:
    """A pass takes longer than the interval."""
    rathaus.adds("Netz")
    mirror.begins()
    with GoBetween(radicale.port, before=0.8, after=0.8) as way:
        mirror.sets(RATHAUS_URL=way.url + rathaus.path, BRIDGE_INTERVAL="1")
        mirror.sync("--accept")
        way.counted()
        with service(mirror) as process:
            until(lambda: len(way.seen) >= 4, "four passes", 60)
            out, err = ends_well(process)
        assert way.most_at_once[rathaus.path] == 1
        assert {method for method, _, _ in way.seen} == {"REPORT"}
    assert err == ""
    assert out


def test_a_cron_line_goes_before_the_interval(mirror: Mirror, rathaus: Desk) -> None:
    rathaus.adds("Netz")
    mirror.begins()
    mirror.sets(BRIDGE_SCHEDULE="0 4 * * *")
    with service(mirror) as process:
        until(lambda: runs_of(mirror) == 2, "the pass at the start")
        time.sleep(1.5)
        assert runs_of(mirror) == 2
        ends_well(process)


def runs_of(mirror: Mirror) -> int:
    """How many passes the ledger knows."""
    return int(mirror.json("status")["run"] or 0)


def test_a_service_tells_machines_one_object_a_pass(mirror: Mirror, rathaus: Desk) -> None:
    rathaus.adds("Netz")
    mirror.begins()
    mirror.sets(BRIDGE_INTERVAL="1")
    with service(mirror, "--json") as process:
        until(lambda: runs_of(mirror) >= 3, "two passes")
        out, _ = ends_well(process)
    found, rest = [], out.strip()
    while rest:
        one, end = json.JSONDecoder().raw_decode(rest)
        found.append(one)
        rest = rest[end:].strip()
    assert [one["run"] for one in found][:2] == [2, 3]
    assert all(one["ok"] and "connectors" in one for one in found)


def test_a_service_waits_for_consent_and_goes_on(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    rathaus.adds("Netz")
    mirror.sets(BRIDGE_INTERVAL="1")
    with service(mirror) as process:
        until(lambda: runs_of(mirror) >= 2, "two passes")
        assert entwicklung.files() == {}
        mirror.begins()
        rathaus.edits("Netz", "PRIORITY:1")
        until(lambda: entwicklung.task("Netz").get("PRIORITY") == "1", "it goes on")
        out, err = ends_well(process)
    assert "--accept" in out + err


def test_a_service_survives_a_server_that_goes_away(
    mirror: Mirror, radicale: Radicale, rathaus: Desk, entwicklung: Desk
) -> None:
    """It backs off after a failure: a minute at least, so that the rest is told by a sync by hand."""
    rathaus.adds("Netz")
    with GoBetween(radicale.port) as way:
        mirror.sets(ENTWICKLUNG_URL=way.url + entwicklung.path, BRIDGE_INTERVAL="1")
        mirror.begins()
        way.down = True
        with service(mirror) as process:
            until(lambda: bool(mirror.json("status")["connectors"]["entwicklung"]["error"]), "the failure is noted")
            tries = runs_of(mirror)
            asked = len(way.seen)
            until(lambda: runs_of(mirror) >= tries + 2, "it goes on with the other")
            assert len(way.seen) == asked
            way.down = False
            rathaus.edits("Netz", "PRIORITY:1")
            told = mirror.sync()
            assert told["connectors"]["entwicklung"]["updated"] == 1
            ends_well(process)


# ---- two at once ------------------------------------------------------------------------------------------------

HOLDER = """
import sys
from bridge.lease import lease
with lease(sys.argv[1], wait=0):
    print("mine", flush=True)
    sys.stdin.read()
"""


@contextmanager
def holder(mirror: Mirror) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the ledger."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", HOLDER, f"sqlite:///{mirror.folder / 'bridge.db'}"]
    with subprocess.Popen(command, cwd=PROJECT, stdin=pipe, stdout=pipe, text=True, env=environment()) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "mine\n"
        try:
            yield other
        finally:
            other.kill()


def sync_within(mirror: Mirror, wait: float) -> tuple[int, str, str]:
    """The command `sync --json` that waits only so long for another pass: code, stdout, stderr."""
    settings = config.load(mirror.settings, mirror.folder)
    out, err = StringIO(), StringIO()
    screen = Screen(texts("en"), for_machines=True, out=out, err=err)
    code = commands.sync(settings, screen, Namespace(accept=False), wait=wait)
    return code, out.getvalue(), " ".join(err.getvalue().split())


def test_a_second_sync_waits_and_then_says_so(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    rathaus.adds("Netz")
    mirror.begins()
    rathaus.edits("Netz", "PRIORITY:1")
    with holder(mirror) as other:
        begun = time.monotonic()
        code, out, err = sync_within(mirror, 0.5)
        assert time.monotonic() - begun >= 0.5
        assert code == 1
        assert str(other.pid) in err
        assert err.count("Another pass") == 1
        told = json.loads(out)
        assert (told["ok"], told["connectors"]) == (False, {})
        assert entwicklung.task("Netz").get("PRIORITY") == ""
        assert mirror.run("status").code == 0  # looking needs no lease
        assert mirror.run("plan").code == 0
    assert commands.PATIENCE == 30


def test_a_second_sync_goes_on_when_the_first_has_ended(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    rathaus.adds("Netz")
    mirror.begins()
    rathaus.edits("Netz", "PRIORITY:1")
    with holder(mirror) as other:
        assert other.stdin is not None
        threading.Timer(0.5, other.stdin.close).start()
        code, _, _ = sync_within(mirror, 30)
        assert code == 0
        other.wait(10)
    assert entwicklung.task("Netz")["PRIORITY"] == "1"


def test_after_a_kill_the_next_sync_starts_at_once(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    rathaus.adds("Netz")
    mirror.begins()
    rathaus.edits("Netz", "PRIORITY:1")
    with holder(mirror) as other:
        other.kill()
        other.wait(10)
        code, _, _ = sync_within(mirror, 0)
    assert code == 0
    assert entwicklung.task("Netz")["PRIORITY"] == "1"


def test_two_syncs_at_once_do_the_work_once(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    rathaus.adds("Netz")
    mirror.begins()
    for number in range(8):
        rathaus.adds(f"Neu {number}", ago=0)
        entwicklung.adds(f"Dort {number}", ago=0)
    both = [mirror.starts("sync", "--json") for _ in range(2)]
    answers = [json.loads(process.communicate(timeout=90)[0]) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum(written(told) for told in answers) == 16
    assert len(rathaus.tasks()) == len(entwicklung.tasks()) == 17
    mirror.rests()


def test_a_holder_that_lost_its_lease_sends_nothing_more(
    mirror: Mirror, radicale: Radicale, rathaus: Desk, entwicklung: Desk
) -> None:
    """The lock's file is taken away while the first of many writes is under way."""
    rathaus.adds("Netz")
    mirror.begins()
    for number in range(10):
        rathaus.adds(f"Neu {number}", ago=0)
    with GoBetween(radicale.port) as way:
        mirror.sets(ENTWICKLUNG_URL=way.url + entwicklung.path, ENTWICKLUNG_WRITES="1")

        def steal(method: str, path: str) -> str:
            if method == "PUT":
                (mirror.folder / "bridge.db-lock").unlink(missing_ok=True)
            return ""

        way.trouble = steal
        answer = mirror.command("sync", "--json", "--accept")
        assert way.counted()["PUT"] == 1
        assert answer.code == 1
        assert "Traceback" not in answer.err
        assert answer.data["ok"] is False
        way.trouble = lambda method, path: ""
        mirror.sync()
        assert len(entwicklung.tasks()) == 11
        mirror.rests()


# ---- the ledger -------------------------------------------------------------------------------------------------


def test_a_ledger_that_is_none_is_refused_in_words(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    rathaus.adds("Netz")
    ledger = mirror.folder / "bridge.db"
    with closing(sqlite3.connect(ledger)) as strange, strange:
        strange.execute("CREATE TABLE rezepte (zutat TEXT)")
    for words in (("sync",), ("status",), ("plan",), ("disconnect", "rathaus")):
        answer = mirror.run(*words)
        assert answer.code == 2
        assert "BRIDGE_DATABASE_URL" in answer.said
    assert entwicklung.files() == {}


def test_a_ledger_of_a_newer_release_is_refused_in_words(mirror: Mirror, rathaus: Desk) -> None:
    rathaus.adds("Netz")
    mirror.begins()
    path = mirror.folder / "bridge.db"
    with closing(sqlite3.connect(path)) as ledger, ledger:
        ledger.execute(f"UPDATE {REVISION_TABLE} SET version_num = '9999'")
    before = path.read_bytes()
    for words in (("sync",), ("status",)):
        answer = mirror.run(*words)
        assert answer.code == 2
        assert "newer release" in answer.said
    assert path.read_bytes() == before


def test_a_ledger_that_fails_is_said_and_the_service_goes_on(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise LedgerError("The disk is full.")

    def twice(_: object, beat: Callable[[Callable[[], bool]], None]) -> None:
        beat(lambda: True)
        beat(lambda: True)

    monkeypatch.setattr("bridge.commands.one_pass", fail)
    monkeypatch.setattr("bridge.schedule.keep_time", twice)
    answer = mirror.run("run", "--json")
    assert answer.code == 0
    assert answer.err.count("The disk is full.") == 2
    assert answer.out.count('"error": "The disk is full."') == 2
