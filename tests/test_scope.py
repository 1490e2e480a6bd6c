"""The language of scopes: what it says, in both languages, and what it says when it is not understood."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.scope import ABOVE, VALUES, Any_, Every, Facts, Not, Scope, Test, looks_up
from bridge.scope_reader import ScopeError, parse
from bridge.texts import texts
from mappings.canonical import normal

PORTAL = Facts(
    "task",
    "in_progress",
    "internal",
    frozenset({"presse"}),
    frozenset({"fb 02"}),
    lambda: {"measure": frozenset({"bürgerportal"}), "action_field": frozenset({"bildung"})},
)
IDEA = Facts("milestone", "idea", "public")


def holds(text: str, facts: Facts = PORTAL) -> bool:
    return parse(text).holds(facts)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "kind = task",
        "Art = Aufgabe",
        "ART=aufgabe",
        "kind in (task, milestone)",
        "kind in (task)",
        "kind != milestone",
        "kind not in (milestone, goal)",
        "Art nicht in (Meilenstein)",
        "not kind = milestone",
        "nicht Art = Meilenstein",
        "label = presse",
        'Schlagwort = "PRESSE"',
        "Etikett = „Presse“",
        "labels = »Presse«",
        "label = 'Presse'",
        "label in (x, Presse)",
        "label != Rat",
        "unit = FB 02",
        "Zuständig = fb  02",
        "Stelle != IT",
        "measure = Bürgerportal",
        "Maßnahme = Bu\u0308rgerportal",
        "MASSNAHME = bürgerportal",
        "action field = Bildung",
        "action_field = Bildung",
        "Handlungsfeld = Bildung",
        "status = in Umsetzung",
        "status = in Arbeit und Art = Aufgabe",
        "status = in_progress",
        "status = in progress",
        "Status in (geplant, in Umsetzung)",
        "Sichtbarkeit = intern",
        "visibility != confidential",
        "kind = goal or kind = task and label = Presse",
        "kind = task or kind = goal and label = Rat",
        "(kind = goal or kind = task) and label = Presse",
        "not (kind = goal or label = Rat)",
        "not not kind = task",
        "not kind = goal and not label = Rat",
    ],
)
def test_a_scope_holds(text: str) -> None:
    assert holds(text)
    assert holds(str(parse(text)))


@pytest.mark.parametrize(
    "text",
    [
        "kind = milestone",
        "kind not in (task, milestone)",
        "label = press",
        "label != presse",
        "measure != Bürgerportal",
        "measure = Bildung",
        "Handlungsfeld = Bürgerportal",
        "not kind = task or label = Rat",
        "(kind = task or kind = goal) and label = Rat",
        "not (kind = task and label = Presse)",
        "status = done",
        "visibility = vertraulich",
        "unit = Presse",
    ],
)
def test_a_scope_does_not_hold(text: str) -> None:
    assert not holds(text)
    assert not holds(str(parse(text)))


def test_what_an_item_is_part_of_is_looked_up_only_for_a_scope_that_asks() -> None:
    def fails() -> dict[str, frozenset[str]]:
        raise AssertionError("nobody asked")

    assert holds("kind = task and not label = x", Facts("task", above=fails))
    assert not looks_up(parse("kind = task and not label = x"))
    assert looks_up(parse("kind = goal or not (label = x and measure = y)"))
    assert looks_up(parse("Handlungsfeld != x"))


def test_both_languages_say_the_same() -> None:
    english = 'kind = task and (label = "Presse" or measure = "Bürgerportal") and not status = done'
    german = "Art = Aufgabe und (Schlagwort = Presse oder Maßnahme = Bürgerportal) und nicht Status = abgeschlossen"
    assert parse(english) == parse(german)
    assert str(parse(german)) == english.replace('"', "")


@pytest.mark.parametrize("name", VALUES)
def test_every_value_goes_by_its_own_name_and_by_the_words_that_people_read(name: str) -> None:
    for value, words in VALUES[name].items():
        shown = texts("de")(f"{name}.{value}")
        for word in (value, value.upper(), shown, *words):
            assert parse(f"{name} = {word}") == Test(name, (value,)), word


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kind = tsak", 'at 8, “tsak”: is not a value of kind. Did you mean "task"?'),
        ("kind = Aufgben", 'at 8, “Aufgben”: is not a value of kind. Did you mean "Aufgabe"?'),
        ("status = Presse und Öffentlichkeit = x", "at 10, “Presse”: is not a value of status. Known are: idea, "),
        ("kind = task kind = goal", "at 8, “task kind”: is not a value of kind. "),
        ("lable = x", 'at 1, “lable”: is not something that can be asked about. Did you mean "label"?'),
        ("Massname = x", 'Did you mean "Maßnahme"?'),
        ("xyz = rot", "Known are: kind, action field, measure, unit, label, status, visibility."),
        ("label = x and Öffentlichkeit", "at 15, “Öffentlichkeit”: is not something that can be asked about"),
        ("kind task", "at 6, “task”: expected here is “=”, “!=” or “in”"),
        ("kind", "at its end: expected here is “=”, “!=” or “in”"),
        ("kind not = task", "at 10, “=”: expected here is “=”, “!=” or “in”"),
        ("kind = ", "at its end: a value of kind is missing"),
        ("label = and", "at 9, “and”: a value of label is missing"),
        ('label = ""', "at 9, “”: a value of label is missing"),
        ("label = =", "at 9, “=”: a value of label is missing"),
        ("label = a 'b'", "at 11, “b”: expected here is “and”, “or” or the end"),
        ("kind = task and", "at its end: expected here is one of: kind, action field, "),
        ("and kind = task", "at 1, “and”: expected here is one of: kind"),
        ('"kind" = task', "at 1, “kind”: expected here is one of: kind"),
        ("(kind = task", "at its end: a closing bracket is missing"),
        ("kind = task)", "at 12, “)”: expected here is “and”, “or” or the end"),
        ("label in x", "at 10, “x”: expected here is a list in brackets"),
        ("label in (a, b", "at its end: expected here is “,” or a closing bracket"),
        ("label in (a,)", "at 13, “)”: a value of label is missing"),
        ('label = "x', "the quotation mark at 9 is not closed"),
        ("(" * 41 + "kind = task", "at 41, “(”: more than 40 brackets in one another"),
        ("not " * 50 + "kind = task", "more than 40 brackets in one another"),
    ],
)
def test_what_is_not_understood_is_said_with_its_place(text: str, said: str) -> None:
    with pytest.raises(ScopeError) as caught:
        parse(text)
    assert said in str(caught.value)
    assert texts("de").reword(str(caught.value)) != str(caught.value)


titles = st.sampled_from(["Presse", "Bürger und Rat", "FB 02", "a, b", 'sagt "ja"', "not", "in", "=", "C #1"])
tests = st.one_of(
    *(
        st.lists(st.sampled_from([*values]), min_size=1, max_size=3, unique=True).map(
            lambda chosen, name=name: Test(name, tuple(chosen))  # type: ignore[misc]
        )
        for name, values in VALUES.items()
    ),
    st.builds(
        lambda name, chosen: Test(name, tuple(chosen)),
        st.sampled_from(["label", "unit", *ABOVE]),
        st.lists(titles, min_size=1, max_size=3, unique=True),
    ),
)
scopes: st.SearchStrategy[Scope] = st.recursive(
    tests,
    lambda part: st.one_of(
        part.map(Not),
        st.lists(part, min_size=2, max_size=3).map(lambda parts: Every(tuple(parts))),
        st.lists(part, min_size=2, max_size=3).map(lambda parts: Any_(tuple(parts))),
    ),
    max_leaves=8,
)
facts = st.builds(
    lambda kind, status, visibility, labels, units, above: Facts(
        kind, status, visibility, labels, units, lambda: above
    ),
    *(st.sampled_from([*VALUES[name]]) for name in ("kind", "status", "visibility")),
    st.frozensets(titles.map(normal)),
    st.frozensets(titles.map(normal)),
    st.fixed_dictionaries({kind.value: st.frozensets(titles.map(normal)) for kind in ABOVE.values()}),
)


@given(scopes, facts)
def test_a_scope_that_is_written_down_is_the_same_scope(scope: Scope, item: Facts) -> None:
    read = parse(str(scope))
    assert read.holds(item) == scope.holds(item)
    assert str(read) == str(scope)


@given(st.text(alphabet='abK =!(),"„“»« \nundorti', max_size=40))
def test_any_text_is_understood_or_refused_in_words(text: str) -> None:
    try:
        scope = parse(text)
    except ScopeError:
        return
    assert parse(str(scope)) == scope
