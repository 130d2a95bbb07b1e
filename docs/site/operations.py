"""The operations of the API, from its OpenAPI description."""

from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any, cast

from docs.site.markdown import code, plain, table
from workstation.client.control import Control
from workstation.engine.bus import Bus
from workstation.server.app import create_app

REFERENCE = "#/components/schemas/"
UNTAGGED = "more"


def description() -> Mapping[str, Any]:
    """What /openapi.json says. Nothing is asked of the engine for it but when it began."""
    nobody = cast("Control", SimpleNamespace(health=lambda: SimpleNamespace(started_ns=0)))
    found: Mapping[str, Any] = create_app(nobody, Bus(), token="").openapi()
    return found


def text() -> str:
    """A section for each noun, then the forms of what is sent and answered."""
    found = description()
    by_noun: dict[str, list[str]] = {}
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            noun = operation.get("tags", [UNTAGGED])[0]
            by_noun.setdefault(noun, []).extend(_operation(method, path, operation))
    sections = [f"## {noun}\n\n" + "\n\n".join(blocks) for noun, blocks in by_noun.items()]
    forms = [block for name, schema in found["components"]["schemas"].items() for block in _form(name, schema)]
    return "\n\n".join([*sections, "## Forms", *forms])


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield f"### `{method.upper()} {path}`"
    yield plain(operation.get("summary", "")) + "."
    if operation.get("description"):
        yield plain(operation["description"])
    parameters = [
        (code(one["name"]), one["in"], _type(one["schema"]), plain(one.get("description", "")))
        for one in operation.get("parameters", ())
    ]
    if parameters:
        yield table(("parameter", "where", "type", "meaning"), parameters)
    body = operation.get("requestBody")
    if body is not None:
        need = "Body" if body.get("required") else "Body, which may be left out"
        yield f"{need}: {_content(body)}."
    answers = [f"{status}, {_content(one)}" for status, one in operation["responses"].items() if status < "300"]
    yield f"Answer: {'; '.join(answers)}."


def _content(holder: Mapping[str, Any]) -> str:
    kinds = [_type(one.get("schema", {})) for one in holder.get("content", {}).values()]
    return " or ".join(kinds) or "nothing"


def _type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(REFERENCE)
        return f"[{name}](#{anchor(name)})"
    if "anyOf" in schema or "oneOf" in schema:
        kinds = dict.fromkeys(_type(one) for one in schema.get("anyOf", schema.get("oneOf", ())))
        return " or ".join(kinds)
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if "const" in schema:
        return code(str(schema["const"]))
    if "enum" in schema:
        return " ".join(code(str(value)) for value in schema["enum"])
    return str(schema.get("type", "any value"))


def _form(name: str, schema: Mapping[str, Any]) -> Iterator[str]:
    yield f"({anchor(name)})=\n### {name}"
    if schema.get("description"):
        yield plain(schema["description"])
    if "enum" in schema:
        yield " ".join(code(str(value)) for value in schema["enum"])
        return
    needed = schema.get("required", ())
    rows = [
        (code(key), _type(one), "yes" if key in needed else "", plain(one.get("description", "")))
        for key, one in schema.get("properties", {}).items()
    ]
    if rows:
        yield table(("field", "type", "required", "meaning"), rows)


def anchor(name: str) -> str:
    """Where a form stands on the page."""
    return f"form-{name.lower()}"
