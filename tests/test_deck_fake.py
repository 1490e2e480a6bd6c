"""The Deck fake does what facts/nextcloud.md measured; "F 1.2" is its section 1.2."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from email.utils import formatdate
from typing import Any

import pytest
import requests

from tests.fakes.deck import Deck
from tests.fakes.deck_model import Board, Card

DUE = "2026-12-01T11:00:00+00:00"


@pytest.fixture
def deck() -> Iterator[Deck]:
    with Deck() as server:
        yield server


@pytest.fixture
def board(deck: Deck) -> Board:
    return deck.board()


def ask(deck: Deck, method: str, path: str, body: Any = None, user: str = "anna", **headers: str) -> requests.Response:
    token = base64.b64encode(f"{user}:{deck.accounts[user][1]}".encode()).decode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    with requests.Session() as session:
        session.trust_env = False
        return session.request(
            method,
            f"{deck.url}/index.php/apps/deck/api/v1.0{path}",
            json=body,
            headers={"Authorization": f"Basic {token}", **names},
        )


def said(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["message"] if answer.content else ""


def at(card: Card, stack: int | None = None) -> str:
    return f"/boards/1/stacks/{stack or card.stack}/cards/{card.id}"


WHOLE = {"title": "zwei", "type": "plain", "owner": "nobody"}


# ---- F 1, 1.1: addresses and creating --------------------------------------------------------------------------


def test_board_and_stack_in_a_cards_address_are_not_checked_nor_is_the_version(deck: Deck, board: Board) -> None:
    card = deck.add(board, "eins")
    assert ask(deck, "GET", f"/boards/999/stacks/888/cards/{card.id}").json()["title"] == "eins"
    with requests.Session() as session:
        url = f"{deck.url}/index.php/apps/deck/api/v9/boards"
        assert session.get(url, auth=deck.accounts["anna"]).status_code == 200
        assert session.get(url.replace("/index.php", ""), auth=deck.accounts["anna"]).status_code == 404


def test_wrong_routes_and_methods_are_405_and_empty(deck: Deck, board: Board) -> None:
    for method, path in (("PATCH", "/boards"), ("GET", "/boards/1/labels"), ("GET", "/nothing")):
        assert said(ask(deck, method, path)) == (405, "")
    answer = ask(deck, "HEAD", "/boards")
    assert (answer.status_code, answer.content, "ETag" in answer.headers) == (200, b"", True)


def test_a_post_is_200_and_shows_no_labels_although_they_are_there(deck: Deck, board: Board) -> None:
    stack, label = deck.stack(board, "Offen"), deck.label(board, "Später")
    body = {"title": "eins", "labels": [label], "done": DUE, "archived": True, "users": [{"id": "bridge", "type": 0}]}
    answer = ask(deck, "POST", f"/boards/1/stacks/{stack}/cards", body)
    made = answer.json()
    assert (answer.status_code, made["labels"], made["assignedUsers"]) == (200, [], [])
    read = ask(deck, "GET", f"/boards/1/stacks/1/cards/{made['id']}").json()
    assert [one["id"] for one in read["labels"]] == [label]
    assert len(read["assignedUsers"]) == 1
    assert (read["done"], read["archived"], read["owner"]["uid"], read["order"]) == (None, False, "anna", 999)


@pytest.mark.parametrize(
    ("extra", "refusal"),
    [
        ({"labels": [304]}, (500, "Operation not allowed. Label does not exist.")),
        ({"users": [{"id": "otto", "type": 0}]}, (400, "The user is not part of the board")),
    ],
)
def test_a_refused_post_has_made_the_card(
    deck: Deck, board: Board, extra: dict[str, Any], refusal: tuple[int, str]
) -> None:
    assert deck.label(deck.board("Haushalt"), "Abgeschlossen") == 304
    answer = ask(deck, "POST", f"/boards/1/stacks/{deck.stack(board, 'Offen')}/cards", {"title": "eins", **extra})
    assert said(answer) == refusal
    assert len(deck.world.cards) == 1


def test_an_empty_due_date_is_now_when_made_and_none_when_changed(deck: Deck, board: Board) -> None:
    card = deck.add(board, "eins", duedate="")
    assert card.duedate is not None
    assert card.duedate.timestamp() == deck.clock.seconds()
    ask(deck, "PUT", at(card), {**WHOLE, "duedate": ""})
    assert card.duedate is None


# ---- F 1.2: the whole-card PUT ---------------------------------------------------------------------------------


def test_a_put_resets_what_it_leaves_out_but_for_archived_labels_and_people(deck: Deck, board: Board) -> None:
    label = deck.label(board, "Später")
    card = deck.add(board, "eins", description="Text", duedate=DUE, startdate=DUE, color="FF0000", labels=[label])
    deck.edit(card, done=DUE)
    deck.world.assign_user("anna", card.id, "bridge")
    deck.world.archive("anna", card.id, True)
    assert ask(deck, "PUT", at(card), WHOLE).status_code == 200
    assert (card.description, card.order, card.duedate, card.startdate, card.color, card.done) == (
        *("", 0),
        *(None,) * 4,
    )
    assert (card.archived, card.labels, card.assigned, card.owner) == (True, [label], ["bridge"], "anna")


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"owner": {"uid": "anna"}}, (400, "")),
        ({"owner": None}, (400, "")),
        ({"title": None}, (400, "")),
        ({"description": 5}, (400, "")),
        ({"title": "x" * 256}, (400, "title cannot be longer than 255 characters ")),
        ({"title": " "}, (400, "title must be provided and must be not empty")),
    ],
)
def test_a_put_is_particular(deck: Deck, board: Board, change: dict[str, Any], refusal: tuple[int, str]) -> None:
    card = deck.add(board, "eins")
    assert said(ask(deck, "PUT", at(card), WHOLE | change)) == refusal
    assert card.title == "eins"


@pytest.mark.parametrize("change", [{"type": None}, {"done": True}, {"done": 5}, {"duedate": "gestern"}])
def test_php_type_errors_are_500(deck: Deck, board: Board, change: dict[str, Any]) -> None:
    card = deck.add(board, "eins")
    status, message = said(ask(deck, "PUT", at(card), WHOLE | change))
    assert (status, message[:21]) == (500, "Internal server error")
    assert card.title == "eins"


@pytest.mark.parametrize("done", [False, ""])
def test_done_false_means_now(deck: Deck, board: Board, done: object) -> None:
    card = deck.add(board, "eins")
    ask(deck, "PUT", at(card), WHOLE | {"done": done})
    assert card.done is not None


def test_a_put_by_a_stale_address_moves_the_card_back_unless_the_body_says_where(deck: Deck, board: Board) -> None:
    card, old, new = deck.add(board, "eins"), deck.stack(board, "Offen"), deck.stack(board, "In Arbeit")
    ask(deck, "PUT", at(card, old), {**WHOLE, "stackId": new})
    assert card.stack == new
    ask(deck, "PUT", at(card, old), WHOLE)
    assert card.stack == old


def test_a_put_to_another_board_finds_labels_by_title_or_makes_or_drops_them(deck: Deck, board: Board) -> None:
    other = deck.board("Haushalt")
    new = deck.world.add_label("anna", board.id, "Nur hier", "FF0000").id
    card = deck.add(board, "eins", labels=[deck.label(board, "Später"), new])
    other.acl["bridge"] = frozenset({"edit"})
    stamp = board.last_modified
    deck.clock.advance(10)
    ask(deck, "PUT", at(card), {**WHOLE, "stackId": deck.stack(other, "Offen")}, user="bridge")
    assert card.labels == [deck.label(other, "Später")]
    assert board.last_modified == stamp  # F 1.3: who was left is not stamped
    assert other.last_modified == deck.clock.seconds()


def test_a_put_brings_a_deleted_card_back(deck: Deck, board: Board) -> None:
    card = deck.add(board, "eins")
    ask(deck, "DELETE", at(card))
    for method in ("GET", "DELETE"):
        assert said(ask(deck, method, at(card))) == (403, "Card is deleted")
    assert ask(deck, "PUT", at(card), WHOLE).status_code == 200
    assert (card.deleted_at, card.title) == (0, "zwei")


def test_archived_true_twice_is_refused_and_archive_twice_is_not(deck: Deck, board: Board) -> None:
    card = deck.add(board, "eins")
    for _ in range(2):
        assert ask(deck, "PUT", at(card) + "/archive", {}).status_code == 200
    assert said(ask(deck, "PUT", at(card), {**WHOLE, "archived": True}))[0] == 500
    assert ask(deck, "PUT", at(card), WHOLE).status_code == 200
    assert card.archived


# ---- F 1.3 to 1.7: order, done, dates, labels --------------------------------------------------------------------


def test_a_reorder_writes_every_active_card_of_the_list(deck: Deck, board: Board) -> None:
    cards = [deck.add(board, title) for title in ("eins", "zwei", "drei")]
    deck.clock.advance(10)
    answer = ask(deck, "PUT", at(cards[2]) + "/reorder", {"order": 0, "stackId": cards[0].stack})
    assert [one["title"] for one in answer.json()] == ["drei", "eins", "zwei"]
    assert {one.last_modified for one in cards} == {deck.clock.seconds()}
    deck.world.archive("anna", cards[0].id, True)
    assert said(ask(deck, "PUT", at(cards[0]) + "/reorder", {"order": 0}))[0] == 500


def test_the_done_column_acts_on_a_reorder_and_not_on_a_put(deck: Deck, board: Board) -> None:
    column, offen = deck.stack(board, "Erledigt"), deck.stack(board, "Offen")
    there, card = deck.add(board, "dort", "Erledigt"), deck.add(board, "eins")
    deck.world.set_done_stack("anna", column)
    assert there.done is not None
    ask(deck, "PUT", at(card), {**WHOLE, "stackId": column})
    done = [card.done is not None]
    for stack in (offen, column, offen):
        deck.world.reorder("anna", card.id, stack, 0)
        done.append(card.done is not None)
    assert done == [False, False, True, False]
    for done_now in (True, False):
        deck.world.set_done("anna", card.id, done_now)
        assert (card.done is not None, card.stack) == (done_now, column)


def test_an_offset_is_echoed_once_and_dropped(deck: Deck, board: Board) -> None:
    card = deck.add(board, "eins")
    echo = ask(deck, "PUT", at(card), {**WHOLE, "duedate": "2026-12-01T12:00:00.5+02:00"}).json()["duedate"]
    assert echo == "2026-12-01T12:00:00+02:00"
    assert ask(deck, "GET", at(card)).json()["duedate"] == "2026-12-01T12:00:00+00:00"
    ask(deck, "PUT", at(card), {**WHOLE, "duedate": "2026-12-01"})
    assert ask(deck, "GET", at(card)).json()["duedate"] == "2026-12-01T00:00:00+00:00"


def test_a_label_can_be_there_twice_and_goes_at_once(deck: Deck, board: Board) -> None:
    card, label = deck.add(board, "eins"), deck.label(board, "Später")
    for verb, count in (("assignLabel", 1), ("assignLabel", 2), ("removeLabel", 0), ("removeLabel", 0)):
        assert ask(deck, "PUT", f"{at(card)}/{verb}", {"labelId": label}).status_code == 200
        assert len(ask(deck, "GET", at(card)).json()["labels"]) == count
    deck.world.archive("anna", card.id, True)
    assert said(ask(deck, "PUT", f"{at(card)}/assignLabel", {"labelId": label}))[0] == 500


def test_label_titles_are_unique_by_case_and_blank(deck: Deck, board: Board) -> None:
    for title, answer in (("Später", (400, "title must be unique")), ("später", (200, "")), ("Später ", (200, ""))):
        found = ask(deck, "POST", "/boards/1/labels", {"title": title, "color": "FF0000"})
        assert (found.status_code, found.json().get("message", "")) == answer
    assert said(ask(deck, "POST", "/boards/1/labels", {"title": "Neu", "color": "#FF0000"}))[0] == 400


# ---- F 1.9: boards and stacks ------------------------------------------------------------------------------------


def test_the_first_request_of_an_account_makes_a_board(deck: Deck) -> None:
    deck.greeted.clear()
    assert [one["title"] for one in ask(deck, "GET", "/boards").json()] == ["Welcome to Nextcloud Deck!"]


def test_new_boards_and_stacks_say_that_they_were_never_changed(deck: Deck) -> None:
    made = ask(deck, "POST", "/boards", {"title": "Neu", "color": "FF0000"}).json()
    assert (made["lastModified"], len(made["labels"])) == (0, 4)
    stack = ask(deck, "POST", f"/boards/{made['id']}/stacks", {"title": "Offen", "order": 1})
    assert stack.json()["lastModified"] == 0
    assert said(ask(deck, "POST", f"/boards/{made['id']}/stacks", {"title": "Offen"})) == (400, "")


def test_a_deleted_board_is_listed_and_denied(deck: Deck, board: Board) -> None:
    ask(deck, "DELETE", "/boards/1")
    assert [one["deletedAt"] > 0 for one in ask(deck, "GET", "/boards").json()] == [True]
    assert said(ask(deck, "GET", "/boards/1")) == (403, "Permission denied")


def test_cards_in_a_deleted_stack_still_answer_and_a_put_on_it_restores(deck: Deck, board: Board) -> None:
    card = deck.add(board, "eins")
    ask(deck, "DELETE", f"/boards/1/stacks/{card.stack}")
    assert len(ask(deck, "GET", "/boards/1/stacks").json()) == 2
    assert ask(deck, "GET", at(card)).json()["deletedAt"] == 0
    assert ask(deck, "POST", f"/boards/1/stacks/{card.stack}/cards", {"title": "Geist"}).status_code == 200
    ask(deck, "PUT", f"/boards/1/stacks/{card.stack}", {"title": "Offen", "order": 0})
    assert len(ask(deck, "GET", "/boards/1/stacks").json()) == 3


def test_an_archived_board_takes_no_card(deck: Deck, board: Board) -> None:
    card = deck.add(board, "eins")
    board.archived = True
    for method, path in (("PUT", at(card)), ("POST", f"/boards/1/stacks/{card.stack}/cards"), ("DELETE", at(card))):
        assert said(ask(deck, method, path, WHOLE)) == (500, "Operation not allowed. This board is archived.")


def test_what_may_not_be_seen_is_403_and_never_404(deck: Deck, board: Board) -> None:
    secret = deck.add(board, "geheim")
    board.acl.clear()
    for path in ("/boards/1", "/boards/77", "/boards/1/stacks", at(secret), "/boards/1/stacks/1/cards/77"):
        assert said(ask(deck, "GET", path, user="bridge")) == (403, "Permission denied")


def test_readers_read_and_comment_and_write_nothing_else(deck: Deck, board: Board) -> None:
    card = deck.add(board, "eins")
    board.acl["bridge"] = frozenset()
    assert ask(deck, "GET", at(card), user="bridge").status_code == 200
    assert said(ask(deck, "PUT", at(card), WHOLE, user="bridge")) == (403, "Permission denied")
    deck.world.comment("bridge", card.id, "Gesehen.")


# ---- F 2: change detection -----------------------------------------------------------------------------------------


def test_etags_work_quoted_where_there_are_any(deck: Deck, board: Board) -> None:
    card = deck.add(board, "eins")
    for path in ("/boards", "/boards?details=true", "/boards/1", f"/boards/1/stacks/{card.stack}", at(card)):
        tag = ask(deck, "GET", path).headers["ETag"]
        assert ask(deck, "GET", path, If_None_Match=tag).status_code == 304
        assert ask(deck, "GET", path, If_None_Match=tag.strip('"')).status_code == 200
    for path in ("/boards/1/stacks", "/boards/1/stacks/archived"):
        assert "ETag" not in ask(deck, "GET", path).headers


def test_two_changes_within_one_second_have_one_etag(deck: Deck, board: Board) -> None:
    card = deck.add(board, "eins")
    tag = ask(deck, "GET", "/boards").headers["ETag"]
    deck.edit(card, title="zwei")
    assert ask(deck, "GET", "/boards", If_None_Match=tag).status_code == 304
    deck.clock.advance(1)
    deck.edit(card, title="zwei")
    assert ask(deck, "GET", "/boards", If_None_Match=tag).status_code == 200


def test_if_modified_since_filters_strictly_and_misses_what_was_archived(deck: Deck, board: Board) -> None:
    old, card = deck.add(board, "alt"), deck.add(board, "eins")
    since = formatdate(deck.clock.seconds(), usegmt=True)
    assert ask(deck, "GET", "/boards", If_Modified_Since=since).json() == []
    deck.clock.advance(1)
    deck.edit(card, title="zwei")
    deck.world.archive("anna", old.id, True)
    stacks = ask(deck, "GET", "/boards/1/stacks", If_Modified_Since=since).json()
    assert len(stacks) == 3
    assert [one["title"] for stack in stacks for one in stack.get("cards", [])] == ["zwei"]
    assert said(ask(deck, "GET", "/boards", If_Modified_Since=since.replace("GMT", "+0000")))[0] == 500


def test_three_routes_show_one_card_in_three_shapes(deck: Deck, board: Board) -> None:
    label = deck.label(board, "Später")
    card, bare = deck.add(board, "eins", labels=[label]), deck.add(board, "zwei")
    alone = ask(deck, "GET", f"/boards/1/stacks/{card.stack}").json()["cards"][0]
    assert (alone["labels"], alone["owner"]["uid"]) == (None, "anna")
    for one in (card, bare):
        deck.world.archive("anna", one.id, True)
    stacks = ask(deck, "GET", "/boards/1/stacks/archived").json()
    archived = {one["title"]: one for stack in stacks for one in stack.get("cards", [])}
    assert [set(one) for one in archived["eins"]["labels"]] == [{"id", "title", "color"}]
    assert archived["zwei"]["labels"] is None
    assert (archived["eins"]["owner"], archived["eins"]["assignedUsers"]) == ("anna", None)
    assert sum("cards" in stack for stack in stacks) == 1


def test_what_bumps_what(deck: Deck, board: Board) -> None:
    label, card = deck.label(board, "Später"), deck.add(board, "eins")
    stack = deck.world.stacks[card.stack]
    whole = {"b", "s", "c"}
    for act, bumped in (
        (lambda: deck.edit(card), whole),
        (lambda: deck.world.comment("anna", card.id, "Gesehen."), whole),
        (lambda: deck.world.remove_label("anna", card.id, label), whole),
        (lambda: deck.world.edit_label("anna", label, "Bald", "FF0000"), {"b"}),
        (lambda: deck.world.delete_label("anna", label), {"b"}),
        (lambda: deck.world.edit_stack("anna", stack.id, "Neu", 0), {"b"}),
        (lambda: deck.world.delete_card("anna", card.id), whole),
    ):
        deck.clock.advance(10)
        act()
        stamps = {"b": board.last_modified, "s": stack.last_modified, "c": card.last_modified}
        assert {name for name, stamp in stamps.items() if stamp == deck.clock.seconds()} == bumped


# ---- F 3 to 6: no locking, the clock, sign-in ----------------------------------------------------------------------


def test_conditions_on_a_put_are_ignored(deck: Deck, board: Board) -> None:
    card = deck.add(board, "eins")
    assert ask(deck, "PUT", at(card), WHOLE, If_Match='"deadbeef"').status_code == 200


def test_every_answer_tells_the_servers_time_and_sets_cookies(deck: Deck, board: Board) -> None:
    answer = ask(deck, "GET", "/boards/77")
    assert answer.headers["Date"] == formatdate(deck.clock.seconds(), usegmt=True)
    assert "nc_session_id" in answer.headers["Set-Cookie"]


def test_eleven_wrong_passwords_lock_the_right_one_out_too(deck: Deck) -> None:
    with requests.Session() as session:
        url = f"{deck.url}/index.php/apps/deck/api/v1.1/boards"
        for _ in range(11):
            assert session.get(url, auth=("anna", "falsch")).status_code == 401
        answer = session.get(url, auth=deck.accounts["anna"])
    assert (answer.status_code, answer.json()) == (429, {"message": "Reached maximum delay"})
    assert "Retry-After" not in answer.headers


# ---- labels that are not there (seen on Nextcloud 32.0.1, Deck 1.16.7) ----------------------------------------------


def test_a_label_that_is_not_there_is_403_and_the_card_is_made_all_the_same(deck: Deck, board: Board) -> None:
    stack = deck.stack(board, "Offen")
    answer = ask(deck, "POST", f"/boards/1/stacks/{stack}/cards", {"title": "eins", "labels": [99999]})
    assert said(answer) == (403, "Permission denied")
    assert len(deck.world.cards) == 1


def test_a_label_that_is_not_there_cannot_be_taken_away(deck: Deck, board: Board) -> None:
    card = deck.add(board, "eins")
    answer = ask(deck, "PUT", f"{at(card)}/removeLabel", {"labelId": 99999})
    assert said(answer) == (403, "Permission denied")


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"title": "Handlungsbedarf"}, (400, "title must be unique")),
        ({"title": "x" * 101}, (400, "title cannot be longer than 100 characters ")),
        ({"color": ""}, (400, "color must be provided and must be not empty")),
        ({"color": "#FF0000"}, (400, "color cannot be longer than 6 characters ")),
        ({}, (200, "")),
        ({"title": "Bald"}, (200, "")),
    ],
)
def test_a_label_is_renamed_with_its_color(
    deck: Deck, board: Board, change: dict[str, Any], refusal: tuple[int, str]
) -> None:
    label = deck.label(board, "Später")
    answer = ask(deck, "PUT", f"/boards/1/labels/{label}", {"title": "Später", "color": "FF0000", **change})
    assert (answer.status_code, answer.json().get("message", "")) == refusal
    shown = ask(deck, "GET", f"/boards/1/labels/{label}").json()
    assert shown["title"] == ("Bald" if change.get("title") == "Bald" else "Später")


def test_a_label_of_an_archived_board_keeps_its_name(deck: Deck, board: Board) -> None:
    label = deck.label(board, "Später")
    board.archived = True
    answer = ask(deck, "PUT", f"/boards/1/labels/{label}", {"title": "Bald", "color": "FF0000"})
    assert said(answer) == (500, "Operation not allowed. This board is archived.")
