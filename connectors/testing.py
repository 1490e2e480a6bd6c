"""The contract every connector keeps: one test per promise of `connectors.base`, for third parties' plugins too.

Supply a platform and inherit; the tests come along::

    class TestMine(ConnectorContract):
        @pytest.fixture
        def platform(self):
            yield MyPlatform()          # a fresh, empty collection for every test; see `Platform`

What a connector cannot do, by its own `Abilities`, is skipped with a reason; what `Platform` marks as optional
too. Nothing here sleeps: two edits within one second have to be told apart.

To see the values of a failed assert, say ``pytest.register_assert_rewrite("connectors.testing")`` in conftest.py.
"""

# ruff: noqa: D102 - a test's name is its sentence

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

import pytest

from connectors.base import (
    Alive,
    Changes,
    Connector,
    Fields,
    Gone,
    HasTraffic,
    Hidden,
    ListsCollections,
    Native,
    Record,
    Ref,
)
from connectors.errors import CursorExpired, NotFound, PlatformError, VersionMismatch


class Platform(Protocol):
    """What the contract needs to know of a platform, and to do on it behind the bridge's back.

    Optional besides: ``text_field`` (a native field of several lines), ``comment(native_id)`` (something people do
    to a record that changes none of its fields), ``expired_cursor`` (one that the platform no longer knows),
    ``secrets`` (strings that no message may show).
    """

    title_field: str
    sample_fields: Fields
    """A value to write for every native field of interest, the title's left out."""

    def connect(self) -> Connector:
        """A fresh connector to the collection, not yet identified."""
        ...

    def add(self, title: str) -> str:
        """A person makes a record; its native id."""
        ...

    def edit(self, native_id: str, field: str, value: Native) -> None:
        """A person changes one native field of a record."""
        ...

    def remove(self, native_id: str) -> None:
        """A person deletes a record for good."""
        ...


TEXTS = (
    "Fördermittel für Straßen & Gäßchen",
    "“Digitale” Strategie – „Aachen“ ‚heute‘",
    "Cafe\u0301 and Caf\u00e9: decomposed and composed",
    "👩‍💻 testet 🚀 𝔘nicode 漢字 עברית",
    "Semi;colon, comma, back\\slash, \\n no line end, 100 % <b>&amp;</b>",
    "[Entwurf] #12 @alle *fett* _kursiv_ `code`: x=y?",
    "x" * 200,
)
LONG_TEXT = "\n".join(f"{number}. Zeile: äöü ß “quoted”, with; signs \\ and\ttabs" for number in range(400))


