"""Scopes on the command line: said in words by check, plan, status and show, and in full to machines."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from connectors.memory import platform_at
from connectors.memory_platform import MemoryPlatform
from tests.mirror import Answer, run_in

_numbers = itertools.count(1)


class Office:
    """A folder with a `.env`, and two platforms in memory that live as long as the process."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        urls = {name: f"memory://scopes{next(_numbers)}" for name in ("AMT", "RAT")}
        self.amt, self.rat = (platform_at(url) for url in urls.values())
        self.settings = {"BRIDGE_CONNECTORS": "amt,rat", "BRIDGE_LANGUAGE": "en"}
        self.settings |= {f"{name}_TYPE": "memory" for name in urls} | {f"{n}_URL": url for n, url in urls.items()}
        self.sets(**settings)

    def sets(self, **settings: str) -> None:
        self.settings |= settings
        lines = [f"{name}='{value}'\n" for name, value in self.settings.items() if value]
        (self.folder / ".env").write_text("".join(lines), encoding="utf-8")

    def run(self, *words: str) -> Answer:
        return run_in(self.folder, *words)

    def json(self, *words: str, ends: int = 0) -> Any:
        answer = self.run(*words, "--json")
        assert answer.code == ends, answer.said
        return answer.data


def titles(platform: MemoryPlatform) -> list[object]:
    return sorted(str(entry.fields["title"]) for entry in platform.listing() if not entry.fields["archived"])


@pytest.fixture
def office(tmp_path: Path) -> Office:
    made = Office(tmp_path, RAT_SCOPE="Schlagwort = Presse und nicht Status = erledigt")
    made.amt.add("Leitbild", labels=("Presse",))
    made.amt.add("Netz")
    made.rat.add("Lokal")
    assert made.run("sync", "--accept").code == 0
    return made


def test_a_scope_decides_what_is_mirrored(office: Office) -> None:
    assert titles(office.rat) == ["Leitbild", "Lokal"]
    assert titles(office.amt) == ["Leitbild", "Netz"]


def test_check_says_the_scope_in_words(office: Office) -> None:
    assert "Scope: label = Presse and not status = done" in office.run("check").said
    assert "What leaves the scope is archived there." in office.run("check").said
    told = office.json("check")["connectors"]
    assert told["rat"]["scope"] == "label = Presse and not status = done"
    assert (told["rat"]["release"], told["rat"]["confidential"]) == ("archive", False)
    assert told["amt"]["scope"] == ""
    office.sets(BRIDGE_LANGUAGE="de", AMT_CONFIDENTIAL="ja", RAT_RELEASE="delete")
    said = office.run("check").said
    assert "Geltungsbereich: Schlagwort = Presse und nicht Status = abgeschlossen" in said
    assert "Was den Geltungsbereich verlässt, wird dort gelöscht." in said
    assert "Geeignet für Vertrauliches." in said


def test_status_says_the_scope_and_what_it_keeps_out(office: Office) -> None:
    (id,) = (entry.id for entry in office.amt.listing() if entry.fields["title"] == "Leitbild")
    office.amt.edit(id, status="done")
    office.json("sync")
    told = office.json("status")["connectors"]["rat"]
    assert (told["scope"], told["released"], told["outside"]) == (
        "label = Presse and not status = done",
        1,
        ["Lokal"],
    )
    assert office.json("status")["parked"] == []
    said = office.run("status").said
    assert "One record has left the scope and is not mirrored." in said
    assert "One record there is outside the scope: “Lokal”" in said
    office.sets(BRIDGE_LANGUAGE="de")
    said = office.run("status").said
    assert "Geltungsbereich: Schlagwort = Presse und nicht Status = abgeschlossen" in said
    assert "Ein Eintrag dort ist außerhalb des Geltungsbereichs: »Lokal«" in said


def test_plan_shows_what_a_changed_scope_would_do(office: Office) -> None:
    office.sets(RAT_SCOPE="not label = Presse", BRIDGE_LANGUAGE="de")
    answer = office.run("plan")
    assert answer.code == 3
    assert (
        "der Geltungsbereich hat sich geändert: vorher »Schlagwort = Presse und nicht Status = abgeschlossen«, "
        "jetzt »nicht Schlagwort = Presse«"
    ) in answer.said
    assert "archivieren: Aufgabe Leitbild" in answer.said
    assert "weil: es liegt außerhalb des Geltungsbereichs dieses Anschlusses" in answer.said
    assert "anlegen: Aufgabe Netz" in answer.said
    told = office.json("plan", ends=3)
    acts = {(one["connector"], one["act"], one["title"]) for one in told["operations"]}
    assert {("rat", "archive", "Leitbild"), ("rat", "create", "Netz"), ("amt", "create", "Lokal")} == acts
    assert titles(office.rat) == ["Leitbild", "Lokal"]
    assert office.run("sync").code == 3
    assert titles(office.rat) == ["Leitbild", "Lokal"]
    assert office.run("sync", "--accept", told["accept"]).code == 0
    assert titles(office.rat) == ["Lokal", "Netz"]
    assert office.run("sync").code == 0


def test_plan_shows_what_would_be_left(office: Office) -> None:
    office.sets(RAT_SCOPE="label = Rat", RAT_RELEASE="leave")
    answer = office.run("plan")
    assert "mirror no longer: task Leitbild" in answer.said


def test_show_says_where_an_item_is_not_and_why(office: Office) -> None:
    (id,) = (entry.id for entry in office.amt.listing() if entry.fields["title"] == "Leitbild")
    office.amt.edit(id, status="done")
    office.json("sync")
    assert "rests here: it is outside the scope of this connector" in office.run("show", "Leitbild").said
    assert "the scope of rat: it is outside the scope of this connector" in office.run("show", "Leitbild").said
    assert "Scope: inside → outside" in office.run("show", "Leitbild").said
    states = {one["connector"]: (one["state"], one["released"]) for one in office.json("show", "Leitbild")["records"]}
    assert states == {"amt": ("live", ""), "rat": ("frozen", "archived")}
    states = {one["connector"]: one["state"] for one in office.json("show", "Netz")["records"]}
    assert states == {"amt": "live", "rat": "outside"}
    office.sets(BRIDGE_LANGUAGE="de")
    assert "außerhalb des Geltungsbereichs" in office.run("show", "Netz").said


def test_what_is_wrong_with_a_scope_is_said_with_everything_else(office: Office) -> None:
    office.sets(RAT_SCOPE="Art = Aufgbe", RAT_RELEASE="forget", BRIDGE_LANGUAGE="de")
    answer = office.run("check")
    assert answer.code == 2
    assert "RAT_SCOPE=Art = Aufgbe ist kein Geltungsbereich: an Stelle 7, »Aufgbe«" in answer.said
    assert "RAT_RELEASE=forget" in answer.said
