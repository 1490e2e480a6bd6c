"""What is remembered of a calendar between two pulls: its sync-token, and the UIDs of oddly named objects."""

from __future__ import annotations

import json
from collections.abc import Mapping

from connectors.errors import CursorExpired


def stem(name: str) -> str:
    """The UID that an object is named after, if it is ours."""
    return name.removesuffix(".ics")


def opened(cursor: str | None) -> tuple[str, dict[str, str]]:
    """The sync-token in a cursor ("" for none), and the UIDs of oddly named objects."""
    if not cursor or not cursor.startswith("{"):
        return cursor or "", {}
    try:
        found = json.loads(cursor)
        return str(found["token"]), {str(name): str(uid) for name, uid in found["names"].items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        raise CursorExpired("The cursor of this calendar cannot be read.") from None


def closed(token: str, names: Mapping[str, str]) -> str | None:
    """The cursor: the bare token as long as every object is named after its UID."""
    odd = {name: uid for name, uid in names.items() if name != uid + ".ics"}
    return json.dumps({"token": token, "names": odd}, sort_keys=True, ensure_ascii=False) if odd else token or None
