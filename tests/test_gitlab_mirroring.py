"""A Deck board and a GitLab project, mirrored by the command as its users run it.

What people do on the board goes straight into `tests.fakes.deck`, what they do in the project straight into
`tests.fakes.gitlab`: nobody here uses a connector of ours.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.deck import Deck
from tests.fakes.deck_model import Board, Card
from tests.fakes.gitlab import GitLab
from tests.fakes.gitlab_model import Issue, Milestone, Project
from tests.mirror import Mirror, written

TRAPS = "\n".join(
    (
        "# Fördermittel für Straßen & Gäßchen 👩‍💻",
        "",
        "- [ ] Antrag stellen",
        "- [x] Rücksprache mit @all und @berta",
        "",
        "| Posten | Betrag |",
        "| --- | --- |",
        "| Planung | 12.000 € |",
        "",
        "```sh",
        "/close",
        "echo @anna",
        "```",
        "/close",
        "/label ~fremd",
        "   /due 2020-01-01",
        "Siehe #1, !3 und https://social.example/@amt/#1",
        *(f"{number}. Zeile mit Umlauten: äöü ß „so“" for number in range(1, 600)),
    )
)


@pytest.fixture
def gitlab() -> Iterator[GitLab]:
    with GitLab() as server:
        server.clock.now = time.time() - 600
        yield server


@pytest.fixture
def project(gitlab: GitLab) -> Project:
    return gitlab.project()


@pytest.fixture
def deck() -> Iterator[Deck]:
    with Deck() as server:
        server.clock.now = time.time() - 600
        yield server


@pytest.fixture
def board(deck: Deck) -> Board:
    return deck.board()


@pytest.fixture
def mirror(tmp_path: Path, deck: Deck, board: Board, gitlab: GitLab, project: Project) -> Mirror:
    made = Mirror(tmp_path)
    made.sets(
        bridge_connectors="rathaus,entwicklung",
        rathaus_type="nextcloud-deck",
        rathaus_url=deck.url,
        rathaus_user="bridge",
        rathaus_password=deck.accounts["bridge"][1],
        rathaus_collection=board.title,
        entwicklung_type="gitlab",
        entwicklung_url=gitlab.url,
        entwicklung_token="glpat-bridge",
        entwicklung_collection=project.path,
    )
    return made


def issue(gitlab: GitLab, title: str) -> Issue:
    [found] = [one for one in gitlab.world.issues.values() if one.title == title]
    return found


def milestone(gitlab: GitLab, title: str) -> Milestone:
    [found] = [one for one in gitlab.world.milestones.values() if one.title == title]
    return found


def card(deck: Deck, title: str) -> Card:
    [found] = [one for one in deck.world.cards.values() if one.title == title and not one.deleted_at]
    return found


def labels(deck: Deck, title: str) -> set[str]:
    return {deck.world.labels[one].title for one in card(deck, title).labels}


def column(deck: Deck, title: str) -> str:
    return deck.world.stacks[card(deck, title).stack].title


def later(deck: Deck, gitlab: GitLab, seconds: float = 10) -> None:
    """Both servers have the same time, a little later."""
    gitlab.clock.now = deck.clock.now = max(gitlab.clock.now, deck.clock.now) + seconds


def wait(deck: Deck, gitlab: GitLab) -> None:
    """Time goes by for the bridge too: what happens after a pass is later than it by every clock."""
    time.sleep(1.1)
    later(deck, gitlab, 1.1)


def rests(mirror: Mirror, deck: Deck, gitlab: GitLab) -> None:
    """Two more passes write nothing, and the second asks GitLab for no more than what changed."""
    for _ in range(2):
        later(deck, gitlab, 70)
        gitlab.requests.clear()
        told = mirror.sync()
        assert written(told) == 0, told
    assert len(gitlab.requests) == 4, gitlab.requests  # the count, the changes, their end, the milestones


def test_a_board_and_a_project_hold_the_same_and_come_to_rest(
    mirror: Mirror, deck: Deck, board: Board, gitlab: GitLab, project: Project
) -> None:
    deck.world.add_label("anna", board.id, "Meilenstein", "317CCC")
    deck.world.add_label("anna", board.id, "Portal geht online", "317CCC")
    label = deck.world.add_label("anna", board.id, "IT", "317CCC").id
    stone = deck.add(board, "Portal geht online", labels=[deck.label(board, "Meilenstein")])
    deck.edit(stone, duedate="2026-12-31T11:00:00+00:00")
    deck.add(
        board, "Anmeldung", labels=[label, deck.label(board, "Portal geht online")], duedate="2026-12-01T11:00:00+00:00"
    )
    made = gitlab.add(project, "Schnittstelle", labels="IT,Presse", start_date="2018-03-25", due_date="2018-10-28")
    gitlab.edit(made, state_event="close")
    mirror.begins()
    mirror.sync()
    assert milestone(gitlab, "Portal geht online").due_date == "2026-12-31"
    task = issue(gitlab, "Anmeldung")
    assert (task.due_date, gitlab.labelled(task)) == ("2026-12-01", {"IT"})
    assert task.milestone == milestone(gitlab, "Portal geht online").id
    copy = card(deck, "Schnittstelle")
    assert copy.duedate is not None
    assert copy.startdate is not None
    assert (copy.startdate.date().isoformat(), copy.duedate.date().isoformat()) == ("2018-03-25", "2018-10-28")
    assert (labels(deck, "Schnittstelle"), column(deck, "Schnittstelle")) == ({"IT", "Presse"}, "Erledigt")
    rests(mirror, deck, gitlab)


def test_nothing_that_is_copied_does_anything_and_no_letter_is_lost(
    mirror: Mirror, deck: Deck, board: Board, gitlab: GitLab, project: Project
) -> None:
    other = gitlab.add(project, "Die Nummer eins")
    assert other.iid == 1
    deck.add(board, "Frag @all und @anna", description=TRAPS)
    assert len(TRAPS) > 20_000
    mirror.begins()
    copy = next(one for one in gitlab.world.issues.values() if one is not other)
    assert (copy.state, copy.due_date, copy.confidential, copy.labels) == ("opened", None, False, [])
    assert [user.told for user in gitlab.world.users.values()] == [[], [], []]
    assert other.heard == []
    assert "https://social.example/@amt/#1" in (copy.description or "")
    later(deck, gitlab)
    gitlab.edit(copy, description=(copy.description or "").replace("Antrag stellen", "Antrag gestellt"))
    mirror.sync()
    [back] = [one for one in deck.world.cards.values() if one.title == "Frag @all und @anna"]
    assert back.description == TRAPS.replace("Antrag stellen", "Antrag gestellt")
    assert [user.told for user in gitlab.world.users.values()] == [[], [], []]
    rests(mirror, deck, gitlab)


def test_a_mention_that_staff_wrote_on_gitlab_stays_one(
    mirror: Mirror, deck: Deck, board: Board, gitlab: GitLab, project: Project
) -> None:
    made = gitlab.add(project, "eins", description="Bitte ansehen, @berta\nZweite Zeile")
    assert gitlab.berta.told == ["You were mentioned in eins"]
    mirror.begins()
    later(deck, gitlab)
    deck.edit(card(deck, "eins"), description="Bitte ansehen, @berta\nZweite Zeile, auch für @anna")
    mirror.sync()
    assert made.description == "Bitte ansehen, @berta\nZweite Zeile, auch für @\u200banna"
    assert (len(gitlab.berta.told), gitlab.anna.told) == (1, [])
    rests(mirror, deck, gitlab)


def test_statuses_without_a_label_are_not_flattened_and_with_one_are_shown(
    mirror: Mirror, deck: Deck, board: Board, gitlab: GitLab, project: Project
) -> None:
    deck.add(board, "eins", stack="In Arbeit")
    mirror.begins()
    made = issue(gitlab, "eins")
    assert (made.state, made.labels) == ("opened", [])
    later(deck, gitlab)
    gitlab.world.add_label("Status::In Arbeit", project=project.id)
    gitlab.edit(made, title="zwei")
    mirror.sync()
    assert column(deck, "zwei") == "In Arbeit"
    later(deck, gitlab)
    deck.edit(card(deck, "zwei"), stackId=deck.stack(board, "Offen"))
    mirror.sync()
    later(deck, gitlab)
    gitlab.edit(made, add_labels="Status::In Arbeit")
    mirror.sync()
    assert column(deck, "zwei") == "In Arbeit"
    later(deck, gitlab)
    deck.edit(card(deck, "zwei"), stackId=deck.stack(board, "Erledigt"))
    mirror.sync()
    assert made.state == "closed"
    assert labels(deck, "zwei") == set()
    rests(mirror, deck, gitlab)


def test_what_is_deleted_on_the_board_is_closed_as_not_done_and_lives_again_when_reopened(
    mirror: Mirror, deck: Deck, board: Board, gitlab: GitLab, project: Project
) -> None:
    deck.add(board, "bleibt")
    deck.add(board, "eins", description="Text")
    mirror.begins()
    later(deck, gitlab)
    deck.world.delete_card("anna", card(deck, "eins").id)
    mirror.sync()
    made = issue(gitlab, "eins")
    assert made.state == "closed"
    assert re.fullmatch(r"Text\n\n<!-- strategy-bridge: cancelled [\d:TZ-]+ -->", made.description or "")
    rests(mirror, deck, gitlab)
    gitlab.edit(made, state_event="reopen")
    mirror.sync()
    assert (column(deck, "eins"), card(deck, "eins").description) == ("Offen", "Text")
    mirror.sync()
    rests(mirror, deck, gitlab)


def test_what_is_deleted_in_the_project_is_archived_on_the_board(
    mirror: Mirror, deck: Deck, board: Board, gitlab: GitLab, project: Project
) -> None:
    for title in ("eins", "zwei", "drei"):
        gitlab.add(project, title)
    gitlab.add_milestone(project, "Portal")
    mirror.begins()
    mirror.sync()
    later(deck, gitlab)
    gitlab.remove(issue(gitlab, "eins"))
    mirror.sync()
    assert {one.title for one in deck.world.cards.values() if one.archived} == {"eins"}
    later(deck, gitlab)
    gitlab.world.delete_milestone(gitlab.anna.id, project, milestone(gitlab, "Portal").id)
    mirror.sync()
    assert {one.title for one in deck.world.cards.values() if one.archived} == {"eins", "Portal"}
    rests(mirror, deck, gitlab)


def test_a_renamed_label_is_no_mass_edit(
    mirror: Mirror, deck: Deck, board: Board, gitlab: GitLab, project: Project
) -> None:
    for title in ("eins", "zwei"):
        gitlab.add(project, title, labels="Presse")
    mirror.begins()
    mirror.sync()
    later(deck, gitlab)
    [label] = gitlab.world.labels
    gitlab.world.edit_label(label, "Pressestelle")
    gitlab.edit(issue(gitlab, "eins"), title="eins, neu")
    told = mirror.sync()
    assert written(told) == 1
    assert labels(deck, "eins, neu") == labels(deck, "zwei") == {"Presse"}
    later(deck, gitlab)
    deck.edit(card(deck, "zwei"), title="zwei, neu")
    mirror.sync()
    assert {one.name for one in gitlab.world.labels.values()} == {"Pressestelle"}
    rests(mirror, deck, gitlab)


def test_other_peoples_labels_stay_when_ours_change(
    mirror: Mirror, deck: Deck, board: Board, gitlab: GitLab, project: Project
) -> None:
    made = gitlab.add(project, "eins", labels="Presse")
    mirror.begins()
    mirror.sync()
    later(deck, gitlab)
    label = deck.world.add_label("anna", board.id, "IT", "317CCC")
    deck.world.assign_label("anna", card(deck, "eins").id, label.id)
    deck.world.settle(card(deck, "eins"))
    gitlab.before("PUT", "/issues/", lambda: gitlab.edit(made, add_labels="eilig"))
    mirror.sync()
    assert gitlab.labelled(made) == {"Presse", "IT", "eilig"}
    mirror.sync()
    assert labels(deck, "eins") == {"Presse", "IT", "eilig"}
    rests(mirror, deck, gitlab)


def test_internal_tasks_become_confidential_in_a_project_that_everybody_may_read(
    mirror: Mirror, deck: Deck, board: Board, gitlab: GitLab, project: Project
) -> None:
    project.visibility = "public"
    public = deck.world.add_label("anna", board.id, "öffentlich", "317CCC").id
    deck.add(board, "für uns")
    deck.add(board, "für alle", labels=[public])
    mirror.begins()
    assert {one.title: one.confidential for one in gitlab.world.issues.values()} == {"für uns": True, "für alle": False}
    later(deck, gitlab)
    gitlab.edit(issue(gitlab, "für alle"), confidential=True)
    mirror.sync()
    assert labels(deck, "für alle") == set()
    later(deck, gitlab)
    deck.world.assign_label("anna", card(deck, "für uns").id, public)
    deck.world.settle(card(deck, "für uns"))
    mirror.sync()
    assert not issue(gitlab, "für uns").confidential
    rests(mirror, deck, gitlab)


def test_a_public_issue_that_becomes_internal_elsewhere_is_hidden_and_rests(
    mirror: Mirror, deck: Deck, board: Board, gitlab: GitLab, project: Project
) -> None:
    """It is somebody else's: confidential, it is nobody's business but the project's, and so are later edits of it."""
    project.visibility = "public"
    made = gitlab.add(project, "eins")
    mirror.begins()
    assert labels(deck, "eins") == {"öffentlich"}
    later(deck, gitlab)
    deck.world.remove_label("anna", card(deck, "eins").id, deck.label(board, "öffentlich"))
    deck.world.settle(card(deck, "eins"))
    mirror.run("sync")
    assert made.confidential
    later(deck, gitlab)
    deck.edit(card(deck, "eins"), description="nur für uns")
    mirror.run("sync")
    assert made.description in (None, "")
    assert "rests here" in str(mirror.json("status"))


