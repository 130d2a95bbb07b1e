"""The two palettes, and who wears which colour of them.

A chart remembers its paints, so that one call puts all of it into the other theme: the browser's switch to dark reaches
what Bokeh draws only through its models.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from bokeh.model import Model

FONT = "Roboto, system-ui, 'Segoe UI', sans-serif"
"""Its digits are all of one width, as are those of the fonts that stand in for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """Colours by what they say. Text on `paper` has a contrast of 4.5 or more; up is a blue-green, down orange."""

    name: str
    paper: str
    text: str
    muted: str
    grid: str
    accent: str
    up: str
    down: str
    on_colour: str
    """Text on a ground of up, down or accent."""
    tag: str
    """Ground of the crosshair's tag."""
    band: str
    series: tuple[str, ...]
    """Lines that have no meaning of their own, in this order."""


LIGHT = Theme(
    name="light",
    paper="#ffffff",
    text="#1c2128",
    muted="#5b6470",
    grid="#eceef1",
    accent="#3b5bdb",
    up="#0b7f79",
    down="#c2410c",
    on_colour="#ffffff",
    tag="#4b5563",
    band="#3b5bdb",
    series=("#3b5bdb", "#9c36b5", "#996b00", "#5b6470"),
)
DARK = Theme(
    name="dark",
    paper="#14181e",
    text="#e6e9ee",
    muted="#9aa4b2",
    grid="#262c35",
    accent="#91a7ff",
    up="#2dd4bf",
    down="#ff8a5c",
    on_colour="#0e1116",
    tag="#c3cad4",
    band="#91a7ff",
    series=("#91a7ff", "#e599f7", "#ffd43b", "#9aa4b2"),
)

Role = str | tuple[str, ...] | Callable[[Theme], str]
"""A field of Theme, "series.N" for one of its lines, several of them for a list, or a text made of the theme."""


@dataclass(frozen=True, slots=True)
class Paint:
    """One property of one model, and the role whose colour it has."""

    model: Model
    attribute: str
    role: Role

    def apply(self, theme: Theme) -> None:
        setattr(self.model, self.attribute, painted(theme, self.role))


@dataclass(frozen=True, slots=True)
class Brush:
    """Paints while a chart is built, and keeps what it painted."""

    theme: Theme
    paints: list[Paint] = field(default_factory=list)

    def paint(self, models: Model | Iterable[Model], **roles: Role) -> None:
        for model in [models] if isinstance(models, Model) else models:
            for attribute, role in roles.items():
                paint = Paint(model, attribute, role)
                paint.apply(self.theme)
                self.paints.append(paint)


def painted(theme: Theme, role: Role) -> str | list[str]:
    if callable(role):
        return role(theme)
    return [colour(theme, one) for one in role] if isinstance(role, tuple) else colour(theme, role)


def colour(theme: Theme, role: str) -> str:
    name, _, place = role.partition(".")
    return theme.series[int(place) % len(theme.series)] if place else str(getattr(theme, name))
