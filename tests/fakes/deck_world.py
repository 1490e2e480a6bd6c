"""What a Deck server holds and does, without HTTP: boards, stacks, cards, labels, and the oddities measured.

Written from facts/nextcloud.md alone ("F 1.2" below is its section 1.2); shares no code with the connector. Every
method acts for one account, by id, and raises `Refusal` where the server would. Time comes from a `Clock`, so that
no test has to sleep.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime

from tests.fakes.deck_model import (
    Board,
    Card,
    Clock,
    Json,
    Label,
    Refusal,
    Stack,
    as_done,
    as_moment,
    as_number,
    colored,
    denied,
    not_allowed,
    titled,
    type_error,
)


class World:
    """All that one server holds."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.boards: dict[int, Board] = {}
        self.stacks: dict[int, Stack] = {}
        self.labels: dict[int, Label] = {}
        self.cards: dict[int, Card] = {}
        self._ids = {kind: itertools.count(start) for kind, start in (("b", 1), ("s", 20), ("l", 300), ("c", 4000))}
        """F 1.9: ids count up and are never used again."""
        self.release = (1, 18)  # of Deck; `deck_1_16` says what an older one does otherwise
        self.database_4_byte = True
        """F 1.5: MySQL without utf8mb4 turns what is beyond the basic plane into U+FFFD."""

    def new_id(self, kind: str) -> int:
        """The next id of a kind."""
        return next(self._ids[kind])

    # ---- rights and look-ups ---------------------------------------------------------------------------------

    def board(self, user: str, board_id: int, right: str = "read", *, deleted: bool = False) -> Board:
        """A board that the account has this right on, else 403; a deleted one is 403 too (F 1.9)."""
        board = self.boards.get(board_id)
        if board is None or (board.deleted_at and not deleted) or not self.may(user, board, right):
            raise denied()
        return board

    @staticmethod
    def may(user: str, board: Board, right: str) -> bool:
        """Whether the account has "read", "edit" or "manage" on the board."""
        return board.owner == user or (user in board.acl and (right == "read" or right in board.acl[user]))

    def stack(self, user: str, stack_id: int, right: str) -> Stack:
        """A stack by id. F 1.9: a deleted stack answers like a living one, so cards can become ghosts in it."""
        stack = self.stacks.get(stack_id)
        if stack is None:
            raise denied()
        self.board(user, stack.board, right)
        return stack

    def card(self, user: str, card_id: int, right: str, *, deleted: bool = False) -> Card:
        """A card by id alone: board and stack of the URL are not checked (F 1)."""
        card = self.cards.get(card_id)
        if card is None:
            raise denied()
        self.stack(user, card.stack, right)
        if card.deleted_at and not deleted:
            raise Refusal(403, "Card is deleted")  # F 1.10: told apart from "Permission denied"
        return card

    def board_of(self, card: Card) -> Board:
        """The board that a card is on."""
        return self.boards[self.stacks[card.stack].board]

    def _writable(self, card: Card, *, archived: bool = True) -> None:
        if self.board_of(card).archived:
            raise not_allowed("This board is archived.")  # F 1.9
        if card.archived and not archived:
            raise not_allowed("This card is archived.")  # F 1.3, 1.7

    # ---- stamps (F 2: what bumps) ----------------------------------------------------------------------------

    def bump_board(self, board_id: int) -> None:
        """Stamp the board."""
        self.boards[board_id].last_modified = self.clock.seconds()

    def bump(self, card: Card) -> None:
        """Stamp the card, its (new) stack and that stack's board; the stack and board it left stay (F 1.3)."""
        card.last_modified = self.stacks[card.stack].last_modified = self.clock.seconds()
        self.bump_board(self.stacks[card.stack].board)

    # ---- boards, stacks, labels ------------------------------------------------------------------------------

    def add_board(self, user: str, title: str, *, labels: bool = True) -> Board:
        """Make a board, with the four labels of F 1.9 in the caller's language."""
        board = Board(self.new_id("b"), title, user, self.clock.seconds())
        self.boards[board.id] = board
        named = (
            ("Abgeschlossen", "31CC7C"),
            ("Zu prüfen", "317CCC"),
            ("Handlungsbedarf", "FF7A66"),
            ("Später", "F1DB50"),
        )
        for name, color in named if labels else ():
            self.add_label(user, board.id, name, color)
        return board

    def add_stack(self, user: str, board_id: int, title: str, order: int) -> Stack:
        """Make a stack. F 1.9: titles are not unique."""
        board = self.board(user, board_id, "manage")
        if board.archived:
            raise not_allowed("This board is archived.")
        titled(title, 100)
        stack = Stack(self.new_id("s"), board_id, title, order, self.clock.seconds())
        self.stacks[stack.id] = stack
        self.bump_board(board_id)
        return stack

    def edit_stack(self, user: str, stack_id: int, title: str, order: int) -> Stack:
        """Retitle a stack: bumps only the board (F 2). F 1.9: restores a deleted one, keeps isDoneColumn (F 1.4)."""
        stack = self.stack(user, stack_id, "manage")
        stack.title, stack.order, stack.deleted_at = title, order, 0
        self.bump_board(stack.board)
        return stack

    def delete_stack(self, user: str, stack_id: int) -> Stack:
        """F 1.9: soft; the cards keep deletedAt=0 and still answer, but no listing shows them."""
        stack = self.stack(user, stack_id, "manage")
        stack.deleted_at = self.clock.seconds()
        self.bump_board(stack.board)
        return stack

    def set_done_stack(self, user: str, stack_id: int) -> None:
        """F 1.4: at most one per board; its undone cards become done now."""
        stack = self.stack(user, stack_id, "manage")
        for other in self.stacks.values():
            if other.board == stack.board:
                other.done_column = other is stack
        for card in self.cards.values():
            if card.stack == stack_id and card.done is None and not card.archived and not card.deleted_at:
                card.done, card.last_modified = self._now(), self.clock.seconds()
        self.bump_board(stack.board)

    def add_label(self, user: str, board_id: int, title: str, color: Json) -> Label:
        """Make a label. F 1.7: a title that is there already is refused, by exact case."""
        board = self.board(user, board_id, "manage")
        titled(title, 100)
        colored(color)
        if any(label.title == title for label in self.labels.values() if label.board == board_id):
            raise Refusal(400, "title must be unique")
        if board.archived:
            raise not_allowed("This board is archived.")
        label = Label(self.new_id("l"), board_id, title, color)
        self.labels[label.id] = label
        self.bump_board(board_id)
        return label

    def label(self, user: str, label_id: int, right: str) -> Label:
        """A label that the account has this right on, by its board; 403 where there is none."""
        label = self.labels.get(label_id)
        if label is None:
            raise denied()
        self.board(user, label.board, right)
        return label

    def edit_label(self, user: str, label_id: int, title: str, color: Json) -> Label:
        """Retitle a label: bumps only the board, no card (F 2)."""
        label = self.label(user, label_id, "manage")
        twins = [other for other in self.labels.values() if other.board == label.board and other is not label]
        titled(title, 100)
        colored(color)
        if any(other.title == title for other in twins):
            raise Refusal(400, "title must be unique")
        if self.boards[label.board].archived:  # seen on Nextcloud 32.0.1, Deck 1.16.7
            raise not_allowed("This board is archived.")
        label.title, label.color = title, color
        self.bump_board(label.board)
        return label

    def delete_label(self, user: str, label_id: int) -> Label:
        """F 2: taking a label away from all cards does not touch one of them, only the board."""
        label = self.label(user, label_id, "manage")
        del self.labels[label_id]
        for card in self.cards.values():
            card.labels = [one for one in card.labels if one != label_id]
        self.bump_board(label.board)
        return label

    # ---- cards -----------------------------------------------------------------------------------------------

    def add_card(self, user: str, stack_id: int, body: dict[str, Json]) -> Card:
        """POST a card (F 1.1): ``done`` and ``archived`` are ignored, the owner is the caller."""
        title = body.get("title")
        if not isinstance(title, str):
            raise type_error()
        titled(title, 255)
        stack = self.stack(user, stack_id, "edit")
        if self.boards[stack.board].archived:
            raise not_allowed("This board is archived.")
        now = self.clock.seconds()
        card = Card(self.new_id("c"), stack_id, title, user, now, now)
        card.type = str(body.get("type", "plain"))
        card.order = as_number(body.get("order", 999))
        card.description = str(body.get("description", ""))
        # F 1.1: '' means NOW when a card is made, and null when it is changed
        card.duedate = as_moment(body.get("duedate"), self._now(), empty_is_now=True)
        card.startdate = as_moment(body.get("startdate"), self._now(), empty_is_now=True)
        card.color = body.get("color")
        self.cards[card.id] = card
        self.bump(card)
        # F 1.1: no transaction. A bad label or person is refused when the card is already there.
        for label_id in body.get("labels") or ():
            self.assign_label(user, card.id, int(label_id))
        for person in body.get("users") or ():
            self.assign_user(user, card.id, str(person["id"]))
        return card

    def put_card(self, user: str, url_stack: int, card_id: int, body: dict[str, Json]) -> Card:
        """PUT a card (F 1.2): a full replace; what is left out is reset, and a deleted card comes back."""
        title, owner, description = body.get("title"), body.get("owner"), body.get("description", "")
        if not isinstance(title, str) or not isinstance(owner, str) or not isinstance(description, str):
            raise Refusal(400, None)  # F 1.2: the owner object that GET shows is refused with an empty body
        if body.get("type") is None:
            raise type_error()
        titled(title, 255)
        if not owner:
            raise Refusal(400, "owner must be provided and must be not empty")
        target = int(body.get("stackId") or url_stack)  # F 1.2: the body wins, else the URL's stack MOVES the card
        card = self.card(user, card_id, "edit", deleted=True)
        self.stack(user, target, "edit")
        self._writable(card)
        if card.archived and body.get("archived") is True:
            raise not_allowed("This card is archived.")
        old_board = self.board_of(card)
        fresh = replace(card, labels=list(card.labels))
        fresh.title, fresh.type, fresh.description, fresh.stack = title, str(body["type"]), description, target
        fresh.order = as_number(body.get("order", 0))
        fresh.duedate = as_moment(body.get("duedate"), self._now())
        fresh.startdate = as_moment(body.get("startdate"), self._now())
        fresh.color = body.get("color") or None
        fresh.done = as_done(body.get("done"), self._now())
        fresh.archived = card.archived if body.get("archived") is None else bool(body["archived"])
        fresh.deleted_at = 0  # F 1.2: restores
        fresh.last_editor = user
        vars(card).update(vars(fresh))
        if self.board_of(card) is not old_board:
            self._carry_labels(user, card)
        self.bump(card)  # F 1.2: an identical PUT bumps all the same
        return card

    def _carry_labels(self, user: str, card: Card) -> None:
        """F 1.2: on a move to another board labels are found again by title, made, or (no right) dropped."""
        board, kept = self.board_of(card), []
        for old in [self.labels[one] for one in card.labels]:
            twin = next((one for one in self.labels.values() if one.board == board.id and one.title == old.title), None)
            if twin is None and self.may(user, board, "manage"):
                twin = self.add_label(user, board.id, old.title, old.color)
            kept += [twin.id] if twin else []
        card.labels = kept

    def reorder(self, user: str, card_id: int, stack_id: int, order: int) -> list[Card]:
        """F 1.3: writes EVERY active card of the target stack. F 1.4: in and out of the done column sets done."""
        card = self.card(user, card_id, "edit")
        target = self.stack(user, stack_id, "edit")
        self._writable(card, archived=False)
        if card.stack != stack_id:
            if target.done_column:
                card.done = self._now()
            elif self.stacks[card.stack].done_column:
                card.done = None
        card.stack, place = stack_id, 0
        for other in self.listed(stack_id):
            place += place == order
            other.order = order if other is card else place
            place += other is not card
            other.last_modified = self.clock.seconds()
        self.bump(card)
        return self.listed(stack_id)

    def archive(self, user: str, card_id: int, archived: bool) -> Card:
        """F 1.2: idempotent, unlike ``archived:true`` in a PUT."""
        card = self.card(user, card_id, "edit")
        self._writable(card)
        card.archived = archived
        self.bump(card)
        return card

    def set_done(self, user: str, card_id: int, done: bool) -> Card:
        """The UI's done button (F 1.4): done moves to the done column, undone stays there."""
        card = self.card(user, card_id, "edit")
        self._writable(card)
        card.done = self._now() if done else None
        column = next(
            (one for one in self.stacks.values() if one.board == self.board_of(card).id and one.done_column), None
        )
        if done and column:
            card.stack = column.id
        self.bump(card)
        return card

    def delete_card(self, user: str, card_id: int) -> Card:
        """F 1.10: soft; a second DELETE is 403 "Card is deleted"."""
        card = self.card(user, card_id, "edit")
        self._writable(card)
        self.bump(card)
        card.deleted_at = self.clock.seconds()
        return card

    def purge_card(self, card_id: int) -> None:
        """F 1.9: cron empties the trash after five hours; from then on the id is 403 "Permission denied"."""
        del self.cards[card_id]

    def assign_label(self, user: str, card_id: int, label_id: int) -> Card:
        """F 1.7: twice puts it there twice; 500 on an archived card or for a label of another board, 403 for none."""
        card = self.card(user, card_id, "edit")
        label = self.label(user, label_id, "read")
        self._writable(card, archived=False)
        if label.board != self.board_of(card).id:
            raise not_allowed("Label does not exist.")
        card.labels.append(label_id)
        self.bump(card)
        return card

    def remove_label(self, user: str, card_id: int, label_id: int) -> Card:
        """F 1.7: takes all copies; one that is not on the card answers 200 and bumps all the same.

        A label that is not there at all is 403 (seen on Nextcloud 32.0.1, Deck 1.16.7).
        """
        card = self.card(user, card_id, "edit")
        self.label(user, label_id, "read")
        self._writable(card, archived=False)
        card.labels = [one for one in card.labels if one != label_id]
        self.bump(card)
        return card

    def assign_user(self, user: str, card_id: int, who: str) -> Card:
        """F 1.8: who is not on the board is refused."""
        card = self.card(user, card_id, "edit")
        if who != self.board_of(card).owner and who not in self.board_of(card).acl:
            raise Refusal(400, "The user is not part of the board")
        if who in card.assigned:
            raise Refusal(400, "The user is already assigned to the card")
        card.assigned.append(who)
        self.bump(card)
        return card

    def comment(self, user: str, card_id: int, text: str) -> Card:
        """F 5: readers may comment; bumps the card."""
        card = self.card(user, card_id, "read")
        card.comments.append(text)
        self.bump(card)
        return card

    # ---- listings --------------------------------------------------------------------------------------------

    def living_stacks(self, board_id: int) -> list[Stack]:
        """F 1.3: unsorted. Newest first here, so that nobody can rely on an order."""
        found = [stack for stack in self.stacks.values() if stack.board == board_id and not stack.deleted_at]
        return sorted(found, key=lambda stack: -stack.id)

    def listed(self, stack_id: int, *, archived: bool = False) -> list[Card]:
        """The cards of a stack that a listing shows, by order and id (F 1.3, 10)."""
        here = [card for card in self.cards.values() if card.stack == stack_id and not card.deleted_at]
        found = [card for card in here if card.archived is archived]
        return sorted(found, key=lambda card: (card.order, card.id))

    # ---- values ----------------------------------------------------------------------------------------------

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.clock.seconds(), UTC)

    def settle(self, card: Card) -> None:
        """F 1.6: the database keeps the wall clock and forgets the offset: 12:00+02:00 is 12:00+00:00 from now on."""
        for name in ("duedate", "startdate", "done"):
            moment = getattr(card, name)
            setattr(card, name, moment and moment.replace(tzinfo=UTC))
