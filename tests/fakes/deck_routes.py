"""The routes of Deck's REST interface and the shapes of their answers ("F 1.2" is facts/nextcloud.md, section 1.2)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.utils import parsedate_to_datetime

from tests.fakes import deck_1_16
from tests.fakes.deck_model import Board, Card, Json, Label, Refusal, Stack, etag, not_allowed, type_error
from tests.fakes.deck_world import World

# ---- shapes --------------------------------------------------------------------------------------------------


@dataclass
class Answer:
    """What goes over the wire. ``body`` str is sent as it is, None is empty, all else is JSON."""

    status: int
    body: Json = None
    tag: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


def moment(moment: datetime | None) -> str | None:
    """F 1.6: ISO 8601, +00:00 except in the answer to the very write that sent an offset."""
    return moment.isoformat(timespec="seconds") if moment else None


def _person(uid: str) -> Json:
    return {"primaryKey": uid, "uid": uid, "displayname": f"{uid.title()} Beispiel", "type": 0}


def _label(label: Label, *, reduced: bool = False) -> Json:
    short = {"id": label.id, "title": label.title, "color": label.color}
    return short if reduced else {**short, "boardId": label.board, "cardId": None, "lastModified": 0, "ETag": etag(0)}


def _stack(stack: Stack, cards: list[Json] | None = None) -> Json:
    shape = {
        "id": stack.id,
        "title": stack.title,
        "boardId": stack.board,
        "order": stack.order,
        "deletedAt": stack.deleted_at,
        "isDoneColumn": stack.done_column,
        "lastModified": stack.last_modified,
        "ETag": etag(stack.last_modified),
    }
    return {**shape, "cards": cards} if cards else shape  # F 2: the key is absent when there is none


def _board(world: World, board: Board, user: str, *, details: bool = True) -> Json:
    stacks = world.living_stacks(board.id) if details else []
    labels = [one for one in world.labels.values() if one.board == board.id] if details else []
    return {
        "id": board.id,
        "title": board.title,
        "owner": _person(board.owner),
        "color": "0087C5",
        "archived": board.archived,
        "labels": [_label(one) for one in labels],
        "acl": [{"participant": _person(who), "permissionEdit": "edit" in may} for who, may in board.acl.items()],
        "permissions": {
            "PERMISSION_READ": world.may(user, board, "read"),
            "PERMISSION_EDIT": world.may(user, board, "edit"),
            "PERMISSION_MANAGE": world.may(user, board, "manage"),
            "PERMISSION_SHARE": board.owner == user,
        },
        "users": [_person(who) for who in (board.owner, *board.acl)] if details else [],
        "stacks": [_stack(one) for one in stacks],  # F 2: stacks WITHOUT cards
        "deletedAt": board.deleted_at,
        "lastModified": board.last_modified,
        "settings": {"notify-due": "assigned", "calendar": True} if details else [],
        "ETag": etag(board.last_modified),
    }


def _card(world: World, card: Card, shape: str = "full") -> Json:
    """A card as "full" (GET, /stacks), "made" (POST), "stack" (single stack) or "archived" (/stacks/archived)."""
    labels: Json = [_label(world.labels[one]) for one in card.labels]
    people: Json = [
        {"id": n, "participant": _person(who), "cardId": card.id, "type": 0} for n, who in enumerate(card.assigned)
    ]
    owner: Json = _person(card.owner)
    dependent: Json = []
    if shape == "made":
        labels, people = [], []  # F 1.1: empty even when they were assigned
    elif shape == "stack":
        labels = None  # F 2: null says nothing here
    elif shape == "archived":
        # F 2: owner a plain string, assignees null, labels reduced, and null if there is none
        labels = [_label(world.labels[one], reduced=True) for one in card.labels] or None
        owner, people, dependent = card.owner, None, None
    return {
        "id": card.id,
        "title": card.title,
        "description": card.description,
        "stackId": card.stack,
        "type": card.type,
        "lastModified": card.last_modified,
        "lastEditor": card.last_editor,
        "createdAt": card.created_at,
        "labels": labels,
        "assignedUsers": people,
        "attachments": None,
        "attachmentCount": 0,
        "owner": owner,
        "order": card.order,
        "archived": card.archived,
        "done": moment(card.done),
        "duedate": moment(card.duedate),
        "startdate": moment(card.startdate),
        "color": card.color,
        "deletedAt": card.deleted_at,
        "commentsUnread": len(card.comments),
        "commentsCount": len(card.comments),
        "dependentCards": dependent,
        "overdue": 0,
        "referenceData": None,
        "ETag": etag(card.last_modified),
    }


# ---- routes --------------------------------------------------------------------------------------------------


class Routes:
    """One request of one account, below ``/index.php/apps/deck/api/vX``."""

    def __init__(
        self, world: World, user: str, body: Json, headers: dict[str, str], query: dict[str, list[str]]
    ) -> None:
        self.world, self.user = world, user
        self.older = world.release < (1, 18)
        self.body: dict[str, Json] = body if isinstance(body, dict) else {}
        self.headers, self.query = headers, query

    def answer(self, method: str, path: str) -> Answer:
        """Find the route. F 1.10: a wrong route or method is 405 with nothing in it."""
        for verb, pattern, name in TABLE:
            match = re.fullmatch(pattern, path)
            if match and verb == ("GET" if method == "HEAD" else method):
                found: Answer = getattr(self, name)(*(int(one) for one in match.groups()))
                return replace(found, body=deck_1_16.shown(found.body, name)) if self.older else found
        return Answer(405)

    def _since(self) -> int:
        """F 2: If-Modified-Since filters, strictly, and must be RFC 1123 with GMT."""
        text = self.headers.get("if-modified-since", "")
        if not text:
            return -1
        if not text.endswith(" GMT"):
            if self.older:
                raise type_error()
            raise not_allowed("Invalid If-Modified-Since header provided.")
        return int(parsedate_to_datetime(text).timestamp())

    def boards(self) -> Answer:
        since, details = self._since(), self.query.get("details") == ["true"]
        boards = [one for one in self.world.boards.values() if self.world.may(self.user, one, "read")]
        boards = [one for one in boards if one.last_modified > since]  # F 1.9, 2: the deleted are among them
        tags = json.dumps([f"{one.id}-{etag(one.last_modified)}" for one in boards])
        shapes = [_board(self.world, one, self.user, details=details) for one in boards]
        return Answer(200, shapes, tag=etag(tags))

    def make_board(self) -> Answer:
        board = self.world.add_board(self.user, str(self.body["title"]))
        return Answer(200, {**_board(self.world, board, self.user), "lastModified": 0})  # F 1.9

    def board(self, board_id: int) -> Answer:
        board = self.world.board(self.user, board_id)
        return Answer(200, _board(self.world, board, self.user), tag=etag(board.last_modified))

    def delete_board(self, board_id: int) -> Answer:
        board = self.world.board(self.user, board_id, "manage")
        board.deleted_at = self.world.clock.seconds()
        self.world.bump_board(board_id)
        return Answer(200, _board(self.world, board, self.user))

    def stacks(self, board_id: int) -> Answer:
        since = self._since()
        self.world.board(self.user, board_id)
        shapes = []
        for stack in self.world.living_stacks(board_id):
            cards = [_card(self.world, one) for one in self.world.listed(stack.id) if one.last_modified > since]
            shapes.append(_stack(stack, cards))
        return Answer(200, shapes)  # F 2: no ETag on this route

    def archived(self, board_id: int) -> Answer:
        self.world.board(self.user, board_id)
        shapes = []
        for stack in self.world.living_stacks(board_id):
            cards = self.world.listed(stack.id, archived=True)
            shapes.append(_stack(stack, [_card(self.world, one, "archived") for one in cards]))
        return Answer(200, shapes)

    def make_stack(self, board_id: int) -> Answer:
        if "title" not in self.body or "order" not in self.body:
            # F 1.9; the words were seen on Nextcloud 32.0.1, Deck 1.16.7
            raise Refusal(400, "order must be provided and must be numeric" if self.older else None)
        stack = self.world.add_stack(self.user, board_id, self.body["title"], int(self.body["order"]))
        return Answer(200, {**_stack(stack), "lastModified": 0})

    def stack(self, board_id: int, stack_id: int) -> Answer:
        stack = self.world.stack(self.user, stack_id, "read")
        cards = [_card(self.world, one, "stack") for one in self.world.listed(stack_id)]
        return Answer(200, _stack(stack, cards), tag=etag(stack.last_modified))

    def edit_stack(self, board_id: int, stack_id: int) -> Answer:
        return Answer(200, _stack(self.world.edit_stack(self.user, stack_id, self.body["title"], self.body["order"])))

    def delete_stack(self, board_id: int, stack_id: int) -> Answer:
        return Answer(200, _stack(self.world.delete_stack(self.user, stack_id)))

    def make_label(self, board_id: int) -> Answer:
        return Answer(
            200, _label(self.world.add_label(self.user, board_id, self.body["title"], self.body.get("color")))
        )

    def label(self, board_id: int, label_id: int) -> Answer:
        return Answer(200, _label(self.world.label(self.user, label_id, "read")))

    def edit_label(self, board_id: int, label_id: int) -> Answer:
        return Answer(
            200, _label(self.world.edit_label(self.user, label_id, self.body["title"], self.body.get("color")))
        )

    def delete_label(self, board_id: int, label_id: int) -> Answer:
        return Answer(200, _label(self.world.delete_label(self.user, label_id)))

    def make_card(self, board_id: int, stack_id: int) -> Answer:
        body = self._stored()
        if self.older and (body.get("labels") or body.get("users")):
            # The card is made, and its id is then looked for in vain (seen on Nextcloud 32.0.1, Deck 1.16.7).
            self.world.add_card(self.user, stack_id, {**body, "labels": [], "users": []})
            raise Refusal(400, "cardId must be provided and must be numeric")
        return self._wrote(self.world.add_card(self.user, stack_id, body), "made")  # F 1.1: 200, never 201

    def make_card_as_the_web_client(self) -> Answer:
        """F 1: an unversioned route of the web client. It takes the same, with the stack in the body."""
        if self.headers.get("ocs-apirequest") != "true":
            return Answer(412, {"message": "CSRF check failed"})
        return self._wrote(self.world.add_card(self.user, self._number("stackId"), self._stored()), "made")

    def card(self, board_id: int, stack_id: int, card_id: int) -> Answer:
        card = self.world.card(self.user, card_id, "read")
        return Answer(200, _card(self.world, card), tag=etag(card.last_modified))

    def put_card(self, board_id: int, stack_id: int, card_id: int) -> Answer:
        return self._wrote(self.world.put_card(self.user, stack_id, card_id, self._stored(whole=True)))

    def _wrote(self, card: Card, shape: str = "full") -> Answer:
        """F 1.6: the answer echoes the offset that was sent; the store drops it."""
        answer = Answer(200, _card(self.world, card, shape))
        self.world.settle(card)
        return answer

    def _stored(self, *, whole: bool = False) -> dict[str, Json]:
        """What this database and this release keep of a card that was sent."""
        body = deck_1_16.taken(self.body, whole=whole) if self.older else dict(self.body)
        if not self.world.database_4_byte and "description" in body:
            body["description"] = re.sub("[\U00010000-\U0010ffff]", "\ufffd", body["description"])
        return body

    def delete_card(self, board_id: int, stack_id: int, card_id: int) -> Answer:
        return Answer(200, _card(self.world, self.world.delete_card(self.user, card_id)))

    def assign_label(self, board_id: int, stack_id: int, card_id: int) -> Answer:
        return Answer(200, _card(self.world, self.world.assign_label(self.user, card_id, self._number("labelId"))))

    def remove_label(self, board_id: int, stack_id: int, card_id: int) -> Answer:
        return Answer(200, _card(self.world, self.world.remove_label(self.user, card_id, self._number("labelId"))))

    def archive(self, board_id: int, stack_id: int, card_id: int) -> Answer:
        return Answer(200, _card(self.world, self.world.archive(self.user, card_id, True)))

    def unarchive(self, board_id: int, stack_id: int, card_id: int) -> Answer:
        return Answer(200, _card(self.world, self.world.archive(self.user, card_id, False)))

    def reorder(self, board_id: int, stack_id: int, card_id: int) -> Answer:
        target = int(self.body.get("stackId", stack_id))
        cards = self.world.reorder(self.user, card_id, target, self._number("order"))
        return Answer(200, [_card(self.world, one) for one in cards])

    def _number(self, name: str) -> int:
        if self.older:
            return deck_1_16.number(self.body, name)
        if not isinstance(self.body.get(name), int):
            raise type_error()
        return int(self.body[name])


_BOARD, _STACK, _CARD = r"/boards/(\d+)", r"/boards/(\d+)/stacks/(\d+)", r"/boards/(\d+)/stacks/(\d+)/cards/(\d+)"
TABLE = (
    ("GET", "/boards", "boards"),
    ("POST", "/boards", "make_board"),
    ("GET", _BOARD, "board"),
    ("DELETE", _BOARD, "delete_board"),
    ("GET", _BOARD + "/stacks", "stacks"),
    ("POST", _BOARD + "/stacks", "make_stack"),
    ("GET", _BOARD + "/stacks/archived", "archived"),
    ("GET", _STACK, "stack"),
    ("PUT", _STACK, "edit_stack"),
    ("DELETE", _STACK, "delete_stack"),
    ("POST", _BOARD + "/labels", "make_label"),
    ("GET", _BOARD + r"/labels/(\d+)", "label"),
    ("PUT", _BOARD + r"/labels/(\d+)", "edit_label"),
    ("DELETE", _BOARD + r"/labels/(\d+)", "delete_label"),
    ("POST", _STACK + "/cards", "make_card"),
    ("POST", "/index.php/apps/deck/cards", "make_card_as_the_web_client"),
    ("GET", _CARD, "card"),
    ("PUT", _CARD, "put_card"),
    ("DELETE", _CARD, "delete_card"),
    ("PUT", _CARD + "/assignLabel", "assign_label"),
    ("PUT", _CARD + "/removeLabel", "remove_label"),
    ("PUT", _CARD + "/archive", "archive"),
    ("PUT", _CARD + "/unarchive", "unarchive"),
    ("PUT", _CARD + "/reorder", "reorder"),
)
