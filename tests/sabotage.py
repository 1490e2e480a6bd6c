"""Break every rule in the code, one at a time, and see that a test notices: ``python -m tests.sabotage [RULE ...]``.

A test-suite is good when breaking each rule in the code makes some test fail. Every sabotage names the rule, the
file, the exact text that is replaced, and the tests that are expected to notice. They run on a copy of the tree; a
sabotage whose text is not there any more, or that no test notices, fails the whole script.
"""

from __future__ import annotations

import concurrent.futures
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from tests.sabotages import SABOTAGES, Sabotage

ROOT = Path(__file__).parent.parent
NEEDED = ("bridge", "connectors", "mappings", "tests", "pyproject.toml", ".env.example")
SECONDS = 300


def main(rules: list[str]) -> int:
    """Try them all, or those of the rules named; 1 if any was not noticed."""
    chosen = [one for one in SABOTAGES if not rules or one.rule in rules]
    healthy = _run(str(ROOT), sorted({test for one in chosen for test in one.tests}), "--maxfail=1000")
    if healthy.returncode != 0:
        print(healthy.stdout, "! these tests fail already, so they cannot notice anything", sep="\n")
        return 1
    survived = 0
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        for one, noticed in zip(chosen, pool.map(tried, chosen), strict=True):
            survived += noticed.startswith("!")
            print(f"{one.rule:<4} {one.what:<74} {noticed}", flush=True)
    rules_broken = {one.rule for one in chosen}
    print(
        f"\n{len(chosen)} sabotages of {len(rules_broken)} rules, {survived} not noticed, "
        f"{time.monotonic() - began:.0f} s"
    )
    return int(survived > 0)


def tried(sabotage: Sabotage) -> str:
    """Break a copy of the tree and run the tests; the one that noticed, or a line that starts with "!"."""
    with tempfile.TemporaryDirectory(prefix="sabotage-") as folder:
        for name in NEEDED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, Path(folder, name), symlinks=True, ignore=_ignored)
            else:
                shutil.copy(source, Path(folder, name))
        path = Path(folder, sabotage.file)
        text = path.read_text(encoding="utf-8")
        if text.count(sabotage.old) != 1:
            return f"! the text is there {text.count(sabotage.old)} times in {sabotage.file}"
        path.write_text(text.replace(sabotage.old, sabotage.new), encoding="utf-8")
        return _noticed_by(folder, sabotage)


def _noticed_by(folder: str, sabotage: Sabotage) -> str:
    try:
        run = _run(folder, sabotage.tests, "-x")
    except subprocess.TimeoutExpired:
        return "a test that did not end"
    failed = [line.split(" - ")[0].split("::")[-1] for line in run.stdout.splitlines() if line.startswith("FAILED")]
    if run.returncode == 1 and failed:
        return failed[0]
    tail = (run.stdout.strip() or run.stderr.strip()).splitlines()[-1:]
    return f"! pytest ended {run.returncode}: {' '.join(tail)}"


def _run(folder: str, tests: Iterable[str], *options: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-n0",
        "-m",
        "not slow",
        *options,
        *tests,
    ]
    environment = {**os.environ, "PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=SECONDS)


def _ignored(folder: str, names: list[str]) -> set[str]:
    return {name for name in names if name in ("__pycache__", ".hypothesis", "demo") or name.endswith(".db")}


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