class ConnectorContract:
    """Inherit from this; see the module's docstring."""

    @pytest.fixture
    def platform(self) -> Platform:
        """A fresh, empty collection: the subclass supplies it."""
        raise NotImplementedError("the subclass supplies the fixture `platform`")

    @pytest.fixture
    def connector(self, platform: Platform) -> Connector:
        """A connector that is ready to work."""
        return ready(platform)

    # ---- identity --------------------------------------------------------------------------------------------

    def test_identity_is_the_same_every_time(self, platform: Platform) -> None:
        one, other = platform.connect().identify(), platform.connect().identify()
        assert one == other
        assert all((one.type, one.host, one.collection, one.title))
        assert one.writable

    def test_identity_from_memory_is_the_same(self, platform: Platform) -> None:
        first, second = platform.connect(), platform.connect()
        identity = first.identify()
        assert second.identify(first.memory()) == identity

    def test_what_is_remembered_needs_no_request(self, platform: Platform) -> None:
        first, second = platform.connect(), platform.connect()
        first.identify()
        remembered = first.memory()
        if remembered is None or not isinstance(second, HasTraffic):
            pytest.skip("this connector remembers nothing, or does not count")
        second.identify(remembered)
        assert second.requests == 0
        assert second.pull(None, {}).complete

    def test_what_is_offered_has_a_title_and_a_name_of_its_own(self, platform: Platform) -> None:
        connector = platform.connect()
        if not isinstance(connector, ListsCollections):
            pytest.skip("this connector lists no collections")
        offers, bound = connector.collections(), platform.connect().identify()
        ours = [one for one in offers if bound.collection == one.name or bound.title in (one.title, one.name)]
        assert all(one.title for one in offers)
        assert len({one.name for one in offers}) == len(offers)
        assert all(one.writable is not False for one in ours)

    # ---- pulling ---------------------------------------------------------------------------------------------

    def test_an_empty_collection_is_a_complete_listing(self, connector: Connector) -> None:
        changes = connector.pull(None, {})
        assert changes.complete
        assert changes.records == ()
        assert changes.present == frozenset()

    def test_the_first_pull_lists_everything(self, platform: Platform) -> None:
        ids = {platform.add(title): title for title in ("eins", "zwei", "drei")}
        connector = platform.connect()
        collection = connector.identify().collection
        changes = connector.pull(None, {})
        assert changes.complete
        assert changes.present == set(ids)
        assert {record.ref.native_id: shown(record)[platform.title_field] for record in changes.records} == ids
        assert all(record.version and record.collection == collection for record in changes.records)
        assert len({record.ref for record in changes.records}) == 3

    def test_known_versions_are_left_out_and_still_present(self, platform: Platform, connector: Connector) -> None:
        old, new = platform.add("alt"), platform.add("neu")
        versions = versions_of(connector.pull(None, {}))
        changes = connector.pull(None, {old: versions[old], new: "another"})
        assert [record.ref.native_id for record in changes.records] == [new]
        assert changes.present == {old, new}

    def test_a_quiet_pull_brings_nothing(self, platform: Platform, connector: Connector) -> None:
        platform.add("eins")
        before = connector.pull(None, {})
        after = connector.pull(before.cursor, versions_of(before))
        assert after.records == ()

    def test_a_quiet_delta_is_empty_for_a_fresh_process_too(self, platform: Platform, connector: Connector) -> None:
        platform.add("eins")
        before = connector.pull(None, {})
        fresh = platform.connect()
        fresh.identify(connector.memory())
        assert fresh.pull(before.cursor, versions_of(before)).records == ()

    def test_an_addition_comes_with_the_next_pull(self, platform: Platform, connector: Connector) -> None:
        platform.add("eins")
        before = connector.pull(None, {})
        new = platform.add("zwei")
        after = connector.pull(before.cursor, versions_of(before))
        assert [record.ref.native_id for record in after.records] == [new]

    def test_an_edit_comes_with_the_next_pull_and_alone(self, platform: Platform, connector: Connector) -> None:
        ids = [platform.add(title) for title in ("eins", "zwei", "drei")]
        before = connector.pull(None, {})
        platform.edit(ids[1], platform.title_field, "zwei, geändert")
        after = connector.pull(before.cursor, versions_of(before))
        assert [(record.ref.native_id, shown(record)[platform.title_field]) for record in after.records] == [
            (ids[1], "zwei, geändert")
        ]

    def test_edits_within_one_second_are_all_seen(self, platform: Platform, connector: Connector) -> None:
        native_id = platform.add("null")
        changes = connector.pull(None, {})
        versions = versions_of(changes)
        for title in ("eins", "zwei", "drei"):
            platform.edit(native_id, platform.title_field, title)
            changes = connector.pull(changes.cursor, versions)
            assert [shown(record)[platform.title_field] for record in changes.records] == [title]
            versions |= versions_of(changes)

    def test_time_runs_forward(self, platform: Platform, connector: Connector) -> None:
        native_id = platform.add("eins")
        before = find(connector, native_id)
        platform.edit(native_id, platform.title_field, "zwei")
        after = find(connector, native_id)
        assert after.ref == before.ref
        if before.modified_at is not None and after.modified_at is not None:
            assert after.modified_at >= before.modified_at

    def test_a_removed_record_is_a_tombstone_or_absent(self, platform: Platform, connector: Connector) -> None:
        gone, stays = platform.add("geht"), platform.add("bleibt")
        before = connector.pull(None, {})
        platform.remove(gone)
        after = connector.pull(before.cursor, versions_of(before))
        tombstones = {record.ref.native_id for record in after.records if record.fields is None}
        if after.complete:
            assert after.present == {stays}
        elif after.delta:
            assert tombstones == {gone}
        assert stays not in tombstones

    def test_a_comment_changes_no_field(self, platform: Platform, connector: Connector) -> None:
        comment: Callable[[str], None] | None = getattr(platform, "comment", None)
        if comment is None:
            pytest.skip("people cannot comment on this platform")
        native_id = platform.add("eins")
        before = find(connector, native_id)
        comment(native_id)
        assert find(connector, native_id).fields == before.fields

    def test_an_expired_cursor_is_said(self, platform: Platform, connector: Connector) -> None:
        cursor = getattr(platform, "expired_cursor", None)
        if cursor is None:
            pytest.skip("cursors do not expire on this platform")
        with pytest.raises(CursorExpired):
            connector.pull(cursor, {})

    # ---- creating --------------------------------------------------------------------------------------------

    def test_a_created_record_is_returned_as_read_back(self, platform: Platform, connector: Connector) -> None:
        made = connector.create({platform.title_field: "eins"}, "mark-1")
        assert shown(made)[platform.title_field] == "eins"
        read = find(connector, made.ref.native_id)
        assert (read.ref, read.fields, read.version) == (made.ref, made.fields, made.version)

    def test_a_created_record_is_there_once(self, platform: Platform, connector: Connector) -> None:
        before = connector.pull(None, {})
        made = connector.create({platform.title_field: "eins"}, "mark-1")
        ids = [record.ref.native_id for record in ready(platform).pull(None, {}).records]
        assert ids == [made.ref.native_id]
        delta = connector.pull(before.cursor, {made.ref.native_id: made.version})
        assert delta.records == ()

    def test_a_created_record_shows_the_defaults(self, platform: Platform, connector: Connector) -> None:
        made = connector.create({platform.title_field: "eins"}, "mark-1")
        defaults = {**connector.abilities.defaults, platform.title_field: "eins"}
        assert {name: shown(made)[name] for name in defaults if name in shown(made)} == {
            name: value for name, value in defaults.items() if name in shown(made)
        }

    def test_create_takes_the_fields_that_it_says(self, platform: Platform, connector: Connector) -> None:
        takes = connector.abilities.create_fields
        sample = {name: value for name, value in platform.sample_fields.items() if takes is None or name in takes}
        made = connector.create({platform.title_field: "eins", **sample}, "mark-1")
        read = find(ready(platform), made.ref.native_id)
        for name, value in sample.items():
            assert_alike(connector, name, value, shown(made)[name])
            assert shown(read)[name] == shown(made)[name]

    def test_equal_titles_are_different_records(self, platform: Platform, connector: Connector) -> None:
        one = connector.create({platform.title_field: "eins"}, "mark-1")
        other = connector.create({platform.title_field: "eins"}, "mark-2")
        assert one.ref != other.ref
        assert len(connector.pull(None, {}).records) == 2

    def test_a_mark_stays_with_its_record(self, platform: Platform, connector: Connector) -> None:
        if not connector.abilities.marks:
            pytest.skip("this platform has no place for marks")
        made = connector.create({platform.title_field: "eins"}, "mark-1")
        assert made.mark == "mark-1"
        platform.edit(made.ref.native_id, platform.title_field, "zwei")
        assert find(ready(platform), made.ref.native_id).mark == "mark-1"

    def test_the_same_mark_twice_makes_one_record(self, platform: Platform, connector: Connector) -> None:
        if not connector.abilities.client_ids:
            assert connector.id_of("mark-1") == ""
            pytest.skip("ids are the platform's own")
        made = connector.create({platform.title_field: "eins"}, "mark-1")
        assert made.ref.native_id == connector.id_of("mark-1")
        platform.edit(made.ref.native_id, platform.title_field, "zwei")
        again = ready(platform).create({platform.title_field: "eins"}, "mark-1")
        assert again.ref == made.ref
        assert shown(again)[platform.title_field] == "zwei"
        assert len(connector.pull(None, {}).records) == 1

    # ---- updating --------------------------------------------------------------------------------------------

    def test_an_update_is_returned_as_read_back(self, platform: Platform, connector: Connector) -> None:
        before = find(connector, platform.add("eins"))
        after = connector.update(before.ref, {platform.title_field: "zwei"}, before.version)
        read = find(ready(platform), before.ref.native_id)
        assert shown(after)[platform.title_field] == "zwei"
        assert (after.ref, after.fields, after.version) == (read.ref, read.fields, read.version)

    def test_an_update_changes_only_the_fields_named(self, platform: Platform, connector: Connector) -> None:
        record = find(connector, platform.add("eins"))
        for name, value in platform.sample_fields.items():
            before = shown(record)
            record = connector.update(record.ref, {name: value}, record.version)
            assert_alike(connector, name, value, shown(record)[name])
            assert {**shown(record), name: None} == {**before, name: None}
        assert shown(find(ready(platform), record.ref.native_id)) == shown(record)

    def test_all_fields_at_once(self, platform: Platform, connector: Connector) -> None:
        record = find(connector, platform.add("eins"))
        fields = {platform.title_field: "zwei", **platform.sample_fields}
        record = connector.update(record.ref, fields, record.version)
        for name, value in fields.items():
            assert_alike(connector, name, value, shown(record)[name])

    def test_a_cleared_field_is_empty_and_not_absent(self, platform: Platform, connector: Connector) -> None:
        record = find(connector, platform.add("eins"))
        for name, value in platform.sample_fields.items():
            empty = connector.abilities.defaults.get(name, value)
            if empty not in (None, "", ()):
                continue  # a field that is never empty, such as a column
            record = connector.update(record.ref, {name: value}, record.version)
            record = connector.update(record.ref, {name: empty}, record.version)
            assert name in shown(record)
            assert_alike(connector, name, empty, shown(record)[name])
            assert shown(find(ready(platform), record.ref.native_id))[name] == shown(record)[name]

    def test_somebody_elses_edit_is_not_overwritten(self, platform: Platform, connector: Connector) -> None:
        before = find(connector, platform.add("eins"))
        platform.edit(before.ref.native_id, platform.title_field, "von Hand")
        for each in (connector, ready(platform)):
            with pytest.raises(VersionMismatch) as failure:
                each.update(before.ref, {platform.title_field: "von uns"}, before.version)
            fresh = failure.value.record
            assert isinstance(fresh, Record)
            assert shown(fresh)[platform.title_field] == "von Hand"
            assert fresh.version != before.version
        assert shown(find(connector, before.ref.native_id))[platform.title_field] == "von Hand"

    def test_a_record_read_by_another_process_can_be_updated(self, platform: Platform, connector: Connector) -> None:
        before = find(connector, platform.add("eins"))
        fresh = platform.connect()
        fresh.identify(connector.memory())
        after = fresh.update(before.ref, {platform.title_field: "zwei"}, before.version)
        assert shown(after)[platform.title_field] == "zwei"

    def test_an_update_of_a_record_that_is_gone_is_not_found(self, platform: Platform, connector: Connector) -> None:
        before = find(connector, platform.add("eins"))
        platform.remove(before.ref.native_id)
        for each in (connector, ready(platform)):
            with pytest.raises(NotFound):
                each.update(before.ref, {platform.title_field: "zwei"}, before.version)
        assert connector.pull(None, {}).present == frozenset()

    # ---- deleting and probing --------------------------------------------------------------------------------

    def test_a_deleted_record_is_gone(self, platform: Platform, connector: Connector) -> None:
        record, other = find(connector, platform.add("eins")), platform.add("zwei")
        connector.delete(record.ref, record.version)
        assert connector.probe(record.ref) == Gone()
        assert connector.pull(None, {}).present == {other}

    def test_a_changed_record_is_not_deleted(self, platform: Platform, connector: Connector) -> None:
        before = find(connector, platform.add("eins"))
        platform.edit(before.ref.native_id, platform.title_field, "von Hand")
        with pytest.raises(VersionMismatch):
            connector.delete(before.ref, before.version)
        assert isinstance(connector.probe(before.ref), Alive)

    def test_deleting_what_is_gone_is_not_found(self, platform: Platform, connector: Connector) -> None:
        before = find(connector, platform.add("eins"))
        platform.remove(before.ref.native_id)
        with pytest.raises(NotFound):
            connector.delete(before.ref, before.version)

    def test_a_probe_reads_a_record_that_is_there(self, platform: Platform, connector: Connector) -> None:
        record = find(connector, platform.add("eins"))
        answer = ready(platform).probe(record.ref)
        assert isinstance(answer, Alive)
        assert answer.record.ref == record.ref
        assert (answer.record.fields, answer.record.version) == (record.fields, record.version)

    def test_a_probe_proves_that_a_record_is_gone(self, platform: Platform, connector: Connector) -> None:
        record, other = find(connector, platform.add("eins")), find(connector, platform.add("zwei"))
        platform.remove(record.ref.native_id)
        assert connector.probe(record.ref) == Gone()
        assert isinstance(connector.probe(other.ref), Alive)

    def test_a_record_that_never_was_is_not_alive(self, platform: Platform, connector: Connector) -> None:
        record = find(connector, platform.add("eins"))
        never = Ref(record.ref.instance, "424242424", record.ref.born)
        assert isinstance(connector.probe(never), Gone | Hidden)

    # ---- values ----------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("text", TEXTS)
    def test_text_is_kept_byte_for_byte(self, platform: Platform, connector: Connector, text: str) -> None:
        made = connector.create({platform.title_field: text}, "mark-1")
        changed = find(connector, platform.add("eins"))
        changed = connector.update(changed.ref, {platform.title_field: text}, changed.version)
        fresh = ready(platform)
        for record in (made, changed, find(fresh, made.ref.native_id), find(fresh, changed.ref.native_id)):
            assert shown(record)[platform.title_field] == text

    def test_long_text_is_kept_byte_for_byte(self, platform: Platform, connector: Connector) -> None:
        name = getattr(platform, "text_field", None)
        if name is None:
            pytest.skip("this platform has no field of several lines")
        record = find(connector, platform.add("eins"))
        for text in (LONG_TEXT, "eine\n\nzwei\n\n\ndrei", *TEXTS):
            record = connector.update(record.ref, {name: text}, record.version)
            assert shown(record)[name] == text
            assert shown(find(ready(platform), record.ref.native_id))[name] == text

    def test_what_people_write_is_read_byte_for_byte(self, platform: Platform, connector: Connector) -> None:
        native_id = platform.add(TEXTS[0])
        assert shown(find(connector, native_id))[platform.title_field] == TEXTS[0]
        for text in TEXTS[1:]:
            platform.edit(native_id, platform.title_field, text)
            assert shown(find(connector, native_id))[platform.title_field] == text

    def test_native_values_have_the_shapes_of_the_glossary(self, platform: Platform, connector: Connector) -> None:
        record = find(connector, platform.add("eins"))
        record = connector.update(record.ref, platform.sample_fields, record.version)
        for name, value in shown(record).items():
            assert value is None or isinstance(value, str | int | tuple), name
            if isinstance(value, tuple):
                assert list(value) == sorted(set(value)), name
            if isinstance(value, str):
                assert "\r" not in value, name

    def test_different_text_is_never_called_normalised(self, platform: Platform, connector: Connector) -> None:
        assert not connector.normalises(platform.title_field, "eins", "zwei")
        assert not connector.normalises(platform.title_field, "eins", None)

    # ---- traffic ---------------------------------------------------------------------------------------------

    def test_several_threads_may_write_at_once(self, platform: Platform, connector: Connector) -> None:
        # As many as `Abilities.writes` says, which is all that the engine sends: Nextcloud on SQLite answers 500 to
        # the second (facts: nextcloud, preamble; seen on 32.0.1).
        made: list[Record] = []
        failures: list[PlatformError] = []
        room = threading.BoundedSemaphore(connector.abilities.writes)

        def work(number: int) -> None:
            try:
                with room:
                    record = connector.create({platform.title_field: f"Aufgabe {number}"}, f"mark-{number}")
                    made.append(connector.update(record.ref, {platform.title_field: f"Nr. {number}"}, record.version))
            except PlatformError as failure:
                failures.append(failure)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        titles = sorted(str(shown(record)[platform.title_field]) for record in connector.pull(None, {}).records)
        assert titles == [f"Nr. {number}" for number in range(8)]
        assert len({record.ref for record in made}) == 8

    def test_requests_are_counted(self, platform: Platform) -> None:
        connector = platform.connect()
        if not isinstance(connector, HasTraffic):
            pytest.skip("this connector does not count")
        connector.identify()
        before = connector.requests
        connector.pull(None, {})
        assert connector.requests > before
        clock = connector.clock
        assert clock is None or clock[0] <= clock[1]

    def test_no_secret_is_told(self, platform: Platform, connector: Connector) -> None:
        secrets: tuple[str, ...] = getattr(platform, "secrets", ())
        if not secrets:
            pytest.skip("this platform has no secrets")
        record = find(connector, platform.add("eins"))
        platform.remove(record.ref.native_id)
        with pytest.raises(PlatformError) as failure:
            connector.update(record.ref, {platform.title_field: "zwei"}, record.version)
        said = (connector, connector.identify(), connector.memory(), record, failure.value, str(failure.value))
        told = " ".join(map(repr, said))
        assert [secret for secret in secrets if secret in told] == []


# ---- small words for the tests above ---------------------------------------------------------------------------


def ready(platform: Platform) -> Connector:
    """A fresh connector that has been identified."""
    connector = platform.connect()
    connector.identify()
    return connector


def find(connector: Connector, native_id: str) -> Record:
    """The one record with this id in a complete listing."""
    found = [record for record in connector.pull(None, {}).records if record.ref.native_id == native_id]
    assert len(found) == 1
    return found[0]


def shown(record: Record) -> Fields:
    """The fields of a record that is no tombstone and can be read."""
    assert record.problem == ""
    assert record.fields is not None
    return record.fields


def versions_of(changes: Changes) -> dict[str, str]:
    """The versions that a ledger would know after this pull."""
    return {record.ref.native_id: record.version for record in changes.records if record.fields is not None}


def assert_alike(connector: Connector, name: str, sent: Native, value: Native) -> None:
    """What is shown is what was sent, or what the connector declares alike; a new option has an id now."""
    options = sent if isinstance(sent, tuple) else (sent,)
    if any(isinstance(option, str) and option.startswith("+") for option in options):
        assert value not in (None, ())
        return
    assert value == sent or connector.normalises(name, sent, value), f"{name}: sent {sent!r}, shown {value!r}"
