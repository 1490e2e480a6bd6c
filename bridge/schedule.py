"""The pass on a schedule: APScheduler keeps the time, one pass runs at a time, SIGTERM ends it cleanly.

A run that was missed because the one before took long is run once, not many times. At SIGTERM nothing new is sent;
what is under way ends or is left as an intent that the next pass resolves (R17, R28).
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable
from datetime import datetime
from types import FrameType

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from bridge.config import Settings
from bridge.cron import cron_trigger

Beat = Callable[[Callable[[], bool]], None]


def keep_time(settings: Settings, beat: Beat) -> None:
    """Call ``beat`` at once and then on schedule, until SIGTERM or SIGINT. It is told whether to go on."""
    ending = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        ending.set()

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, end)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # a pass that outlasts the interval is no news
    scheduler = BackgroundScheduler(timezone=settings.zone)
    trigger = (
        cron_trigger(settings.schedule, settings.zone)
        if settings.schedule
        else IntervalTrigger(seconds=settings.interval, timezone=settings.zone)
    )
    scheduler.add_job(
        beat,
        trigger,
        args=[lambda: not ending.is_set()],
        max_instances=1,
        coalesce=True,
        misfire_grace_time=None,
        next_run_time=datetime.now(settings.zone),
    )
    scheduler.start()
    ending.wait()
    scheduler.shutdown(wait=True)
