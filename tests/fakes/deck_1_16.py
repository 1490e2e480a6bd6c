"""What Deck 1.16 does otherwise than Deck 1.18: all of it was seen on Nextcloud 32.0.1 with Deck 1.16.7.

It looks at values itself and says in words what it misses, where 1.18 leaves that to PHP's types and answers with
an empty body; it takes an owner as an object and numbers as text; its answers to small writes are bare.
"""

from __future__ import annotations

from tests.fakes.deck_model import Json, Refusal, denied

SINCE_1_18 = frozenset({"startdate", "dependentCards", "isDoneColumn"})
_BARE = ("assignedUsers", "attachments", "attachmentCount")
_INNER: Json = {"descriptionPrev": None, "notified": False, "relatedBoard": None, "relatedStack": None}


def _missing(name: str, what: str) -> Refusal:
    return Refusal(400, f"{name} must be provided and must be {what}")


def taken(body: dict[str, Json], *, whole: bool) -> dict[str, Json]:
    """A card as it is taken: refused in words, or with text where text is stored. ``whole``: it is a PUT."""
    for name in ("title", "type", "owner") if whole else ("title",):
        if not str(body.get(name) or "").strip():
            raise _missing(name, "not empty")
    if not isinstance(body.get("order") or 0, int):
        raise _missing("order", "numeric")
    if body.get("stackId") == 0:
        raise denied()
    text = "" if body.get("description") is None else str(body["description"])
    stored = {name: value for name, value in body.items() if name not in SINCE_1_18}
    return {
        **stored,
        "title": str(body["title"]),
        "description": text,
        "type": body.get("type") or "plain",
        "owner": "ignored",
    }


def number(body: dict[str, Json], name: str) -> int:
    """An id in a body."""
    if not isinstance(body.get(name), int):
        raise _missing(name, "numeric")
    return int(body[name])


def shown(body: Json, route: str) -> Json:
    """An answer of Deck 1.18 as 1.16 gives it; text is sent as it is.

    ``route`` is the name of the method of `deck_routes.Routes`.
    """
    if route in ("assign_label", "remove_label"):
        return "null"
    if isinstance(body, list):
        return [shown(one, route) for one in body]
    if not isinstance(body, dict):
        return body
    found = {name: shown(value, route) for name, value in body.items() if name not in SINCE_1_18}
    if "stackId" in body:
        _card(found, route)
    if route == "make_label":
        found["lastModified"] = None
    if "acl" in body:
        found["activeSessions"] = []
        if route == "make_board":
            found["settings"] = []
    return found


def _card(found: dict[str, Json], route: str) -> None:
    """A card: without a colour, and with or without this and that, by route."""
    del found["color"]
    if route == "card":
        found["attachments"] = []
    if route in ("archive", "unarchive", "delete_card"):
        found.update(dict.fromkeys(_BARE), **_INNER)
        for name in ("overdue", "referenceData"):
            del found[name]
    if route == "archived":
        found.update(_INNER)
        for name in ("overdue", "referenceData"):
            del found[name]
        if found["labels"] is not None:
            more = {"boardId": None, "cardId": found["id"], "lastModified": None, "ETag": ""}
            found["labels"] = [{**label, **more} for label in found["labels"]]
