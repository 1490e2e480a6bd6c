"""What a mapping file may say, checked in full before anything is mirrored.

A mapping is a TOML file that says, per canonical field, in which native field of a platform it lives and what
its values are called there. It is written by a city's administrator, so every problem is named at once, with
the file, the key, the value and what to do about it; an unknown key is refused, never ignored. The shipped
mappings/*.toml explain the format by example, mappings.tables has its tables.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from mappings import sense
from mappings.canonical import Kind
from mappings.sense import Problem, near
from mappings.tables import Mapping_

__all__ = ["MappingError", "Mapping_", "load", "shipped"]


class MappingError(ValueError):
    """A mapping file that cannot be used; ``problems`` has one sentence each, and the message has them all."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


def shipped(name: str) -> Path:
    """The path of a mapping that comes with the program, such as ``caldav.toml``."""
    return Path(str(resources.files("mappings") / name))


def load(path: str | Path) -> Mapping_:
    """Read and check a mapping file; raises `MappingError` with every problem that it has."""
    path = Path(path)
    try:
        data = tomllib.loads(path.read_bytes().decode("utf-8"))
    except OSError as error:
        raise MappingError([f"{path}: cannot be read ({error.strerror}). Name a mapping file that is there."]) from None
    except UnicodeDecodeError as error:
        raise MappingError([f"{path}: is not UTF-8 text (byte {error.start}). Save it as UTF-8."]) from None
    except tomllib.TOMLDecodeError as error:
        raise MappingError([f"{path}: is not TOML: {error}. Correct that line."]) from None
    problems, mapping = _check(data)
    if problems:
        raise MappingError([f"{path}: {problem}" for problem in problems])
    return mapping


def _check(data: dict[str, Any]) -> tuple[list[Problem], Mapping_]:
    """Every problem of a file: what pydantic refuses is mended until the rest can be checked for its sense."""
    problems: dict[tuple[str, ...], Problem] = {}
    mapping: Mapping_ | None = None
    while mapping is None:
        try:
            mapping = Mapping_.model_validate(data)
        except ValidationError as error:
            found = [_from_pydantic(item, data) for item in error.errors()]
            for key in {problem.key for problem in found}:
                _mend(data, key, again=key in problems)
            for problem in found:
                problems.setdefault(problem.key, problem)
    touched = {key[:2] for key in problems}
    # What is missing in a table that is wrong anyway may be missing for that reason: say so next time, if it is.
    more = [
        problem for problem in sense.problems(mapping) if problem.value is not None or problem.key[:2] not in touched
    ]
    return [*problems.values(), *more], mapping


def _mend(data: dict[str, Any], keys: tuple[str, ...], *, again: bool) -> None:
    """Put something harmless where something must be, and take out what need not be there."""
    holder: Any = data
    for key in keys[:-1]:
        holder = holder[key] if isinstance(holder, dict) and key in holder else {}
    if not again and (stand_in := _stand_in(keys)) is not None:
        holder[keys[-1]] = stand_in
    else:
        holder.pop(keys[-1], None)


def _stand_in(keys: tuple[str, ...]) -> object:
    title, unique = {"native": "?title"}, f"?{'.'.join(keys)}"
    kinds = {"native": "?kinds", "elements": {Kind.TASK.value: []}}
    required = {"platform": unique, "native": unique, "as": "date", "value": True, "title": title, "kinds": kinds}
    return {**required, "fields": {"title": title}}.get(keys[-1])


def _from_pydantic(error: Any, data: dict[str, Any]) -> Problem:
    keys: list[str] = []
    value: Any = data
    for part in map(str, error["loc"]):  # the path has parts of pydantic's own at its end, for unions and lists
        if isinstance(value, dict) and (part in value or error["type"] == "missing"):
            value = value.get(part)
            keys.append(part)
    if error["type"] == "extra_forbidden":
        known = _names(keys[:-1])
        return Problem(tuple(keys), value, f"is not a key here. {near(keys[-1], known)}")
    if error["type"] == "missing":
        return Problem(tuple(keys), None, "is missing. Add it.")
    return Problem(tuple(keys), value, _EXPECTED.get(error["type"], f"is not right: {error['msg']}. Correct it."))


_EXPECTED = {
    "string_type": "must be text, in quotes.",
    "int_type": "must be a whole number.",
    "bool_type": "must be true, false or text in quotes.",
    "dict_type": "must be a table.",
    "model_type": "must be a table.",
    "tuple_type": 'must be a list of texts, such as ["Ziel", "Goal"].',
    "string_too_short": "must not be empty. Name the platform's own word.",
    "greater_than": "must be greater than 0.",
    "literal_error": 'must be "date" or "moment", for a choice "text" or "number", for a reference "id" or "title".',
}


def _names(keys: Sequence[str]) -> list[str]:
    """The keys that a table may have."""
    model: type[BaseModel] = Mapping_
    for key in keys:
        annotation = next((f.annotation for n, f in model.model_fields.items() if (f.alias or n) == key), None)
        models = [a for a in (annotation, *getattr(annotation, "__args__", ())) if isinstance(a, type)]
        model = next((a for a in models if issubclass(a, BaseModel)), model)
    return [info.alias or name for name, info in model.model_fields.items()]
