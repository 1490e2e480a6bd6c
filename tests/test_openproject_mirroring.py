"""A Deck board and an OpenProject project, mirrored by the command as its users run it, with the shipped mappings.

What people do on the board goes straight into `tests.fakes.deck`, what they do in the project straight into
`tests.fakes.openproject`: nobody here uses a connector of ours.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.deck import Deck
from tests.fakes.deck_model import Board, Card
from tests.fakes.openproject import OpenProject
from tests.fakes.openproject_model import Project, WorkPackage
from tests.fakes.openproject_text import called, replaced
from tests.mirror import Mirror, written

TRAPS = "\n".join(
    (
        "# Fördermittel für Straßen & Gäßchen 👩‍💻",
        "",
        "- [ ] Antrag stellen",
        "- [x] Rücksprache mit @all, user#13 und group#5",
        "",
        "| Posten | Betrag |",
        "| --- | --- |",
        "| Planung | 12.000 € |",
        "",
        "```sh",
        "/close",
        'echo user:"anna"',
        "```",
        '<mention class="mention" data-id="13" data-type="user" data-text="@Anna">@Anna</mention>',
        "Siehe #5, ##5, version#3, workPackageValue:5:subject, {{opSetting:base_url}} und",
        '<macro class="toc"></macro> https://social.example/@amt/#5',
        *(f"{number}. Zeile mit Umlauten: äöü ß „so“" for number in range(1, 600)),
    )
)


@pytest.fixture(params=["de", "en"])
def server(request: pytest.FixtureRequest) -> Iterator[OpenProject]:
    with OpenProject(request.param) as running:
        running.clock.now = time.time() - 600
        yield running


@pytest.fixture
def project(server: OpenProject) -> Project:
    return server.project()


@pytest.fixture
def deck() -> Iterator[Deck]:
    with Deck() as running:
        running.clock.now = time.time() - 600
        yield running


@pytest.fixture
def board(deck: Deck) -> Board:
    return deck.board()


@pytest.fixture
def mirror(tmp_path: Path, deck: Deck, board: Board, server: OpenProject, project: Project) -> Mirror:
    made = Mirror(tmp_path)
    made.sets(
        bridge_connectors="rathaus,vorhaben",
        rathaus_type="nextcloud-deck",
        rathaus_url=deck.url,
        rathaus_user="bridge",
        rathaus_password=deck.accounts["bridge"][1],
        rathaus_collection=board.title,
        vorhaben_type="openproject",
        vorhaben_url=server.url,
        vorhaben_token="opapi-bridge",
        vorhaben_collection=project.identifier,
    )
    return made


def package(server: OpenProject, title: str) -> WorkPackage:
    [found] = [one for one in server.world.work_packages.values() if one.subject == title]
    return found


def status(server: OpenProject, title: str) -> int:
    """1 is new, 7 in progress, 12 closed, 13 on hold, 14 rejected, in whatever language."""
    return package(server, title).status


def versions(server: OpenProject, title: str) -> list[str]:
    return [server.world.versions[id].name for id in package(server, title).versions]


def card(deck: Deck, title: str) -> Card:
    [found] = [one for one in deck.world.cards.values() if one.title == title and not one.deleted_at]
    return found


def labels(deck: Deck, title: str) -> set[str]:
    return {deck.world.labels[one].title for one in card(deck, title).labels}


def column(deck: Deck, title: str) -> str:
    return deck.world.stacks[card(deck, title).stack].title


def later(deck: Deck, server: OpenProject, seconds: float = 10) -> None:
    """Both servers have the same time, a little later."""
    server.clock.now = deck.clock.now = max(server.clock.now, deck.clock.now) + seconds


def rests(mirror: Mirror, deck: Deck, server: OpenProject) -> None:
    """Two more passes write nothing, and the second asks OpenProject for no more than what changed."""
    for _ in range(2):
        later(deck, server, 70)
        server.requests.clear()
        told = mirror.sync()
        assert written(told) == 0, told
    assert len(server.requests) == 4, server.requests  # our account, the project, the changes, the ids


def test_a_board_and_a_project_hold_the_same_and_come_to_rest(
    mirror: Mirror, deck: Deck, board: Board, server: OpenProject, project: Project
) -> None:
    deck.world.add_label("anna", board.id, "Meilenstein", "317CCC")
    deck.world.add_label("anna", board.id, "Portal geht online", "317CCC")
    stone = deck.add(board, "Portal geht online", labels=[deck.label(board, "Meilenstein")])
    deck.edit(stone, duedate="2026-12-31T11:00:00+00:00")
    deck.add(
        board,
        "Anmeldung",
        stack="In Arbeit",
        labels=[deck.label(board, "Portal geht online")],
        duedate="2026-12-01T11:00:00+00:00",
    )
    made = server.add(project, "Schnittstelle", startDate="2018-03-26", dueDate="2018-10-29")
    server.set(made, status=12)
    phase = server.add(project, "Haushalt", type=2, date="2027-01-04")
    mirror.begins()
    mirror.sync()
    assert server.world.types[package(server, "Portal geht online").type].is_milestone
    assert package(server, "Portal geht online").due == "2026-12-31"
    assert (package(server, "Anmeldung").due, status(server, "Anmeldung")) == ("2026-12-01", 7)
    assert versions(server, "Anmeldung") == ["Portal geht online"]
    copy = card(deck, "Schnittstelle")
    assert copy.duedate is not None
    assert copy.startdate is not None
    assert (copy.startdate.date().isoformat(), copy.duedate.date().isoformat()) == ("2018-03-26", "2018-10-29")
    assert column(deck, "Schnittstelle") == "Erledigt"
    assert labels(deck, phase.subject) == {"Meilenstein"}
    rests(mirror, deck, server)


@pytest.mark.parametrize("day", ["2018-03-25", "2018-10-28", "2026-10-03"])
def test_a_day_on_which_the_clock_changes_or_nobody_works_survives(
    mirror: Mirror, deck: Deck, board: Board, server: OpenProject, project: Project, day: str
) -> None:
    """25.03.2018 and 28.10.2018 were Sundays, from which OpenProject moves dates unless it is told not to."""
    server.world.holidays.add("2026-10-05")
    deck.add(board, "eins", duedate=f"{day}T11:00:00+00:00")
    mirror.begins()
    made = package(server, "eins")
    assert (made.due, made.any_day) == (day, True)
    later(deck, server)
    server.edit(made, dueDate=None)
    mirror.sync()
    assert card(deck, "eins").duedate is None
    later(deck, server)
    deck.edit(card(deck, "eins"), duedate=f"{day}T11:00:00+00:00")
    mirror.sync()
    assert made.due == day
    later(deck, server)
    deck.edit(card(deck, "eins"), duedate=None)
    mirror.sync()
    assert made.due is None
    rests(mirror, deck, server)


def test_nothing_that_is_copied_does_anything_and_no_letter_is_lost(
    mirror: Mirror, deck: Deck, board: Board, server: OpenProject, project: Project
) -> None:
    server.add(project, "Eine andere")
    title = f'Frag user:"anna" und user#{server.berta.id}'
    deck.add(board, title, description=TRAPS)
    assert len(TRAPS) > 20_000
    mirror.begins()
    [copy] = [one for one in server.world.work_packages.values() if one.author == server.bridge.id]
    assert called(f"{copy.subject}\n{copy.description}") == set()
    assert replaced(copy.description) == []
    assert "https://social.example/@amt/#5" in copy.description
    later(deck, server)
    server.edit(copy, description={"raw": copy.description.replace("Antrag stellen", "Antrag gestellt")})
    mirror.sync()
    assert card(deck, title).description == TRAPS.replace("Antrag stellen", "Antrag gestellt")
    assert [user.told for user in server.world.users.values()] == [[], [], []]
    rests(mirror, deck, server)


def test_a_mention_that_staff_wrote_stays_one(
    mirror: Mirror, deck: Deck, board: Board, server: OpenProject, project: Project
) -> None:
    line = f"Bitte ansehen, user#{server.berta.id}"
    made = server.add(project, "eins", description={"raw": line})
    assert server.berta.told == ["mentioned in eins"]
    mirror.begins()
    later(deck, server)
    deck.edit(card(deck, "eins"), description=f"{line}\nZweite Zeile, auch für user#{server.anna.id}")
    mirror.sync()
    assert made.description == f"{line}\nZweite Zeile, auch für user#\u200b{server.anna.id}"
    assert (len(server.berta.told), server.anna.told) == (1, [])
    rests(mirror, deck, server)


def test_a_refused_status_is_parked_with_the_reason_and_everything_else_goes_on(
    mirror: Mirror, deck: Deck, board: Board, server: OpenProject, project: Project
) -> None:
    deck.add(board, "eins")
    mirror.begins()
    server.world.types[1].workflow -= {12}
    later(deck, server)
    deck.edit(card(deck, "eins"), stackId=deck.stack(board, "Erledigt"), description="fertig")
    mirror.run("sync")
    mirror.run("sync")
    assert (status(server, "eins"), package(server, "eins").description) == (1, "fertig")
    assert "no valid transition exists" in str(mirror.json("status"))
    assert column(deck, "eins") == "Erledigt"


def test_what_is_deleted_on_the_board_is_rejected_and_lives_again_when_reopened(
    mirror: Mirror, deck: Deck, board: Board, server: OpenProject, project: Project
) -> None:
    deck.add(board, "bleibt")
    deck.add(board, "eins", description="Text")
    mirror.begins()
    later(deck, server)
    deck.world.delete_card("anna", card(deck, "eins").id)
    mirror.sync()
    assert status(server, "eins") == 14
    rests(mirror, deck, server)
    server.set(package(server, "eins"), status=1)
    mirror.sync()
    assert (column(deck, "eins"), card(deck, "eins").description) == ("Offen", "Text")
    mirror.sync()
    rests(mirror, deck, server)


@pytest.mark.parametrize("admin", [True, False])
def test_what_is_deleted_in_the_project_is_archived_on_the_board_if_that_is_proven(
    mirror: Mirror, deck: Deck, board: Board, server: OpenProject, project: Project, admin: bool
) -> None:
    server.bridge.admin = admin
    for title in ("eins", "zwei", "drei"):
        server.add(project, title)
    mirror.begins()
    mirror.sync()
    later(deck, server)
    server.remove(package(server, "eins"))
    mirror.sync()
    assert {one.title for one in deck.world.cards.values() if one.archived} == ({"eins"} if admin else set())
    assert ("rests here" in str(mirror.json("status", ends=0))) is not admin
    rests(mirror, deck, server)


def test_a_renamed_version_and_a_renamed_status_are_no_mass_edit(
    mirror: Mirror, deck: Deck, board: Board, server: OpenProject, project: Project
) -> None:
    stone = server.add(project, "Portal", type=2)
    version = server.world.add_version(project.id, "Portal")
    for title in ("eins", "zwei"):
        server.set(server.add(project, title), version=version.id)
    mirror.begins()
    mirror.sync()
    assert labels(deck, "eins") == labels(deck, "zwei") == {"Portal"}
    later(deck, server)
    version.name, server.world.statuses[1].name = "Portal 2027", "Ganz neu"
    server.edit(package(server, "eins"), subject="eins, neu")
    told = mirror.sync()
    assert written(told) == 1
    assert labels(deck, "zwei") == {"Portal"}
    assert column(deck, "eins, neu") == "Offen"
    assert stone.lock_version == 0
    rests(mirror, deck, server)


def test_a_version_is_renamed_with_its_milestone_and_no_task_is_written(
    mirror: Mirror, deck: Deck, board: Board, server: OpenProject, project: Project
) -> None:
    version = server.world.add_version(project.id, "Portal")
    server.add(project, "Portal", type=2)
    task = server.add(project, "eins")
    server.set(task, version=version.id)
    mirror.begins()
    mirror.sync()
    lock = task.lock_version
    later(deck, server)
    deck.edit(card(deck, "Portal"), title="Portal 2027")
    for _ in range(2):
        mirror.sync()
        later(deck, server)
    assert (package(server, "Portal 2027").type, version.name, task.lock_version) == (2, "Portal 2027", lock)
    assert labels(deck, "eins") == {"Portal 2027"}
    rests(mirror, deck, server)


def test_closing_may_complete_and_comes_to_rest(
    mirror: Mirror, deck: Deck, board: Board, server: OpenProject, project: Project
) -> None:
    """(source: percent_complete_on_status_closed) one write changes a second field."""
    server.world.closing_is_complete = True
    server.add(project, "eins", percentageDone=40)
    mirror.begins()
    mirror.sync()
    later(deck, server)
    deck.edit(card(deck, "eins"), stackId=deck.stack(board, "Erledigt"))
    mirror.sync()
    mirror.sync()
    assert (status(server, "eins"), package(server, "eins").progress) == (12, 100)
    rests(mirror, deck, server)


def test_a_task_without_a_text_takes_that_of_its_type(
    mirror: Mirror, deck: Deck, board: Board, server: OpenProject, project: Project
) -> None:
    server.world.types[1].template = "## Ziel"
    deck.add(board, "leer")
    deck.add(board, "voll", description="Text")
    mirror.begins()
    mirror.sync()
    assert card(deck, "leer").description == "## Ziel"
    assert package(server, "voll").description == "Text"
    rests(mirror, deck, server)


def test_a_sprint_is_no_milestone_and_keeps_its_tasks(
    mirror: Mirror, deck: Deck, board: Board, server: OpenProject, project: Project
) -> None:
    sprint = server.world.add_version(project.id, "Sprint 1")
    server.set(server.add(project, "eins"), version=sprint.id)
    server.add(project, "Portal", type=2)
    mirror.begins()
    mirror.sync()
    later(deck, server)
    label = deck.world.add_label("anna", board.id, "Portal", "317CCC")
    deck.world.assign_label("anna", card(deck, "eins").id, label.id)
    deck.world.settle(card(deck, "eins"))
    mirror.run("sync")
    assert versions(server, "eins") == ["Sprint 1"]
    assert "has room for one only" in str(mirror.json("status"))


def test_the_dates_of_a_parent_are_left_to_its_children(
    mirror: Mirror, deck: Deck, board: Board, server: OpenProject, project: Project
) -> None:
    parent = server.add(project, "Portal")
    child = server.add(project, "Anmeldung", _links={"parent": {"href": f"/api/v3/work_packages/{parent.id}"}})
    server.edit(parent, scheduleManually=False)
    mirror.begins()
    mirror.sync()
    later(deck, server)
    deck.edit(card(deck, "Portal"), duedate="2026-12-01T11:00:00+00:00", description="neu")
    deck.edit(card(deck, "Anmeldung"), duedate="2026-11-30T11:00:00+00:00")
    mirror.sync()
    assert (child.due, parent.due, parent.description) == ("2026-11-30", "2026-11-30", "neu")
    assert card(deck, "Portal").duedate is not None
    assert card(deck, "Portal").duedate.date().isoformat() == "2026-12-01"  # type: ignore[union-attr]
    mirror.sync()
    rests(mirror, deck, server)


def test_two_people_at_once_lose_nothing(
    mirror: Mirror, deck: Deck, board: Board, server: OpenProject, project: Project
) -> None:
    made = server.add(project, "eins")
    mirror.begins()
    mirror.sync()
    later(deck, server)
    deck.edit(card(deck, "eins"), description="vom Amt")
    server.before("PATCH", f"/work_packages/{made.id}", lambda: server.edit(made, dueDate="2026-12-01"))
    mirror.sync()
    mirror.sync()
    assert (made.description, made.due) == ("vom Amt", "2026-12-01")
    assert card(deck, "eins").duedate is not None
    rests(mirror, deck, server)


@pytest.mark.parametrize("after", [True, False])
def test_a_create_whose_answer_is_lost_makes_one_work_package(
    mirror: Mirror, deck: Deck, board: Board, server: OpenProject, project: Project, after: bool
) -> None:
    deck.add(board, "eins")
    server.fail("POST", r"/work_packages\?", status=502, after=after)
    mirror.run("sync", "--accept")
    for _ in range(3):
        later(deck, server)
        mirror.run("sync")
    assert len(server.world.work_packages) <= 1
    if after:
        assert len(server.world.work_packages) == 1
        rests(mirror, deck, server)


def test_a_moved_work_package_rests_and_nothing_dies(
    mirror: Mirror, deck: Deck, board: Board, server: OpenProject, project: Project
) -> None:
    made = server.add(project, "eins")
    server.add(project, "zwei")
    mirror.begins()
    later(deck, server)
    server.world.move(made.id, server.project("anderes"))
    mirror.sync()
    assert not card(deck, "eins").archived
    assert "rests here" in str(mirror.json("status", ends=0))
    rests(mirror, deck, server)
    server.world.move(made.id, project)
    server.edit(made, subject="eins, zurück")
    mirror.sync()
    assert card(deck, "eins, zurück")
    rests(mirror, deck, server)


def test_a_role_that_was_taken_away_deletes_nothing(
    mirror: Mirror, deck: Deck, board: Board, server: OpenProject, project: Project
) -> None:
    server.bridge.admin = False
    for title in ("eins", "zwei"):
        server.add(project, title)
    mirror.begins()
    rights = project.members[server.bridge.id]
    for fewer in (frozenset[str](), None):
        later(deck, server)
        if fewer is None:
            del project.members[server.bridge.id]
        else:
            project.members[server.bridge.id] = fewer
        mirror.run("sync")
        assert [one.title for one in deck.world.cards.values() if one.archived or one.deleted_at] == []
    project.members[server.bridge.id] = rights
    later(deck, server)
    mirror.sync()
    rests(mirror, deck, server)
    for made in server.world.work_packages.values():
        server.edit(made, subject=f"{made.subject}, neu")
    mirror.sync()
    assert {one.title for one in deck.world.cards.values()} == {"eins, neu", "zwei, neu"}


def test_an_archived_project_deletes_nothing(
    mirror: Mirror, deck: Deck, board: Board, server: OpenProject, project: Project
) -> None:
    for title in ("eins", "zwei"):
        server.add(project, title)
    mirror.begins()
    project.active = False
    later(deck, server)
    mirror.run("sync")
    assert [one.title for one in deck.world.cards.values() if one.archived or one.deleted_at] == []
    project.active = True
    mirror.sync()
    rests(mirror, deck, server)
