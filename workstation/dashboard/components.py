"""How the page's own components are put together: the channel's code before each one's, and a sheet of its own."""

from pathlib import Path

SCRIPTS = Path(__file__).with_name("scripts")


def code_of(*names: str) -> str:
    """The component's module, the last one, with the page's channel and figures and what else it needs before it."""
    return "\n".join((SCRIPTS / f"{part}.js").read_text("utf-8") for part in ("channel", *names))


def sheet_of(name: str) -> str:
    return (SCRIPTS / f"{name}.css").read_text("utf-8")
