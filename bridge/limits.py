"""How much may change in a collection within a day before a person is asked (R23), and how records are released."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Thresholds:
    """More than the greater of the two is held: an absolute number, and a share of the collection (0 to 1)."""

    destroyed: tuple[int, float] = (3, 0.10)
    made: tuple[int, float] = (50, 0.50)


USUAL = Thresholds()
"""Where nothing is set."""

Release = Literal["archive", "delete", "leave"]
"""What becomes of a record whose item leaves its connector's scope."""
