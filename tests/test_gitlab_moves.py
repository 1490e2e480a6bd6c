"""A Deck board and a GitLab group: what people move in GitLab gets another id there, and stays the same task (R19)."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.deck import Deck
from tests.fakes.deck_model import Board, Card
from tests.fakes.gitlab import GitLab
from tests.fakes.gitlab_model import OWNER, PLANNER, Group, Issue, Project
from tests.mirror import Mirror, written


@pytest.fixture
def gitlab() -> Iterator[GitLab]:
    with GitLab() as server:
        server.clock.now = time.time() - 600
        yield server


@pytest.fixture
def deck() -> Iterator[Deck]:
    with Deck() as server:
        server.clock.now = time.time() - 600
        yield server


@pytest.fixture
def board(deck: Deck) -> Board:
    return deck.board()


@pytest.fixture
def city(gitlab: GitLab) -> Group:
    group = gitlab.world.add_group("stadt")
    group.members = {gitlab.anna.id: OWNER, gitlab.bridge.id: PLANNER}
    return group


@pytest.fixture
def strategy(gitlab: GitLab, city: Group) -> Project:
    return gitlab.project("stadt/strategie", group=city.id)


@pytest.fixture
def portal(gitlab: GitLab, city: Group) -> Project:
    return gitlab.project("stadt/portal", group=city.id)


@pytest.fixture
def mirror(tmp_path: Path, deck: Deck, board: Board, gitlab: GitLab, strategy: Project, portal: Project) -> Mirror:
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
        entwicklung_collection="stadt:strategie",
    )
    return made


def cards(deck: Deck) -> dict[str, Card]:
    return {one.title: one for one in deck.world.cards.values() if not one.deleted_at}


def labels(deck: Deck, title: str) -> set[str]:
    return {deck.world.labels[one].title for one in cards(deck)[title].labels}


def here(gitlab: GitLab) -> list[Issue]:
    return [one for one in gitlab.world.issues.values() if one.moved_to is None]


def later(deck: Deck, gitlab: GitLab, seconds: float = 70) -> None:
    gitlab.clock.now = deck.clock.now = max(gitlab.clock.now, deck.clock.now) + seconds


def rests(mirror: Mirror, deck: Deck, gitlab: GitLab) -> None:
    """Two more passes write nothing, and nothing is left alone."""
    for _ in range(2):
        later(deck, gitlab)
        told = mirror.sync()
        assert written(told) == 0, told
    assert mirror.json("status")["parked"] == []


def move(gitlab: GitLab, issue: Issue, to: Project) -> Issue:
    return gitlab.world.move_issue(gitlab.anna.id, gitlab.world.projects[issue.project], issue.iid, to)


def test_a_board_and_a_group_hold_the_same_and_come_to_rest(
    mirror: Mirror, deck: Deck, board: Board, gitlab: GitLab, city: Group, strategy: Project, portal: Project
) -> None:
    for name in ("Meilenstein", "Portal geht online"):
        deck.world.add_label("anna", board.id, name, "317CCC")
    stone = deck.add(board, "Portal geht online", labels=[deck.label(board, "Meilenstein")])
    deck.edit(stone, duedate="2026-12-31T11:00:00+00:00")
    deck.add(board, "Anmeldung", labels=[deck.label(board, "Portal geht online")])
    gitlab.add(portal, "Schnittstelle", labels="Presse", due_date="2026-10-25")
    mirror.begins()
    mirror.sync()
    [milestone] = gitlab.world.milestones.values()
    assert (milestone.group, milestone.due_date) == (city.id, "2026-12-31")
    task = next(one for one in here(gitlab) if one.title == "Anmeldung")
    assert (task.project, task.milestone) == (strategy.id, milestone.id)
    assert labels(deck, "Schnittstelle") == {"Presse"}
    later(deck, gitlab)
    deck.edit(cards(deck)["Schnittstelle"], title="Schnittstelle 2")
    mirror.sync()
    assert {one.title for one in here(gitlab) if one.project == portal.id} == {"Schnittstelle 2"}
    rests(mirror, deck, gitlab)


def test_an_issue_that_people_move_within_the_group_stays_the_same_task(
    mirror: Mirror, deck: Deck, gitlab: GitLab, strategy: Project, portal: Project
) -> None:
    made = gitlab.add(strategy, "eins", labels="Presse", description="Text", due_date="2026-12-01")
    mirror.begins()
    mirror.sync()
    before = cards(deck)["eins"].id
    later(deck, gitlab)
    copy = move(gitlab, made, portal)
    assert copy.labels == []  # the other project has no such label
    gitlab.edit(copy, title="zwei")
    mirror.sync()
    assert {one.title: one.id for one in deck.world.cards.values() if not one.archived} == {"zwei": before}
    assert (labels(deck, "zwei"), gitlab.labelled(copy)) == ({"Presse"}, {"Presse"})
    rests(mirror, deck, gitlab)
    later(deck, gitlab)
    deck.edit(cards(deck)["zwei"], title="drei")
    mirror.sync()
    assert [(one.id, one.title) for one in here(gitlab)] == [(copy.id, "drei")]
    gitlab.edit(copy, description="Neuer Text")
    later(deck, gitlab)
    mirror.sync()
    assert cards(deck)["drei"].description == "Neuer Text"
    rests(mirror, deck, gitlab)


def test_an_issue_that_people_move_to_and_fro_stays_one(
    mirror: Mirror, deck: Deck, gitlab: GitLab, strategy: Project, portal: Project
) -> None:
    made = gitlab.add(strategy, "eins")
    mirror.begins()
    mirror.sync()
    later(deck, gitlab)
    copy = move(gitlab, move(gitlab, made, portal), strategy)
    mirror.sync()
    later(deck, gitlab)
    deck.edit(next(iter(cards(deck).values())), title="zwei")
    mirror.sync()
    assert [(one.id, one.title) for one in here(gitlab)] == [(copy.id, "zwei")]
    assert [one.title for one in deck.world.cards.values() if not one.archived] == ["zwei"]
    rests(mirror, deck, gitlab)


def test_an_issue_that_leaves_the_group_rests_and_nothing_dies(
    mirror: Mirror, deck: Deck, gitlab: GitLab, strategy: Project
) -> None:
    outside = gitlab.project("land/anderes")
    made = gitlab.add(strategy, "eins")
    mirror.begins()
    mirror.sync()
    later(deck, gitlab)
    move(gitlab, made, outside)
    mirror.sync()
    assert [one.title for one in deck.world.cards.values() if not one.archived] == ["eins"]
    [parked] = mirror.json("status")["parked"]
    assert parked["reason"].startswith("rests here")
    later(deck, gitlab)
    assert written(mirror.sync()) == 0


def test_a_group_and_one_of_its_projects_are_not_both_mirrored(
    mirror: Mirror, gitlab: GitLab, strategy: Project, portal: Project
) -> None:
    gitlab.add(portal, "eins")
    mirror.sets(
        bridge_connectors="rathaus,entwicklung,portal",
        portal_type="gitlab",
        portal_url=gitlab.url,
        portal_token="glpat-bridge",
        portal_collection="stadt/portal",
    )
    told = mirror.sync("--accept", ends=1)
    assert told["connectors"]["portal"]["error"] == (
        "portal and entwicklung overlap, one lies within the other: remove one"
    )
    assert len(gitlab.world.issues) == 1


@pytest.mark.parametrize("deleted", ["the one that was there", "the one that was moved"])
def test_an_issue_that_moves_to_where_its_task_has_another_waits_until_people_delete_one(
    tmp_path: Path, deck: Deck, gitlab: GitLab, strategy: Project, deleted: str
) -> None:
    other = gitlab.project("land/anderes")
    mirror = Mirror(tmp_path)
    mirror.sets(bridge_connectors="strategie,anderes")
    for name, project in (("strategie", strategy), ("anderes", other)):
        mirror.sets(
            **{
                f"{name}_type": "gitlab",
                f"{name}_url": gitlab.url,
                f"{name}_token": "glpat-bridge",
                f"{name}_collection": project.path,
            }
        )
    made = gitlab.add(strategy, "eins")
    mirror.begins()
    mirror.sync()
    [there] = [one for one in here(gitlab) if one.project == other.id]
    later(deck, gitlab)
    moved = move(gitlab, made, other)
    assert mirror.run("sync").code != 0
    reasons = {one["connector"]: one["reason"] for one in mirror.json("status")["parked"]}
    assert reasons["anderes"] == "it was moved here, and the task has another record here already"
    assert reasons["strategie"].startswith("rests here")
    gitlab.remove(there if deleted == "the one that was there" else moved)
    for _ in range(2):
        later(deck, gitlab)
        mirror.run("sync")
    [left] = here(gitlab)
    assert (left.project, left.state) == (other.id, "opened")
    later(deck, gitlab)
    gitlab.edit(left, title="zwei")
    mirror.run("sync")
    [item] = mirror.json("items")
    assert (item["title"], item["deleted"]) == ("zwei", False)
    later(deck, gitlab)
    assert written(json.loads(mirror.run("sync", "--json").out)) == 0
