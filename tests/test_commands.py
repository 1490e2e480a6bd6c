"""Every command and what it promises: exit codes, one JSON value on stdout, nothing written by those that only look.

The commands run against a real Radicale, most of them in this process, some in one of their own.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from tests.go_between import GoBetween
from tests.mirror import Desk, Mirror, environment, run_in, written
from tests.radicale_server import Radicale
from tests.test_mirroring_servers import WRITING

pytestmark = pytest.mark.radicale

LOOKING = (("check",), ("plan",), ("status",), ("items",), ("conflicts",), ("show", "Netz"))
COMMANDS = (*LOOKING, ("sync",), ("run",), ("passport", "rathaus"), ("disconnect", "rathaus"))


def folder_of(path: Path) -> dict[str, str]:
    """Every file below a folder with a digest of what is in it."""
    found = [each for each in sorted(path.rglob("*")) if each.is_file()]
    return {str(each.relative_to(path)): sha256(each.read_bytes()).hexdigest() for each in found}


@pytest.fixture
def busy(mirror: Mirror, rathaus: Desk, entwicklung: Desk) -> Mirror:
    """A bridge that has run, with a conflict and something to do."""
    for title in ("Netz", "Portal", "Netzwerk"):
        rathaus.adds(title, "DUE;VALUE=DATE:20261201")
    mirror.begins()
    rathaus.edits("Netz", "DUE;VALUE=DATE:20261202", ago=2)
    entwicklung.edits("Netz", "DUE;VALUE=DATE:20261203")
    mirror.sync()
    rathaus.edits("Portal", "PRIORITY:1")
    return mirror


# ---- without settings, and wrongly used -------------------------------------------------------------------------


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_without_settings_it_says_what_to_do(tmp_path: Path, words: tuple[str, ...]) -> None:
    for answer in (run_in(tmp_path, *words), run_in(tmp_path, *words, "--json")):
        assert answer.code == 2
        assert answer.out == ""
        path = re.search(r"cp\s+(\S+)\s+\.env", answer.err)
        assert path is not None, answer.err
        assert "strategy-bridge check" in " ".join(answer.err.split())
    assert list(tmp_path.iterdir()) == []


def test_the_file_to_copy_is_there_and_the_next_command_works(tmp_path: Path) -> None:
    first = subprocess.run(
        [sys.executable, "-m", "bridge", "sync"],
        cwd=tmp_path,
        env=environment() | {"COLUMNS": "40"},
        capture_output=True,
        check=False,
    )
    assert first.returncode == 2
    said = re.search(r"cp\s+(\S+)\s+\.env", first.stderr.decode())
    assert said is not None
    (tmp_path / ".env").write_bytes(Path(said[1]).read_bytes())
    answer = run_in(tmp_path, "status")
    assert answer.code == 0


def test_an_example_in_the_folder_is_the_one_that_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env.example").write_text("", encoding="utf-8")
    assert "cp .env.example .env" in " ".join(run_in(tmp_path, "status").err.split())


def test_help_and_version_need_no_settings(tmp_path: Path) -> None:
    for words in (("--help",), *((*words, "--help") for words in COMMANDS)):
        answer = run_in(tmp_path, *words)
        assert (answer.code, answer.err) == (0, "")
        assert "--json" in answer.out or words == ("--help",)
    assert re.fullmatch(r"strategy-bridge \d.*\n", run_in(tmp_path, "--version").out)
    assert all(words[0] in run_in(tmp_path, "--help").out for words in COMMANDS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [(), ("tanzen",), ("show",), ("disconnect",), ("sync", "--acept"), ("items", "x")])
def test_wrong_usage_ends_2(tmp_path: Path, words: tuple[str, ...]) -> None:
    answer = run_in(tmp_path, *words)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("Aufruf: strategy-bridge")


def test_all_problems_of_the_settings_come_at_once_and_before_any_request(
    mirror: Mirror, rathaus: Desk, radicale: Radicale
) -> None:
    with GoBetween(radicale.port) as way:
        mirror.sets(
            RATHAUS_URL=way.url + rathaus.path,
            RATHAUS_MODE="halbtags",
            ENTWICKLUNG_TYPE="kaldav",
            BRIDGE_TIMEZONE="Europe/Aachen",
        )
        answer = mirror.run("sync")
        assert answer.code == 2
        for name in ("RATHAUS_MODE", "ENTWICKLUNG_TYPE", "BRIDGE_TIMEZONE"):
            assert name in answer.said
        assert way.seen == []
    assert [path.name for path in mirror.folder.iterdir()] == [".env"]


# ---- looking writes nothing -------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", LOOKING, ids=lambda words: words[0])
def test_looking_leaves_an_empty_folder_empty(
    tmp_path: Path, mirror: Mirror, rathaus: Desk, entwicklung: Desk, radicale: Radicale, words: tuple[str, ...]
) -> None:
    """All settings come from the environment, so that there is no file at all."""
    rathaus.adds("Netz")
    empty = tmp_path / "leer"
    empty.mkdir()
    with GoBetween(radicale.port) as way:
        settings = {**mirror.settings, "RATHAUS_URL": way.url + rathaus.path}
        done = subprocess.run(
            [sys.executable, "-m", "bridge", *words, "--json"],
            cwd=empty,
            env={**environment(), **settings},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        assert done.returncode == {"plan": 3, "show": 2}.get(words[0], 0), done.stderr.decode()
        assert not {method for method, _, _ in way.seen} & WRITING
    assert list(empty.iterdir()) == []
    assert (len(rathaus.files()), len(entwicklung.files())) == (1, 0)


@pytest.mark.parametrize("words", LOOKING, ids=lambda words: words[0])
def test_looking_changes_nothing(busy: Mirror, words: tuple[str, ...]) -> None:
    before, there = folder_of(busy.folder), {name: desk.files() for name, desk in busy.desks.items()}
    for _ in range(2):
        assert busy.run(*words).code == 0
    assert folder_of(busy.folder) == before
    assert {name: desk.files() for name, desk in busy.desks.items()} == there


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_refused_in_words(busy: Mirror) -> None:
    before = folder_of(busy.folder)
    busy.folder.chmod(0o500)
    try:
        for words in (("check",), ("plan",), ("sync",)):
            answer = busy.run(*words)
            assert (answer.code, answer.out) == (2, "")
            assert "BRIDGE_DATABASE_URL" in answer.err
    finally:
        busy.folder.chmod(0o700)
    assert folder_of(busy.folder) == before


def test_the_plan_is_what_the_sync_does(busy: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    rathaus.adds("Neu", "PRIORITY:1", ago=0)
    entwicklung.deletes("Netzwerk")
    plan = busy.json("plan")
    acts = sorted((one["connector"], one["act"], one["title"]) for one in plan["operations"])
    assert acts == [
        ("entwicklung", "create", "Neu"),
        ("entwicklung", "update", "Portal"),
        ("rathaus", "archive", "Netzwerk"),
    ]
    (update,) = [one for one in plan["operations"] if one["act"] == "update"]
    assert update["changes"] == {"priority": {"before": None, "after": 1}}
    assert update["reason"] == "changed in rathaus"
    told = busy.sync()
    counts = {name: (one["created"], one["updated"], one["deleted"]) for name, one in told["connectors"].items()}
    assert counts == {"rathaus": (0, 0, 1), "entwicklung": (1, 1, 0)}
    assert busy.json("plan")["operations"] == []


def test_the_plan_fails_with_a_connector(busy: Mirror) -> None:
    busy.sets(ENTWICKLUNG_PASSWORD="falsch")
    assert busy.json("plan", ends=1)["connectors"]["entwicklung"]["error"]


# ---- one JSON value ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [*LOOKING, ("sync",)], ids=lambda words: words[0])
def test_json_stands_alone_on_stdout(busy: Mirror, words: tuple[str, ...]) -> None:
    answer = busy.command(*words, "--json")
    assert answer.code == 0
    assert isinstance(json.loads(answer.out), dict | list)
    assert busy.settings["RATHAUS_PASSWORD"] not in answer.out + answer.err


def test_what_sync_prints_for_machines(busy: Mirror, rathaus: Desk) -> None:
    told = busy.sync()
    assert {"run", "ok", "seconds", "conflicts", "connectors"} <= set(told)
    assert (told["run"], told["ok"], told["conflicts"]) == (3, True, 0)
    assert 0 < told["seconds"] < 60
    keys = {"pulled", "created", "updated", "deleted", "parked", "requests", "error"}
    assert {name: set(one) for name, one in told["connectors"].items()} == {"rathaus": keys, "entwicklung": keys}
    assert told["connectors"]["rathaus"] == {
        "pulled": 1,
        "created": 0,
        "updated": 0,
        "deleted": 0,
        "parked": 0,
        "requests": 2,
        "error": None,
    }
    assert told["connectors"]["entwicklung"]["updated"] == 1


def test_conflicts_for_machines_newest_first(busy: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    rathaus.edits("Portal", "SUMMARY:Bürgerportal", ago=2)
    entwicklung.edits("Portal", "SUMMARY:Serviceportal")
    assert busy.sync()["conflicts"] == 1
    kept = busy.json("conflicts")
    assert [one["field"] for one in kept] == ["title", "due"]
    assert {"id", "item", "field", "base", "winner", "loser", "rule", "run"} <= set(kept[0])
    assert (kept[0]["base"], kept[0]["winner"], kept[0]["loser"]) == ("Portal", "Serviceportal", "Bürgerportal")
    assert (kept[1]["base"], kept[1]["winner"], kept[1]["loser"]) == ("2026-12-01", "2026-12-03", "2026-12-02")
    assert [one["run"] for one in kept] == [3, 2]
    assert kept[0]["item"] == busy.json("show", "Serviceportal")["id"]
    assert kept[0]["rule"]
    for word in ("Serviceportal", "Bürgerportal", "2026-12-03", "2026-12-02"):
        assert word in busy.run("conflicts").said


# ---- status, items, show ----------------------------------------------------------------------------------------


def test_status_says_how_things_stand(busy: Mirror, rathaus: Desk) -> None:
    rathaus.adds("z" * 300, ago=0)
    busy.sync(ends=1)
    told = busy.json("status")
    assert told["conflicts"] == 1
    assert set(told["connectors"]) == {"rathaus", "entwicklung"}
    for one in told["connectors"].values():
        assert one["records"] == 3
        assert one["complete_at"] > 1_600_000_000
        assert abs(one["offset"]) <= 1
        assert one["error"] == ""
    (parked,) = told["parked"]
    assert parked["connector"] == "rathaus"
    assert parked["title"] == "z" * 300
    assert parked["reason"]
    said = busy.run("status").said
    assert parked["reason"].split()[0] in said
    assert "strategy-bridge conflicts" in said


def test_status_before_the_first_pass(mirror: Mirror) -> None:
    told = mirror.json("status")
    assert (told["run"], told["parked"], told["conflicts"]) == (None, [], 0)
    assert "never" in mirror.run("status").said


def test_items_are_the_model(busy: Mirror) -> None:
    found = busy.json("items")
    assert {one["title"] for one in found} == {"Netz", "Portal", "Netzwerk"}
    for one in found:
        assert (one["kind"], one["deleted"], one["connectors"]) == ("task", False, ["entwicklung", "rathaus"])
    assert all(one["title"] in busy.run("items").said for one in found)


def test_show_finds_an_item_by_id_prefix_or_title(busy: Mirror) -> None:
    ids = {one["title"]: one["id"] for one in busy.json("items")}
    for text in (ids["Netz"], ids["Netz"][:12], "Netz", "NETZ", " netz "):
        found = busy.json("show", text)
        assert (found["id"], found["title"]) == (ids["Netz"], "Netz")
    assert found["fields"]["due"] == "2026-12-03"
    assert {one["connector"] for one in found["records"]} == {"rathaus", "entwicklung"}
    assert [one["loser"] for one in found["conflicts"]] == ["2026-12-02"]
    edits = [(one["before"], one["after"]) for one in found["history"] if one["field"] == "due"]
    assert edits[-1] == ("2026-12-02", "2026-12-03")
    assert {"run", "at", "connector", "act", "why"} <= set(found["history"][0])
    assert "Netz" in busy.run("show", "Netz").said


def test_show_says_when_there_is_none_or_more_than_one(busy: Mirror, rathaus: Desk) -> None:
    answer = busy.run("show", "Gibt es nicht")
    assert (answer.code, answer.out) == (2, "")
    assert "Gibt es nicht" in answer.said
    assert "strategy-bridge items" in answer.said
    rathaus.adds("Netz", "CATEGORIES:Meilenstein", ago=0)  # another kind, so that both stand
    busy.sync()
    answer = busy.run("show", "Netz")
    assert answer.code == 2
    ids = [one["id"] for one in busy.json("items") if one["title"] == "Netz"]
    assert len(ids) == 2
    for id in ids:
        assert id[:12] in answer.said
        assert busy.json("show", id[:12])["id"] == id


# ---- for people -------------------------------------------------------------------------------------------------


def test_people_are_told_in_their_language(busy: Mirror) -> None:
    assert "2026-12-03" in busy.run("items").said
    busy.sets(BRIDGE_LANGUAGE="de")
    said = busy.run("items").said
    assert "03.12.2026" in said
    assert "Einträge" in said
    busy.sets(BRIDGE_LANGUAGE=None)
    assert "Einträge" in busy.run("items").said


def test_german_is_german_down_to_the_reasons(mirror: Mirror, rathaus: Desk) -> None:
    mirror.sets(BRIDGE_LANGUAGE="de")
    rathaus.adds("x" * 300)
    rathaus.adds("Netz")
    for words in (("plan",), ("sync",)):
        said = mirror.run(*words).said
        for english in ("first contact", "new elsewhere", "Exists on", "longer than"):
            assert english not in said, words
    mirror.run("sync", "--accept")
    said = mirror.run("status").said
    assert "255" in said
    assert "characters" not in said
    mirror.sets(RATHAUS_PASSWORD="falsch")
    said = mirror.run("check").said
    assert "RATHAUS_PASSWORD" in said
    for english in ("refuses", "sign", "check ", "wrong"):
        assert english not in said


def test_a_screen_that_knows_only_ascii_is_enough(busy: Mirror) -> None:
    for words in (*LOOKING, ("sync",)):
        done = subprocess.run(
            [sys.executable, "-m", "bridge", *words],
            cwd=busy.folder,
            env={**environment(), "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii", "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()


def test_a_reader_that_goes_away_is_no_error(busy: Mirror) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "bridge", "items"],
        cwd=busy.folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=write,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(write)
    assert b"Traceback" not in done.stderr


def test_platform_text_is_never_markup(mirror: Mirror, rathaus: Desk) -> None:
    title = "[bold red]Alarm[/] [link=http://x]y[/link] :boom:"
    rathaus.adds(title)
    mirror.begins()
    assert title in mirror.run("items").said
    assert title in mirror.run("show", title).said


def test_a_conflict_decided_by_rule_ends_0(busy: Mirror, rathaus: Desk, entwicklung: Desk) -> None:
    rathaus.edits("Netz", "PRIORITY:1", ago=2)
    entwicklung.edits("Netz", "PRIORITY:9")
    told = busy.sync()
    assert (told["conflicts"], told["ok"]) == (1, True)
    assert written(told) == 2
