"""The passport: true to the platform, and leaving nothing behind, whatever happens meanwhile."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bridge import config
from bridge.passport import paper
from bridge.passport.bench import Bench
from bridge.passport.command import take
from bridge.passport.measure import judge
from bridge.passport.report import Passport, Verdict
from bridge.texts import texts
from connectors.base import Fields, Record, Ref
from connectors.errors import Lost, Rejected, Transient, Unauthorized
from connectors.memory import TYPE, MemoryConnector, platform_at
from connectors.memory_platform import MemoryPlatform
from mappings.canonical import Value
from tests import passports
from tests.mirror import Desk, Mirror, environment, run_in
from tests.radicale_server import Radicale

_count = iter(range(1, 1000))


class Trial:
    """A platform in memory, and a passport of it with a connector that a test may spoil."""

    def __init__(self, folder: Path, kind: type[MemoryConnector] = MemoryConnector, face: str = "a") -> None:
        self.url = f"memory://test-{next(_count)}?face={face}"
        self.platform: MemoryPlatform = platform_at(self.url)
        given = {"BRIDGE_CONNECTORS": "m", "M_TYPE": "memory", "M_URL": self.url}
        (one,) = config.load(given, folder).connectors
        spoilt = replace(TYPE, connect=lambda access: kind(platform_at(access.url)))
        self.bench = Bench(replace(one, type=spoilt), ZoneInfo("Europe/Berlin"), sleep=lambda _: None)
        found = self.bench.identify()
        self.passport = Passport("m", found.type, found.host, found.title)

    def measured(self) -> Passport:
        take(self.bench, self.passport, records=2)
        self.passport.left = self.bench.clean()
        return self.passport

    def verdicts(self, area: str) -> dict[str, Verdict]:
        return {f"{line.field} {line.step}": line.verdict for line in self.passport.area(area)}


# ---- what it says ------------------------------------------------------------------------------------------------


@pytest.mark.radicale
@pytest.mark.parametrize("name", ["caldav-radicale", "nextcloud-deck", "workbook-csv"])
def test_a_shipped_passport_is_what_is_measured_today(name: str) -> None:
    with passports.PLACES[name]() as (settings, where):
        result = passports.measured(settings)
    shipped = (passports.FOLDER / f"{name}.md").read_text(encoding="utf-8")
    again = paper.markdown(texts("en"), result, where)
    assert passports.without_chance(again) == passports.without_chance(shipped), "run: make passports"
    assert len(passports.without_chance(shipped).splitlines()) > 80


def test_every_platform_has_a_passport_and_a_stand_in_says_so() -> None:
    listed = (passports.FOLDER / "README.md").read_text(encoding="utf-8")
    for name in passports.PLACES:
        text = (passports.FOLDER / f"{name}.md").read_text(encoding="utf-8")
        assert f"({name}.md)" in listed
        assert ("stand-in" in text) == (name in ("nextcloud-deck", "gitlab", "openproject"))


def test_a_platform_that_holds_everything_loses_nothing(tmp_path: Path) -> None:
    trial = Trial(tmp_path)
    result = trial.measured()
    assert result.ok
    assert {line.verdict for line in result.lines} == {Verdict.KEPT, Verdict.ALIKE}
    assert result.facts["stale_write"] == result.facts["stale_delete"] == "refused"
    assert result.facts["versions_change"] == result.facts["pull_sees"] == "yes"
    assert result.facts["deleted"] == "gone"
    assert trial.platform.listing() == []


def test_what_is_lost_on_the_way_is_said(tmp_path: Path) -> None:
    class Forgetful(MemoryConnector):
        """Keeps 60 characters of a text, no due date at all, no label with a comma, and every day one late."""

        def update(self, ref: Ref, fields: Fields, if_version: str) -> Record:
            if any("," in label for label in fields.get("labels") or ()):  # type: ignore[union-attr]
                raise Rejected("No commas, please.")
            wrong: dict[str, Any] = {**fields}
            if isinstance(fields.get("description"), str):
                wrong["description"] = str(fields["description"])[:60]
            wrong |= {"due": None} if "due" in fields else {}
            wrong |= {"start": "2026-03-04"} if fields.get("start") else {}
            return super().update(ref, wrong, if_version)

    trial = Trial(tmp_path, Forgetful)
    result = trial.measured()
    fields = trial.verdicts("fields")
    assert fields["due set"] is Verdict.LOST
    assert fields["due clear"] is Verdict.KEPT
    assert fields["start set"] is fields["start change"] is Verdict.OTHER
    assert trial.verdicts("labels")["labels comma"] is Verdict.REFUSED
    assert trial.verdicts("texts")["description longest"] is Verdict.SHORT
    assert result.ok  # a loss is what was asked for, and no failure
    shown = paper.markdown(texts("en"), result)
    assert "| Start | becomes: 2026-03-04 | becomes: 2026-03-04 | kept |" in shown
    assert "with a comma — No commas, please." in shown
    german = paper.markdown(texts("de"), result)
    assert "| Beginn | wird zu: 04.03.2026 | wird zu: 04.03.2026 | bleibt |" in german


@pytest.mark.parametrize(
    ("sent", "shown", "verdict"),
    [
        ("done", ("done",), Verdict.KEPT),
        ("done", ("cancelled", "done"), Verdict.AMONG),
        ("done", ("idea", "planned"), Verdict.OTHER),
        ("done", ("planned",), Verdict.OTHER),
        ("done", (None,), Verdict.LOST),
        (None, (None,), Verdict.KEPT),
        (None, ("done",), Verdict.OTHER),
    ],
)
def test_a_verdict_is_what_became_of_the_value(sent: Value, shown: tuple[Value, ...], verdict: Verdict) -> None:
    assert judge("status", sent, shown) is verdict


def test_a_platform_that_lets_stale_writes_through_is_found_out(tmp_path: Path) -> None:
    class Careless(MemoryConnector):
        def _compare(self, ref: Ref, if_version: str) -> None:
            return

    trial = Trial(tmp_path, Careless, face="b")
    result = trial.measured()
    assert result.facts["stale_write"] == "let_through"
    assert result.facts["other_edit"] == "no"
    assert trial.platform.listing() == []


def test_versions_that_stand_still_are_found_out(tmp_path: Path) -> None:
    class Still(MemoryConnector):
        def _record(self, entry: Any, written: Fields | None = None) -> Record:
            return replace(super()._record(entry, written), version="1")

        def _compare(self, ref: Ref, if_version: str) -> None:
            return

    trial = Trial(tmp_path, Still, face="b")
    assert trial.measured().facts["versions_change"] == "no"


# ---- what it leaves ------------------------------------------------------------------------------------------------


def test_what_others_made_is_left_alone_and_said(tmp_path: Path) -> None:
    trial = Trial(tmp_path)
    theirs = trial.platform.add(title=trial.bench.title("eins"))
    before = trial.platform.listing()
    result = trial.measured()
    assert result.others == 1
    assert trial.platform.listing() == before
    assert [entry.id for entry in before] == [theirs]
    assert "One record lay there already" in paper.markdown(texts("en"), result)


def test_what_others_make_meanwhile_is_left_alone_even_where_nobody_tells_who_made_what(tmp_path: Path) -> None:
    class Busy(MemoryConnector):
        """Somebody else works there as well, and makes a record for each of ours."""

        def create(self, fields: Fields, mark: str) -> Record:
            self.platform.add(title="Von anderen", kind="task")
            return super().create(fields, mark)

    trial = Trial(tmp_path, Busy)
    trial.platform.traits = replace(trial.platform.traits, tells_own=False)
    result = trial.measured()
    assert result.left == ()
    titles = [str(entry.fields["title"]) for entry in trial.platform.listing()]
    assert set(titles) == {"Von anderen"}
    assert len(titles) > 20


def test_somebodys_milestone_of_the_same_title_is_not_taken_for_ours(tmp_path: Path) -> None:
    class Losing(MemoryConnector):
        def create(self, fields: Fields, mark: str) -> Record:
            if fields["kind"] == "milestone":
                raise Lost("Nobody answered.")
            return super().create(fields, mark)

    trial = Trial(tmp_path, Losing)
    trial.platform.traits = replace(trial.platform.traits, tells_own=False)
    theirs = trial.platform.add(title="Passport Ziel milestone 1", kind="milestone")
    trial.measured()
    assert [entry.id for entry in trial.platform.listing()] == [theirs]


def test_where_nothing_could_be_looked_at_nothing_is_said_to_be_left(tmp_path: Path) -> None:
    class Blind(MemoryConnector):
        pulls = 0

        def pull(self, cursor: str | None, known: Any) -> Any:
            Blind.pulls += 1
            if Blind.pulls == 1:
                raise Unauthorized("Not today.")
            return replace(super().pull(cursor, known), options={"labels": {"7": "Von anderen"}})

    result = Trial(tmp_path, Blind).measured()
    assert (result.failure, result.left, result.ok) == ("Not today.", (), False)


def test_what_a_create_left_that_got_no_answer_is_found_and_taken_away(tmp_path: Path) -> None:
    class Losing(MemoryConnector):
        def create(self, fields: Fields, mark: str) -> Record:
            made = super().create(fields, mark)
            if "Werte status" in str(fields["title"]):
                raise Lost("Nobody answered.")
            return made

    trial = Trial(tmp_path, Losing)
    result = trial.measured()
    assert set(trial.verdicts("status").values()) == {Verdict.FAILED}
    assert not result.ok
    assert result.left == ()
    assert trial.platform.listing() == []


def test_what_cannot_be_taken_away_is_named(tmp_path: Path) -> None:
    class Keeping(MemoryConnector):
        def delete(self, ref: Ref, if_version: str) -> None:
            raise Rejected("It stays.")

    trial = Trial(tmp_path, Keeping)
    result = trial.measured()
    assert not result.ok
    assert len(result.left) == len(trial.platform.listing()) > 5
    assert result.left[0] in paper.markdown(texts("en"), result)
    assert "not measured" in paper.markdown(texts("en"), result)


@pytest.mark.parametrize("error", [Unauthorized("The key is gone."), Transient("Down.", answered=False)])
def test_lost_access_ends_it_early_and_the_rest_is_named(tmp_path: Path, error: Exception) -> None:
    class Broken(MemoryConnector):
        calls = 0

        def probe(self, ref: Ref) -> Any:
            Broken.calls += 1
            if Broken.calls > 10:
                raise error
            return super().probe(ref)

    trial = Trial(tmp_path, Broken)
    result = trial.measured()
    assert not result.ok
    assert result.left
    assert isinstance(error, Transient) or result.failure == "The key is gone."


def test_labels_that_stay_are_named_and_are_no_failure(tmp_path: Path) -> None:
    with passports.PLACES["gitlab"]() as (settings, _):
        result = passports.measured(settings)
    assert result.ok
    assert "+Presse" in result.left
    assert "“Presse”" in paper.markdown(texts("en"), result)


# ---- the command ---------------------------------------------------------------------------------------------------


@pytest.fixture
def trial_desk(radicale: Radicale) -> Desk:
    return Desk(radicale, title="Nur ein TEST")


@pytest.fixture
def trial(tmp_path: Path, trial_desk: Desk, rathaus: Desk) -> Mirror:
    return Mirror(tmp_path, probe=trial_desk, amt=rathaus)


@pytest.mark.radicale
def test_the_command_measures_and_leaves_the_calendar_as_it_was(trial: Mirror, trial_desk: Desk) -> None:
    trial_desk.adds("Von anderen")
    before = trial_desk.picture()
    answer = trial.run("passport", "probe", "--json", "--out", "pass.md")
    assert answer.code == 0, answer.err
    assert answer.data["ok"] is True
    assert answer.data["others"] == 1
    assert answer.data["facts"]["requests"] > 100
    assert {line["verdict"] for line in answer.data["lines"]} == {"kept", "among", "alike"}
    assert trial_desk.picture() == before
    text = (trial.folder / "pass.md").read_text(encoding="utf-8")
    assert text.startswith("# Passport: caldav\n")
    assert sorted(path.name for path in trial.folder.iterdir()) == [".env", "pass.md"]  # no ledger
    assert trial_desk.server.password not in answer.out + answer.err + text


@pytest.mark.radicale
def test_a_collection_that_is_not_for_tests_is_refused_before_anything_is_written(trial: Mirror, rathaus: Desk) -> None:
    answer = trial.run("passport", "amt", "--out", "pass.md")
    assert (answer.code, answer.out) == (2, "")
    assert "AMT_COLLECTION" in answer.said
    assert rathaus.picture() == {}
    assert not (trial.folder / "pass.md").exists()


@pytest.mark.radicale
@pytest.mark.parametrize(
    ("settings", "words", "said", "code"),
    [
        ({}, ["niemand"], "No connector is called niemand", 2),
        ({"PROBE_MODE": "read-only"}, ["probe"], "read only", 2),
        ({"PROBE_PASSWORD": "falsch"}, ["probe"], "PROBE_PASSWORD", 1),
        ({}, ["probe", "--records", "-1"], "--records", 2),
        ({}, ["probe", "--records", "viele"], "--records", 2),
    ],
)
def test_what_cannot_be_measured_is_said_in_one_sentence(
    trial: Mirror, trial_desk: Desk, settings: dict[str, str], words: list[str], said: str, code: int
) -> None:
    trial.sets(**settings)
    answer = trial.run("passport", *words)
    assert (answer.code, answer.out) == (code, "")
    assert said in answer.said
    assert trial_desk.picture() == {}


@pytest.mark.radicale
def test_a_collection_that_may_only_be_read_is_refused(tmp_path: Path, radicale: Radicale) -> None:
    path = radicale.share_read_only(f"leserecht-{os.getpid()}", "Test")
    lines = {"TYPE": "caldav", "URL": radicale.url + path, "USER": radicale.user, "PASSWORD": radicale.password}
    text = "BRIDGE_CONNECTORS=p\n" + "".join(f"P_{name}='{value}'\n" for name, value in lines.items())
    (tmp_path / ".env").write_text(text, encoding="utf-8")
    answer = run_in(tmp_path, "passport", "p")
    assert answer.code == 2
    assert "»Test«" in answer.said


@pytest.mark.radicale
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_passport_takes_everything_away(trial: Mirror, trial_desk: Desk, number: signal.Signals) -> None:
    # Where a shell started the tests in the background, this signal is ignored, and would be in the program as well.
    listens = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    program = f"{listens}; from bridge.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", program, "passport", "probe", "--json"],
        cwd=trial.folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 60
    while len(trial_desk.picture()) < 4 and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err.decode()
    told = json.loads(out)
    assert told["interrupted"] is True
    assert told["left"] == []
    assert trial_desk.picture() == {}
