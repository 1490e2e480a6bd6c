"""Which board a connector is bound to, and what it remembers between two pulls and two runs.

A board is chosen once, by title or id; from then on its id counts, whatever people call it (R30).
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from connectors.errors import CursorExpired, NotACollection
from connectors.nextcloud_deck.shapes import Board
from connectors.nextcloud_deck.wire import Boards

GRAIN = 2
"""Seconds. Two changes within one second share an ETag (facts: nextcloud, section 2), so that a stamp which is
not older than this may still be used again."""


@dataclass(frozen=True)
class Cursor:
    """What may be believed of the last listing: the ETag of all boards, the stamp of ours; None if too fresh."""

    board: str
    tag: str | None = None
    modified: int | None = None

    @classmethod
    def after(cls, listing: Boards, board: Board) -> Cursor:
        """What to remember of a listing: only what nothing can happen under unseen any more."""
        limit = -1.0 if listing.date is None else listing.date - GRAIN
        settled = all(one.last_modified < limit for one in listing.boards)
        ours = board.last_modified if board.last_modified < limit else None
        return cls(str(board.id), listing.tag if settled else None, ours)

    @classmethod
    def read(cls, text: str | None, board: str) -> Cursor:
        """A cursor of ours, of this very board, or CursorExpired."""
        if text is None:
            return cls(board)
        try:
            found = cls(**json.loads(text))
        except (ValueError, TypeError):
            found = cls("")
        if found.board != board:
            raise CursorExpired("The cursor is not one of this board.")
        return found

    def text(self) -> str:
        """For the ledger."""
        return json.dumps(asdict(self))


@dataclass(frozen=True)
class Binding:
    """The board, our account's id and rights, and the setting that they were found by.

    ``since_1_18``: whether its cards have a start date at all.
    """

    setting: str
    board: str
    title: str
    user: str
    writable: bool
    manage: bool
    columns: bool
    since_1_18: bool

    @classmethod
    def to(cls, board: Board, setting: str, user: str) -> Binding:
        """What a listing says of the board."""
        return cls(
            setting,
            str(board.id),
            board.title,
            user,
            board.writable,
            board.may("MANAGE"),
            bool(board.columns),
            board.since_1_18,
        )

    @classmethod
    def remembered(cls, text: str | None, setting: str) -> Binding | None:
        """What an earlier run found, if it is the answer to the same question."""
        try:
            found = cls(**json.loads(text)) if text else None
        except (ValueError, TypeError):
            return None
        return found if found and found.setting == setting else None

    def text(self) -> str:
        """For the ledger."""
        return json.dumps(asdict(self))

    def _called(self, host: str) -> str:
        return f"the board “{self.title}” on {host}"

    def only_read(self, host: str) -> str:
        """Why nothing can be written."""
        return f"Our account may only read {self._called(host)}, or it is archived: nothing is written there."

    def warnings(self, host: str) -> tuple[str, ...]:
        """What people should know before the first pass."""
        board = self._called(host)
        said = (
            (not self.writable, self.only_read(host)),
            (self.writable and not self.manage, f"Our account may not manage {board}: it cannot make labels there."),
            (not self.columns, f"There is no list on {board}: no card can be made there."),
        )
        return tuple(text for holds, text in said if holds)


def choose(boards: Sequence[Board], wanted: str, host: str, setting: str) -> Board:
    """The board that a setting means: by id or exact title, else by the title as people write it."""
    wanted = wanted.strip()
    living = [board for board in boards if not board.deleted_at]

    def exact(board: Board) -> bool:
        return wanted in (board.title, str(board.id))

    def about(board: Board) -> bool:
        return folded(board.title) == folded(wanted)

    matchers: tuple[Callable[[Board], bool], ...] = (exact, about)
    for fits in matchers:
        chosen = [board for board in living if fits(board)]
        if len(chosen) == 1:
            return chosen[0]
        if chosen:
            ids = ", ".join(str(board.id) for board in chosen)
            raise NotACollection(
                f"{host} has several boards that {setting} may mean: write the id of one of them ({ids}).",
                found=_titles(chosen),
            )
    there = ", ".join(f"“{title}”" for title in _titles(living)) or "none"
    raise NotACollection(
        f"{host} shows our account no board “{wanted}” ({setting}); there is: {there}.", found=_titles(living)
    )


def folded(text: str) -> str:
    """A title as people compare it: composed, without case, blanks collapsed."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def _titles(boards: Sequence[Board]) -> tuple[str, ...]:
    return tuple(sorted(board.title for board in boards))
