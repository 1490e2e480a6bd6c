"""Killed at any point and started again, it ends as if it had not been killed: no duplicate, no loss (R17, R28, R29).

Once with a real `kill -9` of a process that talks to a real Radicale, at random requests, before and after the
server has acted and with the last request landing late; and once in this process, at every step, every
transaction and everything that is sent, with the ledger on SQLite.
"""

from __future__ import annotations

import os
import random
import signal
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from bridge import commands, config
from bridge.ledger import open_ledger
from bridge.sql_store import SqlStore
from bridge.sync import run_pass
from connectors.base import Connector
from tests.crashes import Crash, End, Points, Story, Tapped, TappedStore
from tests.go_between import GoBetween
from tests.radicale_server import Radicale

pytestmark = pytest.mark.radicale


@pytest.fixture(scope="module")
def undisturbed(radicale: Radicale, tmp_path_factory: pytest.TempPathFactory) -> tuple[End, int]:
    """How the story ends if nobody is killed, and how many requests the pass takes."""
    with GoBetween(radicale.port) as way:
        story = Story(radicale, tmp_path_factory.mktemp("ruhe"), way.url)
        way.counted()
        story.mirror.sync()
        asked = way.counted().total()
        assert story.comes_to_rest() == 1
    return story.end(), asked


TITLES = ["Bleibt", "Bleibt auch", "Gemeinsam", "Kind", "Mutter", "Netz", "Neue Mutter", "Neue Tochter", "Portal"]
TITLES += ["Von dort", "Weg"]


def test_the_story_ends_as_it_should(undisturbed: tuple[End, int]) -> None:
    """What the killed ones are compared with is right itself."""
    end, asked = undisturbed
    assert asked > 15
    assert [row[0] for row in end["entwicklung"]] == TITLES
    rows = {row[0]: row for row in end["rathaus"]}
    assert "Weg" not in rows
    assert rows["Neue Tochter"][-1] == "Neue Mutter"
    assert rows["Kind"][4] == "20261203"
    assert (rows["Netz"][3], rows["Netz"][4]) == ("1", "20261224")
    assert [row for row in end["entwicklung"] if row[1] != "CANCELLED"] == end["rathaus"]
    assert end["conflicts"] == [("due", "2026-12-03", "2026-12-02")]


# ---- kill -9 ----------------------------------------------------------------------------------------------------

SEEDS = [*range(6), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(6, 56))]


@pytest.mark.parametrize("seed", SEEDS)
def test_killed_at_a_random_moment(radicale: Radicale, tmp_path: Path, undisturbed: tuple[End, int], seed: int) -> None:
    expected, asked = undisturbed
    chance = random.Random(seed)
    number, fate = chance.randrange(asked), chance.choice(["", "refuse", "lose"])
    with GoBetween(radicale.port, before=0.01, after=0.01) as way:
        story = Story(radicale, tmp_path / "bruecke", way.url)
        way.counted()
        process = story.mirror.starts("sync")
        arrived: list[str] = []

        def kills(method: str, path: str) -> str:
            """The request is lost, carried out without an answer, or on its way when the sender is killed."""
            arrived.append(method)
            if len(arrived) - 1 == number:
                if fate == "":
                    way.before = chance.uniform(0, 0.5)  # it lands when the next pass is at work already
                os.kill(process.pid, signal.SIGKILL)
                return fate
            return "refuse" if len(arrived) - 1 > number else ""

        way.trouble = kills
        process.communicate(timeout=120)
        assert process.returncode == -signal.SIGKILL
        way.trouble = lambda method, path: ""
        way.before = way.after = 0
        passes = story.comes_to_rest()
    assert passes <= 3
    assert story.end() == expected


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_killed_again_and_again(radicale: Radicale, tmp_path: Path, undisturbed: tuple[End, int], seed: int) -> None:
    """Five kills in a row, each at a random moment of what the one before had left to do."""
    expected, asked = undisturbed
    chance = random.Random(1000 + seed)
    with GoBetween(radicale.port, before=0.01, after=0.01) as way:
        story = Story(radicale, tmp_path / "bruecke", way.url)
        for _ in range(5):
            left = chance.randrange(2, max(3, asked // 2))
            process = story.mirror.starts("sync")

            def kills(method: str, path: str, pid: int = process.pid, deadly: int = left + len(way.seen)) -> str:
                if len(way.seen) >= deadly:
                    os.kill(pid, signal.SIGKILL)
                    return chance.choice(["refuse", "lose"])
                return ""

            way.trouble = kills
            process.communicate(timeout=120)
            way.trouble = lambda method, path: ""
        way.before = way.after = 0
        story.comes_to_rest()
    assert story.end() == expected


# ---- in this process, everywhere --------------------------------------------------------------------------------


def one_pass(story: Story, points: Points) -> None:
    """One pass with points everywhere; whatever was not stored when it is killed is lost."""
    settings = config.load(story.mirror.settings, story.mirror.folder)
    peers = [
        replace(peer, connector=cast(Connector, Tapped(peer.connector, points))) for peer in commands.peers_of(settings)
    ]
    with open_ledger(settings.database_url) as store:
        run_pass(cast(SqlStore, TappedStore(store, points)), peers, step=points, threads=False)


@pytest.fixture(scope="module")
def points(radicale: Radicale, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Every point that the story's pass goes by."""
    all_of_them = Points()
    one_pass(Story(radicale, tmp_path_factory.mktemp("punkte")), all_of_them)
    return all_of_them.passed


def test_there_is_a_point_wherever_something_can_be_lost(points: list[str]) -> None:
    kinds = {"pull", "taken", "paired", "planned", "intent", "sent", "recorded", "learned"}
    kinds |= {f"{when} {what}" for when in ("before", "after") for what in ("pull", "create", "update", "commit")}
    assert kinds <= set(points)


SHARES = 12


@pytest.mark.parametrize("share", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in range(1, SHARES))])
def test_killed_at_every_point(
    radicale: Radicale, tmp_path: Path, undisturbed: tuple[End, int], points: list[str], share: int
) -> None:
    expected, _ = undisturbed
    for number in range(share, len(points), SHARES):
        story = Story(radicale, tmp_path / str(number))
        with pytest.raises(Crash):
            one_pass(story, Points(number))
        passes = story.comes_to_rest()
        assert story.end() == expected, f"killed at point {number}, {points[number]}"
        assert passes <= 3, f"killed at point {number}, {points[number]}"
