"""How far each host's clock is ahead of ours (R3, R4). Pure.

A host's offset is an interval, narrowed by every answer that carries a `Date`, or by the times that our own writes
were given. Connectors on one host share one clock, so offsets cancel between them; and an offset that still fits
is kept, so that two edits on one server are never reordered by a better estimate.
"""

from __future__ import annotations

from collections.abc import Iterable

Interval = tuple[float, float]

TRUSTED = 1.5
"""Seconds that a clock may be off, either way, before the offset is taken for real: the grain of `Date`."""


def narrowed(intervals: Iterable[Interval]) -> Interval | None:
    """What all of them allow; the last one alone where they contradict each other (the clock was set)."""
    result: Interval | None = None
    for low, high in intervals:
        if result is None or max(result[0], low) > min(result[1], high):
            result = (low, high)
        else:
            result = (max(result[0], low), min(result[1], high))
    return result


def offset(before: float, interval: Interval | None) -> tuple[float, float | None]:
    """The offset to use, and its uncertainty in seconds. An offset that still fits is kept."""
    if interval is None:
        return before, None
    low, high = interval
    error = (high - low) / 2
    if low - TRUSTED <= before <= high + TRUSTED:
        return before, error
    if low - TRUSTED <= 0 <= high + TRUSTED:
        return 0.0, error
    return round((low + high) / 2), error
