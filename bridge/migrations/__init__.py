"""How a ledger of an earlier release becomes one of this release: Alembic's scripts, run by `bridge.ledger`.

Revisions are numbered 0001, 0002 and so on, one file each in versions/. A new one: change bridge/tables.py, copy
the newest file, raise ``revision``, ``down_revision`` and ``bridge.tables.REVISION``, and keep a dump of the ledger
before it in tests/fixtures/. `tests/test_migrations.py` compares the result with the tables. A script never imports
the bridge: it must do the same for ever.
"""
