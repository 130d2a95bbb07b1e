"""For `panel serve apps/*.py --plugins workstation.dashboard.plugin`: login, channel and guard beside the pages.

`workstation dashboard` is the same with every safeguard of the server set. Panel listens at 5006 unless it is told
otherwise; `dashboard.port` has to say the same.
"""

import sys
from functools import cache
from html import escape

import panel as pn

from workstation.config.loading import load_configuration
from workstation.dashboard.access import Access
from workstation.dashboard.desk import Desk
from workstation.dashboard.guard import protect_application
from workstation.dashboard.login import LoginHandler, handlers

COMMAND = "panel serve apps/*.py --plugins workstation.dashboard.plugin"
TO_LOGIN = "<script>location.replace('/login?next=' + encodeURIComponent(location.pathname))</script>"


@cache
def desk_of_process() -> Desk:
    """One for all pages of this server."""
    settings = load_configuration().settings
    access = Access(settings.paths.home, settings.dashboard.port, settings.dashboard.hosts)
    print(f"enter by   {access.link()}   (once, within ten minutes)", flush=True)
    return Desk(settings, access)


class GuardingLogin(LoginHandler):
    """Nobody is known before the guard stands, so all begin here: the first one puts it up."""

    def prepare(self) -> None:
        protect_application(self.application, self.access)


def _routes() -> list[tuple[str, type, dict[str, object]]]:
    desk = desk_of_process()
    login = [(path, GuardingLogin if path == "/login" else kind, told) for path, kind, told in handlers(desk.access)]
    return [*login, *desk.routes()]


def page(name: str) -> pn.viewable.Viewable:
    """What a script of `apps` shows; a stranger is sent to the login, and a server without this plug-in says so."""
    if not any(__name__ in word for word in sys.argv):
        return pn.pane.HTML(
            f"<p>Start this server with <code>{escape(COMMAND)}</code>, or run <code>workstation dashboard</code>.</p>"
        )
    pn.extension()
    desk = desk_of_process()
    if desk.access.user_of_document(pn.state.curdoc) is None:
        return pn.pane.HTML(TO_LOGIN)
    return desk.page(name)


ROUTES = _routes() if any(__name__ in word for word in sys.argv) else []