def test_an_internal_milestone_waits_where_everybody_could_read_it(
    mirror: Mirror, deck: Deck, board: Board, gitlab: GitLab, project: Project
) -> None:
    project.visibility = "public"
    stone = deck.world.add_label("anna", board.id, "Meilenstein", "317CCC").id
    deck.add(board, "Haushalt", labels=[stone])
    mirror.sync("--accept", ends=1)
    assert gitlab.world.milestones == {}
    assert "make it public" in str(mirror.json("status"))


@pytest.mark.parametrize("after", [True, False])
def test_a_create_whose_answer_is_lost_makes_one_issue(
    mirror: Mirror, deck: Deck, board: Board, gitlab: GitLab, project: Project, after: bool
) -> None:
    deck.add(board, "eins")
    gitlab.fail("POST", "/issues$", status=502, after=after)
    mirror.run("sync", "--accept")
    for _ in range(3):
        later(deck, gitlab)
        mirror.run("sync")
    assert len(gitlab.world.issues) <= 1
    if after:
        assert len(gitlab.world.issues) == 1
        rests(mirror, deck, gitlab)


def test_a_moved_issue_rests_and_nothing_dies(
    mirror: Mirror, deck: Deck, board: Board, gitlab: GitLab, project: Project
) -> None:
    made = gitlab.add(project, "eins")
    gitlab.add(project, "zwei")
    mirror.begins()
    later(deck, gitlab)
    gitlab.world.move_issue(gitlab.anna.id, project, made.iid, gitlab.project("stadt/anderes"))
    mirror.sync()
    assert not card(deck, "eins").archived
    assert "rests here" in str(mirror.json("status", ends=0))
    rests(mirror, deck, gitlab)


