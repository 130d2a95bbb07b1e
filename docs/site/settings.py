"""The reference of the settings, from the models that check them."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from sphinx.pycode import ModuleAnalyzer

from docs.site.markdown import code, plain, table
from workstation.config import settings
from workstation.config.settings import SECTIONS, Engine, PairTable, Paths, Section, VenueTable

HOME = Path("/home-of-yours")
PAIRS_IN_THE_ENVIRONMENT = "In the environment: `WORKSTATION_ENGINE__PAIRS`, as `A B BASIS, A B`."
BOUNDS = {"gt": "over {}", "ge": "{} or more", "lt": "below {}", "le": "at most {}"}


def text() -> str:
    """A table for each section."""
    blocks: list[str] = []
    for name, model in SECTIONS.items():
        blocks += [f"## `[{name}]`", *_table_of(model), _in_the_environment(model, f"WORKSTATION_{name.upper()}__")]
        if model is Engine:
            blocks += ["## `[[engine.pairs]]`", *_table_of(PairTable), PAIRS_IN_THE_ENVIRONMENT]
    blocks += ["## `[venues.NAME]`", *_table_of(VenueTable)]
    return "\n\n".join([*blocks, _in_the_environment(VenueTable, "WORKSTATION_VENUES__NAME__")])


def _table_of(model: type[Section]) -> Iterator[str]:
    yield plain(model.__doc__ or "")
    notes = ModuleAnalyzer.for_module(settings.__name__).find_attr_docs()
    rows = []
    for key, field in model.model_fields.items():
        note = " ".join(notes.get((model.__name__, key), ()))
        rows.append((code(key), _expected(model, key, field), _default(model, key, field), plain(note)))
    width = 4 if any(row[3] for row in rows) else 3
    yield table(("key", "expected", "default", "meaning")[:width], [row[:width] for row in rows])


def _in_the_environment(model: type[Section], prefix: str) -> str:
    first = code(prefix + next(iter(model.model_fields)).upper())
    short = f", or {code('WORKSTATION_HOME')}" if model is Paths else ""
    return f"In the environment: {first}{short}, and so on."


def _expected(model: type[Section], key: str, field: FieldInfo) -> str:
    """The kind of a value and its range, as the JSON schema of the model has them."""
    schema = model.model_json_schema()
    found = schema["properties"][key]
    bounds = {
        name: BOUNDS[name].format(f"{bound:,}")
        for constraint in field.metadata
        for name in BOUNDS
        if (bound := getattr(constraint, name, None)) is not None
    }
    if "gt" in bounds:
        bounds.pop("ge", None)  # the wider bound of a type that this field narrows
    return ", ".join([_kind(found), *bounds.values()])


def _kind(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return " ".join(code(str(value)) for value in schema["enum"])
    if "anyOf" in schema:
        # a Decimal may be written as a number or as text: the number says it
        kinds = [_kind(one) for one in schema["anyOf"] if one.get("type") != "null"]
        return "number" if "number" in kinds else " or ".join(kinds)
    kind, form = schema.get("type", "table" if "$ref" in schema else "value"), schema.get("format")
    words = {"integer": "whole number", "string": "path" if form == "path" else "text", "boolean": "true or false"}
    if kind == "array":
        of = _kind(schema["items"])
        return "list of tables" if of == "table" else f"list of {of}"
    return words.get(kind, "table" if kind == "object" else kind)


def _default(model: type[Section], key: str, field: FieldInfo) -> str:
    if field.is_required():
        return "none: it must be given"
    if model is Paths:
        value = getattr(Paths(home=HOME), key)
        return "the platform's folder for user data" if key == "home" else f"{code(value.name)} in `home`"
    if field.default_factory is not None:
        empty = field.default_factory in (dict, list, tuple)
        return "none" if empty else "by the machine"
    return _shown(field.default)


def _shown(value: object) -> str:
    if value is None or value == ():
        return "none"
    if isinstance(value, bool):
        return code(str(value).lower())
    if isinstance(value, tuple):
        return " ".join(code(str(one)) for one in value)
    return code(f"{value:,}" if isinstance(value, int | Decimal) else str(value))
