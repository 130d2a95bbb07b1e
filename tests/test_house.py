"""The rules of the house, measured on the source: small modules and functions, typed, no swallowed error, no circle."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "workstation"
MOST_LINES_OF_A_MODULE = 400
MOST_LINES_OF_A_FUNCTION = 60

SOURCES = {path.relative_to(PACKAGE.parent).as_posix(): path.read_text("utf-8") for path in PACKAGE.rglob("*.py")}

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def functions(source: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(ast.parse(source)) if isinstance(node, FUNCTIONS))


def long_functions(source: str) -> list[str]:
    """Functions over the limit, with their length in lines."""
    lengths = ((node.name, (node.end_lineno or node.lineno) - node.lineno + 1) for node in functions(source))
    return [f"{name}: {length} lines" for name, length in lengths if length > MOST_LINES_OF_A_FUNCTION]


def untyped_arguments(source: str) -> list[str]:
    """Arguments without an annotation, `self` and `cls` aside."""
    return [
        f"{node.name}({argument.arg})"
        for node in functions(source)
        for argument in all_arguments(node.args)
        if argument.annotation is None and argument.arg not in ("self", "cls")
    ]


def all_arguments(arguments: ast.arguments) -> list[ast.arg]:
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return named + [rest for rest in (arguments.vararg, arguments.kwarg) if rest is not None]


def swallowed_errors(source: str) -> list[str]:
    """Handlers that name no error, and handlers that do nothing with it."""
    handlers = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ExceptHandler))
    return [f"line {node.lineno}" for node in handlers if node.type is None or all(map(does_nothing, node.body))]


def does_nothing(statement: ast.stmt) -> bool:
    is_constant = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return is_constant or isinstance(statement, ast.Pass | ast.Continue)


def room(module: str) -> str | None:
    """The room of a dotted module name; None for the package itself and for other packages."""
    parts = module.removesuffix(".py").replace("/", ".").split(".")
    return parts[1] if parts[0] == PACKAGE.name and len(parts) > 1 and parts[1] != "__init__" else None


def imported_rooms(source: str) -> set[str]:
    """The rooms that a module imports; relative imports stay in the room, or are forbidden by the linter."""
    modules: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            modules += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            modules += [f"{node.module}.{alias.name}" for alias in node.names]
    return {name for module in modules if (name := room(module)) is not None}


def circles(sources: dict[str, str]) -> list[tuple[str, str]]:
    """Pairs of rooms that import each other."""
    edges = {
        (here, there) for path, source in sources.items() if (here := room(path)) for there in imported_rooms(source)
    }
    return sorted((here, there) for here, there in edges if here < there and (there, here) in edges)


@pytest.mark.parametrize("path", sorted(SOURCES))
def test_module_keeps_the_rules(path: str) -> None:
    source = SOURCES[path]
    assert len(source.splitlines()) <= MOST_LINES_OF_A_MODULE
    assert long_functions(source) == []
    assert untyped_arguments(source) == []
    assert swallowed_errors(source) == []


def test_no_two_rooms_import_each_other() -> None:
    assert circles(SOURCES) == []


def test_a_function_is_too_long_from_its_61st_line() -> None:
    assert long_functions("def f():\n" + "    x = 1\n" * 59) == []
    assert long_functions("async def f():\n" + "    x = 1\n" * 60) == ["f: 61 lines"]


def test_every_kind_of_untyped_argument_is_found() -> None:
    source = "class A:\n def f(self, a, /, b: int, *c, d, **e): ...\n"
    assert untyped_arguments(source) == ["f(a)", "f(d)", "f(c)", "f(e)"]


@pytest.mark.parametrize("handler", ["except:\n raise", "except ValueError:\n pass", "except ValueError:\n ..."])
def test_a_swallowed_error_is_found(handler: str) -> None:
    assert swallowed_errors(f"try:\n f()\n{handler}\n") == ["line 3"]


def test_an_error_that_is_acted_on_is_allowed() -> None:
    assert swallowed_errors("try:\n f()\nexcept ValueError:\n g()\n") == []


def test_a_circle_of_rooms_is_found() -> None:
    sources = {
        "workstation/model/a.py": "from workstation.trading.b import B",
        "workstation/trading/b.py": "from workstation import model, errors",
        "workstation/trading/c.py": "import workstation.trading.b\nimport pandas.model",
    }
    assert circles(sources) == [("model", "trading")]
