"""What a pass was given and has asked, before anything is decided."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bridge import exact
from bridge.outbox import Step
from bridge.state import Store
from bridge.station import Peer
from connectors.base import Changes, Identity


@dataclass
class Given:
    """What a pass was given and has asked before it decides: the same for every walk through it.

    ``whole`` names the connectors of which all contents were read, whatever their versions say (R6).

    ``held`` says whether the ledger's lease is still ours (R29); ``step`` is told where the pass stands.
    """

    store: Store
    peers: Sequence[Peer]
    clock: Callable[[], float]
    now: int
    run: int
    by_hand: bool
    threads: bool
    step: Step
    held: Callable[[], bool]
    identities: dict[str, Identity] = field(default_factory=dict)
    changes: dict[str, Changes] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)
    times: exact.Times = field(default_factory=dict)


@dataclass(frozen=True)
class Trouble:
    """Why a connector could not be read, and how many seconds it asked us to stay away."""

    sentence: str
    retry_after: float = 0.0
