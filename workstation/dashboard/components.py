"""How the page's own components are put together: the channel's code before each one's, and a sheet of its own."""

from pathlib import Path

SCRIPTS = Path(__file__).with_name("scripts")


def code_of(name: str) -> str:
    """The component's module with the page's channel and figures before it."""
    return "\n".join((SCRIPTS / f"{part}.js").read_text("utf-8") for part in ("channel", name))


def sheet_of(name: str) -> str:
    return (SCRIPTS / f"{name}.css").read_text("utf-8")
