"""Requests and seconds on a real Radicale: a first mirror, a pass with nothing changed, and one changed task.

A program and not a test, since times depend on the machine. To repeat it::

    python -m tests.bench_radicale              # 1,000 tasks
    python -m tests.bench_radicale --tasks 200

It starts a Radicale of its own on loopback, fills one calendar, leaves another empty, and runs the command in a
process of its own each time: "pass" is what `sync` says of itself, "command" includes starting Python, and "CPU" is
what the command alone computed. Every changing pass is followed by a look at what is there.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.mirror import Desk, Mirror, ics
from tests.radicale_server import Radicale


@dataclass(frozen=True)
class Measured:
    """One pass: what it took, and what it asked of each calendar."""

    name: str
    passed: float
    command: float
    cpu: float
    requests: dict[str, int]
    written: int


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description="Requests and seconds of a mirror between two calendars.")
    parser.add_argument("--tasks", type=int, default=1000, metavar="N", help="tasks in the first calendar")
    tasks = parser.parse_args().tasks
    with Radicale() as server, tempfile.TemporaryDirectory() as folder:
        full, empty = Desk(server), Desk(server)
        for number in range(tasks):
            fill(full, number)
        mirror = Mirror(Path(folder), voll=full, leer=empty)
        rows = [measured(mirror, f"first mirror of {tasks} tasks", "--accept")]
        assert len(empty.all()) == tasks
        rows.append(measured(mirror, "nothing changed"))
        full.edits(f"Aufgabe {tasks // 2}", "DUE;VALUE=DATE:20270101")
        rows.append(measured(mirror, "one changed task"))
        assert empty.task(f"Aufgabe {tasks // 2}")["DUE"] == "20270101"
        rows.append(measured(mirror, "nothing changed"))
    print(table(rows))


def fill(desk: Desk, number: int) -> None:
    """One task with what tasks usually have."""
    uid = f"aufgabe-{number:05}"
    parent = [f"RELATED-TO:aufgabe-{number // 10 * 10:05}"] if number % 10 else []
    lines = [
        f"SUMMARY:Aufgabe {number}",
        f"DESCRIPTION:Was zu tun ist\\nund warum\\, Nummer {number}",
        f"DUE;VALUE=DATE:2026{number % 12 + 1:02}15",
        f"PRIORITY:{(0, 1, 5, 9)[number % 4]}",
        f"CATEGORIES:IT,Amt {number % 7}",
        *parent,
    ]
    desk.stores(uid, ics(uid, *lines), ago=1000)


def measured(mirror: Mirror, name: str, *words: str) -> Measured:
    """Run one sync and keep what it took."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    process = mirror.starts("sync", "--json", *words)
    out, err = process.communicate()
    wall, after = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise SystemExit(f"{name} ended {process.returncode}:\n{err.decode()}")
    told = json.loads(out)
    return Measured(
        name,
        told["seconds"],
        wall,
        after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        {one: said["requests"] for one, said in told["connectors"].items()},
        sum(said["created"] + said["updated"] + said["deleted"] for said in told["connectors"].values()),
    )


def table(rows: list[Measured]) -> str:
    """The measurements as text."""
    head = ("", "written", "requests", "pass s", "command s", "CPU s")
    body = [
        (
            row.name,
            str(row.written),
            " + ".join(str(number) for number in row.requests.values()),
            f"{row.passed:.2f}",
            f"{row.command:.2f}",
            f"{row.cpu:.2f}",
        )
        for row in rows
    ]
    widths = [max(len(line[at]) for line in (head, *body)) for at in range(len(head))]
    lines = [
        "  ".join(
            cell.rjust(width) if at else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in (head, *body)
    ]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


if __name__ == "__main__":
    main()
