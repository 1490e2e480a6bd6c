"""Everything that a ledger may be asked to keep, for Hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

from bridge.state import (
    Assertion,
    Base,
    Batch,
    Binding,
    Conflict,
    Entry,
    Intent,
    Item,
    Key,
    Link,
    LinkState,
    Memo,
    Parked,
    Run,
    Side,
    Unlinked,
)
from connectors.base import Record, Ref

NASTY = [
    "",
    "\0",
    "\ud800",
    "\ufffd",
    '\ufffd"',
    "‚Straße‘ – ẞ",
    "é",
    "é",
    "a\nb\r\n\tc",
    "%_\\'\"",
    "\U0010ffff",
    "x" * 300,
]

texts = st.sampled_from(NASTY) | st.text(max_size=8)
# A few ids, so that batches meet each other; some are prefixes of others.
ids = st.sampled_from(["a", "ab", "abc", "b", "ß", "\ud800"])
connectors = st.sampled_from(["c1", "c2", "ĉ"])
numbers = st.integers(-1, 5) | st.integers(-(2**62), 2**62)
runs_ = st.integers(0, 4)
values = st.none() | st.booleans() | numbers | texts
cells = st.sampled_from(["title", "due", "labels:presse", "labels:ärger", ""])
keys = st.builds(Key, st.integers(-1, 3), st.integers(0, 2), texts)
floats = st.floats(allow_nan=False, allow_infinity=False)
natives = st.none() | st.booleans() | numbers | texts | st.lists(texts, max_size=2).map(tuple)


def _dict(value: st.SearchStrategy, key: st.SearchStrategy = cells) -> st.SearchStrategy:
    return st.dictionaries(key, value, max_size=2)


def _set(value: st.SearchStrategy) -> st.SearchStrategy:
    return st.frozensets(value, max_size=3)


def _tuple(value: st.SearchStrategy) -> st.SearchStrategy:
    return st.lists(value, max_size=2).map(tuple)


options = _dict(_dict(texts, texts), texts)
native_fields = _dict(natives, texts)
refs = st.builds(Ref, texts, texts, texts)
records = st.builds(
    Record,
    ref=refs,
    collection=texts,
    version=texts,
    modified_at=st.none() | floats,
    fields=st.none() | native_fields,
    mark=texts,
    url=texts,
    own=st.none() | st.booleans(),
    created_at=st.none() | floats,
    locked=_set(texts),
    problem=texts,
    options=options,
)
assertions = st.builds(
    Assertion,
    values=_set(values),
    key=keys,
    origin=texts,
    ancestor=st.none() | texts,
    since=numbers,
    company=_dict(values),
)
bases = st.builds(
    Base,
    value=values,
    key=keys,
    origin=texts,
    run=numbers,
    since=numbers,
    asserts=_tuple(assertions),
    company=_dict(values),
)
items = st.builds(
    Item,
    id=ids,
    kind=st.sampled_from(["task", "milestone"]),
    cells=_dict(bases),
    life_key=keys,
    deletes=st.lists(_dict(keys), max_size=2),
)
memos = st.builds(Memo, wanted=values, evidence=texts, refused=st.booleans(), reason=texts)
parks = st.builds(Parked, reason=texts, since=numbers, tries=numbers, retry_at=numbers)
links = st.builds(
    Link,
    id=ids,
    item=ids,
    connector=connectors,
    native_id=ids,
    born=texts,
    state=st.sampled_from(LinkState),
    collection=texts,
    version=texts,
    modified_at=numbers,
    read_at=numbers,
    shadow=native_fields,
    locked=_set(texts),
    url=texts,
    known=_dict(keys),
    offered=_dict(keys),
    memo=_dict(memos),
    wrote=_dict(_tuple(st.tuples(texts, keys))),
    replaced=_dict(_tuple(keys)),
    parked=_dict(parks),
    fuse=_dict(st.tuples(numbers, numbers)),
    archived=st.booleans(),
    dirty=st.booleans(),
    behind=st.booleans(),
    waits_for=_set(texts),
    pending=_set(texts),
    problem=texts,
    written=runs_,
)
intents = st.builds(
    Intent,
    id=ids,
    kind=st.sampled_from(["create", "update", "archive", "delete"]),
    connector=connectors,
    item=ids,
    link=ids,
    record=texts,
    sent=native_fields,
    cells=_dict(values),
    keys=_dict(keys),
    run=runs_,
    at=st.integers(0, 10),
    harm=st.sampled_from(["", "destroy", "create", "rewrite"]),
    answered=st.booleans(),
    open=st.booleans(),
)
unlinked = st.builds(
    Unlinked,
    connector=connectors,
    native_id=ids,
    record=records,
    title=texts,
    kind=texts,
    reason=texts,
    candidates=_tuple(texts),
    since=numbers,
)
bindings = st.builds(
    Binding,
    id=connectors,
    name=texts,
    type=texts,
    host=texts,
    collection=texts,
    title=texts,
    accepted=st.booleans(),
    mapping=texts,
    cursor=st.none() | texts,
    memory=st.none() | texts,
    there=options,
    meant=options,
    bound=options,
    offset=floats,
    offset_error=st.none() | floats,
    newest=numbers,
    swept_at=numbers,
    read_whole_at=numbers,
    complete_run=numbers,
    complete_at=numbers,
    failures=numbers,
    retry_at=numbers,
    error=texts,
    count=numbers,
    forgotten=st.booleans(),
)
sides = st.builds(Side, value=values, connector=texts, time=numbers, since=numbers, ref=texts)
conflicts = st.builds(
    Conflict,
    id=st.text("0123456789", min_size=20, max_size=20),
    run=runs_,
    at=numbers,
    item=ids,
    cell=cells,
    base=values,
    winner=sides,
    loser=sides,
    rule=texts,
)
entries = st.builds(
    Entry,
    run=runs_,
    at=numbers,
    item=ids,
    cell=cells,
    before=values,
    after=values,
    connector=texts,
    act=texts,
    why=texts,
)
summaries = st.dictionaries(texts, values | st.lists(values, max_size=2) | _dict(values), max_size=3)
runs = st.builds(Run, id=runs_, started=numbers, finished=numbers, ok=st.booleans(), summary=summaries)

EVERYTHING = {
    "items": items,
    "links": links,
    "intents": intents,
    "bindings": bindings,
    "unlinked": unlinked,
    "conflicts": conflicts,
    "journal": entries,
    "runs": runs,
}
"""A strategy for each list of objects in a batch."""

batches = st.builds(
    Batch,
    forget_unlinked=st.lists(st.tuples(connectors, ids), max_size=1),
    **{name: st.lists(values, max_size=3) for name, values in EVERYTHING.items()},
)
