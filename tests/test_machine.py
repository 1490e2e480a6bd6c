"""What must be proven, over random histories of three platforms, people, faults, crashes and late commits.

Every property of the specification is judged by `tests.oracles` from outside. A run of `make test` plays a few
dozen histories of each kind; the ones marked slow play thousands.
"""

from __future__ import annotations

import copy
import itertools
import os
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bridge.reading import QUARANTINE
from connectors.memory_platform import Entry
from tests.oracles import exceptions, faults
from tests.player import Player
from tests.provenance import REFERENCES
from tests.random_histories import NAMES, History, Sync, Tick, histories, shortened
from tests.random_histories import history as make
from tests.world import World

QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def few(examples: int, *, fixed: bool = False) -> settings:
    """So many histories: ``fixed`` ones are the same in every run, the others new ones each time, but for CI.

    What stands between a change and main must not fail by chance: there the thousands are the same every time.
    """
    # `shortened` shortens; Hypothesis would only shrink seeds.
    phases = [Phase.explicit, Phase.reuse, Phase.generate]
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=fixed or "CI" in os.environ,
        suppress_health_check=QUIET,
        print_blob=False,
        phases=phases,
    )


def judged(check: Callable[[History], None], history: History) -> None:
    """Run the check; a failure is told with the shortest history that shows it."""

    def fails(shorter: History) -> bool:
        try:
            check(shorter)
        except Exception:
            return True
        return False

    try:
        check(history)
    except Exception as first:
        shortest = shortened(history, fails)
        try:
            check(shortest)
        except Exception as last:
            raise AssertionError(f"{last}\n{shortest.told()}") from last
        raise AssertionError(f"{first}\n{history.told()}") from first


def comes_to_rest(world: World) -> None:
    """When people stop and all is landed, it is as it must be, and stays so without another write."""
    world.settle()
    found = faults(world)
    assert not found, "; ".join(found)
    before, listed, picture = world.writes, exceptions(world), world.picture()
    world.passes(1)
    world.sync()
    assert world.writes == before, "still writing"
    assert exceptions(world) == listed, "what is listed is not stable"
    assert world.picture() == picture, "values still move"


def check_convergence(history: History) -> None:
    player = Player(history)
    comes_to_rest(player.world)


def ends(world: World, *, unmade: bool = False) -> object:
    """The end as people see it, however the records are called, and whichever of two paired ones was first.

    ``unmade``: records that we made and archived again do not count, for they may not have been made in time.
    """
    world.settle()
    provenance = world.provenance

    def called(name: str, native_id: str) -> str:
        return min(provenance.kin(provenance.tag(name, native_id)))

    def shown(name: str, entry: Entry) -> str:
        cells = provenance.cells(name, entry.fields)
        for cell in REFERENCES:
            cells[cell] = called(name, str(entry.fields[cell])) if entry.fields.get(cell) else None
        return str((called(name, entry.id), entry.fields["archived"], sorted(map(str, cells.items()))))

    def counts(entry: Entry) -> bool:
        return not (unmade and entry.ours and entry.fields["archived"])

    seen = {
        name: sorted(shown(name, one) for one in platform.listing() if counts(one))
        for name, platform in world.platforms.items()
    }
    return seen, sorted((sorted(provenance.tags_of(item.id)), item.dead) for item in world.store.all_items())


def check_order(history: History) -> None:
    first, *others = ("".join(order) for order in itertools.permutations(NAMES))
    expected = ends(Player(history, order=first).world)
    for order in others:
        assert ends(Player(history, order=order).world) == expected, f"{order} ends otherwise than {first}"


def check_crash(history: History) -> None:
    """Killed and started again, it ends as if it had not been killed; a create may wait out its quarantine."""
    again = (Tick(QUARANTINE + 1), Sync(), Sync())
    events = [(event, *again) if isinstance(event, Sync) else (event,) for event in history.events]
    longer = History(history.skews, tuple(itertools.chain(*events)))
    killed, spared = Player(longer, faults=False), Player(longer, crashes=False, faults=False)
    if killed.done == spared.done:
        ended = [ends(player.world, unmade=True) for player in (killed, spared)]
        assert ended[0] == ended[1], "it ends otherwise than if it had not been killed"


def check_dry(history: History) -> None:
    """A plan stores nothing and sends nothing, wherever it is asked for."""
    player = Player(History(history.skews))
    world = player.world
    for event in history.events:
        player.play(event)
        kept, writes, picture = copy.deepcopy(vars(world.store)["_links"]._kept), world.writes, world.picture()
        saves = world.store.saves
        world.sync(dry=True)
        assert (world.store.saves, world.writes, world.picture()) == (saves, writes, picture), "a plan left a trace"
        assert vars(world.store)["_links"]._kept == kept, "a plan changed the ledger"


@few(60, fixed=True)
@given(histories())
def test_calm_histories_come_to_rest(history: History) -> None:
    judged(check_convergence, history)


@few(60, fixed=True)
@given(histories(hostile=True))
def test_hostile_histories_come_to_rest(history: History) -> None:
    judged(check_convergence, history)


@few(20, fixed=True)
@given(histories(rounds=3))
def test_the_order_of_taking_in_does_not_matter(history: History) -> None:
    judged(check_order, history)


@few(40, fixed=True)
@given(histories(hostile=True, rounds=3))
def test_killed_at_any_point_it_ends_as_if_it_had_not_been(history: History) -> None:
    judged(check_crash, history)


@pytest.mark.parametrize("about", ["scopes", "secrets"])
@few(40, fixed=True)
@given(st.integers(0, 2**48), st.booleans())
def test_items_wander_in_and_out_of_scopes_and_nothing_dies_or_leaks(about: str, seed: int, hostile: bool) -> None:
    judged(check_convergence, make(seed, hostile=hostile, about=about))


@few(20, fixed=True)
@given(histories(hostile=True, rounds=3))
def test_dry_means_dry(history: History) -> None:
    judged(check_dry, history)


@pytest.mark.slow
@few(2_000)
@given(histories(rounds=5))
def test_two_thousand_calm_histories(history: History) -> None:
    judged(check_convergence, history)


@pytest.mark.slow
@few(2_000)
@given(histories(hostile=True, rounds=5))
def test_two_thousand_hostile_histories(history: History) -> None:
    judged(check_convergence, history)


@pytest.mark.slow
@pytest.mark.parametrize("about", ["scopes", "secrets"])
@few(600)
@given(st.integers(0, 2**48), st.booleans())
def test_many_items_wander(about: str, seed: int, hostile: bool) -> None:
    judged(check_convergence, make(seed, hostile=hostile, rounds=5, about=about))


@pytest.mark.slow
@few(150)
@given(histories(rounds=4))
def test_many_orders(history: History) -> None:
    judged(check_order, history)


@pytest.mark.slow
@few(400)
@given(histories(hostile=True, rounds=4))
def test_many_crashes(history: History) -> None:
    judged(check_crash, history)