def test_a_role_that_was_taken_away_deletes_nothing(
    mirror: Mirror, deck: Deck, board: Board, gitlab: GitLab, project: Project
) -> None:
    for title in ("eins", "zwei"):
        gitlab.add(project, title)
    mirror.begins()
    later(deck, gitlab)
    for made in gitlab.world.issues.values():
        made.confidential = True
    project.members[gitlab.bridge.id] = 10
    mirror.run("sync")
    assert [one.title for one in deck.world.cards.values() if one.archived or one.deleted_at] == []
    del project.members[gitlab.bridge.id]
    later(deck, gitlab)
    mirror.run("sync")
    assert [one.title for one in deck.world.cards.values() if one.archived or one.deleted_at] == []
    project.members[gitlab.bridge.id] = 15
    later(deck, gitlab)
    mirror.sync()
    rests(mirror, deck, gitlab)
    for made in gitlab.world.issues.values():
        gitlab.edit(made, confidential=False, title=f"{made.title}, neu")
    mirror.sync()
    assert {one.title for one in deck.world.cards.values()} == {"eins, neu", "zwei, neu"}


def test_a_note_makes_no_old_state_the_later_one(
    mirror: Mirror, deck: Deck, board: Board, gitlab: GitLab, project: Project
) -> None:
    made = gitlab.add(project, "eins")
    mirror.begins()
    mirror.sync()
    wait(deck, gitlab)
    gitlab.edit(made, state_event="close")
    wait(deck, gitlab)
    deck.edit(card(deck, "eins"), stackId=deck.stack(board, "In Arbeit"))
    wait(deck, gitlab)
    gitlab.world.comment(made, "Ist das wirklich fertig?")
    gitlab.requests.clear()
    assert mirror.sync()["conflicts"] == 1
    assert sum("_events" in request for request in gitlab.requests) == 2  # the states and the labels
    (kept,) = mirror.json("conflicts")
    assert (kept["field"], kept["winner"], kept["loser"]) == ("status", "in_progress", "done")
    assert kept["loser_from"]["at"] == kept["loser_from"]["after"] < kept["winner_from"]["at"]
    assert (made.state, column(deck, "eins")) == ("opened", "In Arbeit")
    rests(mirror, deck, gitlab)
