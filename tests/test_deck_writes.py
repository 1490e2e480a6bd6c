"""What the Deck connector writes, and what it leaves alone: one test for each trap of facts/nextcloud.md."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest

from connectors.base import Native, Record
from connectors.errors import (
    Forbidden,
    Lost,
    NotFound,
    PlatformError,
    RateLimited,
    Rejected,
    Transient,
    Unauthorized,
    VersionMismatch,
)
from tests.deck_tools import LIST, asked, connect, find, ready, shown
from tests.fakes.deck import LOCKED, Deck
from tests.fakes.deck_model import UNNAMED, Board, Card

DUE = "2026-12-01T11:00:00+00:00"


@pytest.fixture
def deck() -> Iterator[Deck]:
    with Deck() as server:
        yield server


@pytest.fixture
def board(deck: Deck) -> Board:
    return deck.board()


def read(deck: Deck, card: Card) -> tuple[Record, Callable[..., Record]]:
    """The card as a record, and a way to update it that says nothing of refs and versions."""
    connector = ready(deck)
    record = find(connector, card.id)
    asked(deck)
    return record, lambda **fields: connector.update(record.ref, fields, record.version)


# ---- updating --------------------------------------------------------------------------------------------------


def test_a_put_gives_back_everything_that_it_would_reset(deck: Deck, board: Board) -> None:
    label = deck.label(board, "Später")
    card = deck.add(
        board, "eins", "In Arbeit", description="a\r\nb", order=7, color="FF0000", duedate=DUE, startdate=DUE,
        labels=[label], users=[{"id": "anna", "type": 0}],
    )  # fmt: skip
    deck.edit(card, done=DUE)
    deck.world.comment("anna", card.id, "Gesehen.")
    before = vars(card).copy()
    _, update = read(deck, card)
    after = update(title="zwei")
    assert asked(deck) == [f"GET /cards/{card.id}", f"PUT /cards/{card.id}", f"GET /cards/{card.id}"]
    assert shown(after)["title"] == "zwei"
    assert {name for name, value in vars(card).items() if before[name] != value} == {"title", "last_editor"}
    path, body = deck.bodies[-1]
    assert path == f"PUT /boards/{board.id}/stacks/{card.stack}/cards/{card.id}"
    assert "archived" not in body


@pytest.mark.parametrize(
    ("fields", "calls"),
    [
        ({"title": "eins", "archived": False, "labels": ()}, []),
        ({"title": "zwei", "done": DUE}, ["PUT /cards/{}"]),
        ({"archived": True}, ["PUT /cards/{}/archive"]),
        ({"labels": ("300", "301")}, ["PUT /cards/{}/assignLabel", "PUT /cards/{}/assignLabel"]),
        ({"labels": ("300",), "archived": True}, ["PUT /cards/{}/assignLabel", "PUT /cards/{}/archive"]),
        ({"stack": None}, []),
    ],
)
def test_only_the_calls_that_are_needed_are_sent(
    deck: Deck, board: Board, fields: dict[str, Native], calls: list[str]
) -> None:
    card = deck.add(board, "eins")
    _, update = read(deck, card)
    after = update(**fields)
    one = f"GET /cards/{card.id}"
    assert asked(deck) == [one, *(call.format(card.id) for call in calls), one]
    assert {**shown(after), **{name: value for name, value in fields.items() if value is not None}} == shown(after)


def test_labels_are_changed_one_by_one(deck: Deck, board: Board) -> None:
    later, check, act = (deck.label(board, title) for title in ("Später", "Zu prüfen", "Handlungsbedarf"))
    card = deck.add(board, "eins", labels=[later, later, check])
    _, update = read(deck, card)
    after = update(labels=tuple(sorted((str(check), str(act)))))
    assert sorted(card.labels) == sorted([check, act])
    assert shown(after)["labels"] == tuple(sorted((str(check), str(act))))
    assert asked(deck)[1:-1] == [f"PUT /cards/{card.id}/removeLabel", f"PUT /cards/{card.id}/assignLabel"]


def test_a_label_that_is_there_is_not_assigned_again(deck: Deck, board: Board) -> None:
    later, check = deck.label(board, "Später"), deck.label(board, "Zu prüfen")
    card = deck.add(board, "eins", labels=[later])
    _, update = read(deck, card)
    update(labels=tuple(sorted((str(later), str(check)))))
    assert sorted(card.labels) == sorted([later, check])


def test_labels_of_an_archived_card_are_left_alone(deck: Deck, board: Board) -> None:
    card = deck.add(board, "eins")
    deck.world.archive("anna", card.id, True)
    record, update = read(deck, card)
    after = update(labels=(str(deck.label(board, "Später")),), title="zwei")
    assert record.locked == {"labels"}
    assert (shown(after)["title"], shown(after)["labels"], shown(after)["archived"]) == ("zwei", (), True)


def test_an_archived_card_is_unarchived_before_its_labels(deck: Deck, board: Board) -> None:
    card = deck.add(board, "eins")
    deck.world.archive("anna", card.id, True)
    label = str(deck.label(board, "Später"))
    _, update = read(deck, card)
    after = update(labels=(label,), archived=False)
    assert (shown(after)["labels"], shown(after)["archived"], after.locked) == ((label,), False, frozenset())


def test_a_card_that_anna_moved_is_not_moved_back(deck: Deck, board: Board) -> None:
    card = deck.add(board, "eins")
    connector = ready(deck)
    record = find(connector, card.id)
    deck.edit(card, stackId=deck.stack(board, "In Arbeit"))
    with pytest.raises(VersionMismatch) as failure:
        connector.update(record.ref, {"title": "zwei"}, record.version)
    fresh = failure.value.record
    assert isinstance(fresh, Record)
    after = connector.update(fresh.ref, {"title": "zwei"}, fresh.version)
    assert (shown(after)["title"], shown(after)["stack"]) == ("zwei", str(deck.stack(board, "In Arbeit")))


def test_a_move_touches_no_other_card(deck: Deck, board: Board) -> None:
    target, card = deck.stack(board, "Erledigt"), deck.add(board, "eins")
    other = deck.add(board, "zwei", "Erledigt")
    _, update = read(deck, card)
    deck.clock.advance(10)
    assert shown(update(stack=str(target)))["stack"] == str(target)
    assert other.last_modified < deck.clock.seconds()


def test_done_is_what_was_said_also_in_the_done_column(deck: Deck, board: Board) -> None:
    column = deck.stack(board, "Erledigt")
    deck.world.set_done_stack("anna", column)
    card = deck.add(board, "eins")
    _, update = read(deck, card)
    after = update(stack=str(column), done=DUE)
    assert (shown(after)["done"], shown(after)["stack"]) == (DUE, str(column))
    _, update = read(deck, card)
    assert shown(update(stack=str(deck.stack(board, "Offen"))))["done"] == DUE
    _, update = read(deck, card)
    assert shown(update(done=None))["done"] is None


def test_a_card_in_the_trash_is_not_brought_back(deck: Deck, board: Board) -> None:
    card = deck.add(board, "eins")
    _, update = read(deck, card)
    deck.world.delete_card("anna", card.id)
    with pytest.raises(NotFound, match="trash"):
        update(title="zwei")
    assert card.deleted_at
    assert asked(deck) == [f"GET /cards/{card.id}"]


@pytest.mark.parametrize("verb", ["update", "delete"])
@pytest.mark.parametrize("where", ["another board", "a deleted list"])
def test_a_card_that_is_not_ours_any_more_is_left_alone(deck: Deck, board: Board, verb: str, where: str) -> None:
    card = deck.add(board, "eins")
    connector = ready(deck)
    record = find(connector, card.id)
    if where == "another board":
        deck.edit(card, stackId=deck.stack(deck.board("Haushalt"), "Offen"))
    else:
        deck.world.delete_stack("anna", card.stack)
        connector.pull(None, {})
    write = partial(connector.update, record.ref, {"title": "zwei"})
    with pytest.raises(NotFound):
        (write if verb == "update" else partial(connector.delete, record.ref))(record.version)
    assert (card.title, card.deleted_at) == ("eins", 0)


def test_a_label_that_somebody_deleted_is_an_edit_and_not_a_bad_value(deck: Deck, board: Board) -> None:
    later, check = deck.label(board, "Später"), deck.label(board, "Zu prüfen")
    card = deck.add(board, "eins", labels=[later])
    _, update = read(deck, card)
    deck.world.delete_label("anna", later)
    with pytest.raises(VersionMismatch):
        update(labels=tuple(sorted((str(later), str(check)))))


def test_a_title_that_is_too_long_is_refused_in_words(deck: Deck, board: Board) -> None:
    card = deck.add(board, "eins")
    _, update = read(deck, card)
    with pytest.raises(Rejected, match="cannot be longer than 255"):
        update(title="x" * 256)
    assert card.title == "eins"


@pytest.mark.parametrize("after", [False, True])
def test_a_locked_database_is_passing_for_an_update(deck: Deck, board: Board, after: bool) -> None:
    card = deck.add(board, "eins")
    _, update = read(deck, card)
    deck.fail("PUT", "/cards/", after=after)
    with pytest.raises(Transient) as failure:
        update(title="zwei")
    assert failure.value.answered
    assert card.title == ("zwei" if after else "eins")


@pytest.mark.parametrize("status", [500, 401, 429])
def test_an_update_that_cannot_be_read_back_is_not_under_way_any_more(deck: Deck, board: Board, status: int) -> None:
    card = deck.add(board, "eins")
    _, update = read(deck, card)
    deck.before("PUT", "/cards/", lambda: deck.fail("GET", "/cards/", status=status))
    with pytest.raises(Transient) as failure:
        update(title="zwei")
    assert type(failure.value) is Transient
    assert failure.value.answered
    assert card.title == "zwei"


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (500, LOCKED, Transient),
        (500, {"status": 500, "message": "Internal server error: x"}, Transient),
        (500, "<html>Internal Server Error</html>", Transient),
        (500, {"status": 500, "message": "Operation not allowed. This board is archived."}, Rejected),
        (400, None, Rejected),
        (403, {"status": 403, "message": "Permission denied"}, Forbidden),
        (403, {"status": 403, "message": "Card is deleted"}, NotFound),
        (401, {"message": ""}, Unauthorized),
        (429, {"message": "Reached maximum delay"}, RateLimited),
        (503, "<html>Wartung</html>", Transient),
        (504, "<html>Gateway</html>", Lost),
    ],
)
def test_every_refusal_is_named_by_what_to_do_and_nothing_is_sent_twice(
    deck: Deck, board: Board, status: int, body: object, error: type[PlatformError]
) -> None:
    card = deck.add(board, "eins")
    _, update = read(deck, card)
    deck.fail("PUT", "/cards/", status=status, body=body)
    with pytest.raises(error) as failure:
        update(title="zwei")
    assert type(failure.value) is error or error is NotFound
    rights = [LIST] if error is Forbidden else []  # whether it is the board or this card
    assert asked(deck) == [f"GET /cards/{card.id}", f"PUT /cards/{card.id}", *rights]


def test_a_lockout_is_waited_out_for_half_an_hour(deck: Deck, board: Board) -> None:
    connector = ready(deck)
    deck.failures = 11
    with pytest.raises(RateLimited) as failure:
        connector.pull(None, {})
    assert failure.value.retry_after == 1800
    assert len(deck.requests) == 1


def test_a_lockout_that_says_how_long_is_believed(deck: Deck, board: Board) -> None:
    connector = ready(deck)
    deck.fail("GET", "/boards", status=429, body=[], headers={"Retry-After": "90"})
    with pytest.raises(RateLimited) as failure:
        connector.pull(None, {})
    assert failure.value.retry_after == 90


def test_an_archived_board_refuses_writes_for_good(deck: Deck, board: Board) -> None:
    card = deck.add(board, "eins")
    connector = ready(deck)
    record = find(connector, card.id)
    board.archived = True
    with pytest.raises(Rejected, match="archived"):
        connector.update(record.ref, {"title": "zwei"}, record.version)
    assert connect(deck).identify().writable is False


@pytest.mark.parametrize("why", ["archived", "read-only"])
def test_a_board_that_takes_no_writes_is_said_once_and_not_once_a_card(deck: Deck, board: Board, why: str) -> None:
    card = deck.add(board, "eins")
    connector = ready(deck)
    if why == "archived":
        board.archived = True
    else:
        board.acl["bridge"] = frozenset()
    record = find(connector, card.id)
    asked(deck)
    for write in (
        lambda: connector.update(record.ref, {"title": "zwei"}, record.version),
        lambda: connector.delete(record.ref, record.version),
        lambda: connector.create({"title": "zwei"}, "mark"),
    ):
        with pytest.raises(Unauthorized, match="may only read the board “Digitale Strategie”") as failure:
            write()
        assert not isinstance(failure.value, Forbidden)  # it is not about this card
    assert asked(deck) == [f"GET /cards/{card.id}"] * 2


@pytest.mark.parametrize("label", [False, True])
def test_rights_that_were_taken_a_moment_ago_are_not_this_cards_fault(deck: Deck, board: Board, label: bool) -> None:
    card = deck.add(board, "eins")
    _, update = read(deck, card)
    fields: dict[str, Native] = {"labels": (str(deck.label(board, "Später")),)} if label else {"title": "zwei"}
    deck.before("PUT", "/cards/", lambda: board.acl.update(bridge=frozenset()))
    with pytest.raises(Unauthorized, match="may only read") as failure:
        update(**fields)
    assert not isinstance(failure.value, Forbidden)


def test_a_wrong_password_is_never_tried_again(deck: Deck, board: Board) -> None:
    card = deck.add(board, "eins")
    _, update = read(deck, card)
    deck.fail("PUT", "/cards/", status=401, body={"message": ""})
    with pytest.raises(Unauthorized):
        update(labels=(str(deck.label(board, "Später")),))
    assert asked(deck) == [f"GET /cards/{card.id}", f"PUT /cards/{card.id}/assignLabel"]


def test_a_database_that_hides_its_reason_is_said_in_one_sentence(deck: Deck, board: Board) -> None:
    """Nextcloud 32.0.1 says no more of a locked database than whom to ask."""
    card = deck.add(board, "eins")
    _, update = read(deck, card)
    deck.fail("PUT", "/cards/", body={"status": 500, "message": UNNAMED})
    with pytest.raises(Transient, match=r"in your report\.$"):
        update(title="zwei")


# ---- deleting --------------------------------------------------------------------------------------------------


def test_a_delete_compares_first_and_puts_the_card_into_the_trash(deck: Deck, board: Board) -> None:
    card = deck.add(board, "eins")
    connector = ready(deck)
    record = find(connector, card.id)
    deck.edit(card, title="zwei")
    with pytest.raises(VersionMismatch):
        connector.delete(record.ref, record.version)
    fresh = find(connector, card.id)
    asked(deck)
    connector.delete(fresh.ref, fresh.version)
    assert asked(deck) == [f"GET /cards/{card.id}", f"DELETE /cards/{card.id}"]
    assert card.deleted_at
    with pytest.raises(NotFound):
        connector.delete(fresh.ref, fresh.version)


# ---- what is alike ---------------------------------------------------------------------------------------------


def test_a_database_without_emoji_is_known(deck: Deck, board: Board) -> None:
    deck.world.database_4_byte = False
    card = deck.add(board, "eins")
    connector = ready(deck)
    record = find(connector, card.id)
    sent = "Los 🚀!"
    read_back = shown(connector.update(record.ref, {"description": sent}, record.version))["description"]
    assert read_back == "Los \ufffd!"
    assert connector.normalises("description", sent, read_back)
    assert not connector.normalises("description", sent, "Los!")
    assert not connector.normalises("title", sent, "Los \ufffd!")


def test_nobodys_cookies_are_sent_back(deck: Deck, board: Board) -> None:
    connector = ready(deck)
    connector.create({"title": "eins"}, "mark")
    connector.pull(None, {})
    assert deck.cookies == []
