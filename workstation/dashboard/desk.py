"""One dashboard's parts: the link to the engine, the channels, who may come in, and a page for each visit."""

import shlex
import time
from functools import partial
from typing import Any

import panel as pn
from bokeh.document import Document
from tornado.websocket import WebSocketHandler

from workstation.config.loading import HOME_VARIABLE
from workstation.config.settings import Settings
from workstation.config.words import opportunities_of
from workstation.dashboard.access import Access
from workstation.dashboard.channel_handler import ChannelHandler
from workstation.dashboard.first_frame import begin_with_frame
from workstation.dashboard.frame import Entry, Frame
from workstation.dashboard.hub import Hub
from workstation.dashboard.link import EngineLink
from workstation.dashboard.pages.data import DataPage
from workstation.dashboard.pages.live import LivePage
from workstation.dashboard.pages.sessions import SessionsPage
from workstation.dashboard.pages.spreads import SpreadsPage
from workstation.dashboard.sources import open_source
from workstation.dashboard.surveyor import Surveyor
from workstation.dashboard.telling import told_to_bar
from workstation.dashboard.verification import Verifications
from workstation.dashboard.visit import Visit

ENTRIES = [
    Entry("live", "candlestick_chart", "l", LivePage),
    Entry("spreads", "compare_arrows", "s", SpreadsPage),
    Entry("sessions", "play_circle_outline", "n", SessionsPage),
    Entry("data", "storage", "d", DataPage),
]
THEME_COOKIE = "workstation_theme"


class Desk:
    """Of one process. `access` says who a page or a channel belongs to."""

    def __init__(self, settings: Settings, access: Access) -> None:
        host = f"[{settings.api.host}]" if ":" in settings.api.host else settings.api.host
        self.settings, self.access = settings, access
        self.link = EngineLink(f"http://{host}:{settings.api.port}", settings.paths.home)
        self.verifications = Verifications(settings.paths.ledger, settings.paths.strategies)
        self.surveyor = Surveyor(settings.paths.history)
        wanted = opportunities_of(settings)
        self.hub = Hub(partial(open_source, link=self.link, history=settings.paths.history, wanted=wanted))

    def routes(self) -> list[tuple[str, type, dict[str, object]]]:
        return [(r"/channel", ChannelHandler, {"hub": self.hub, "is_known": self._is_known})]

    def page(self, name: str) -> pn.viewable.Viewable:
        """What one visit sees, opened at the page of that name. Called by Panel for each new document."""
        document = pn.state.curdoc
        assert document is not None, "Panel calls it for a document"
        user_now = partial(self.access.user_of_document, document)
        visit = Visit(self.link, document, user_now, self.settings, self.verifications, self.surveyor)
        document.on_session_destroyed(lambda _: visit.close())
        home = shlex.quote(str(self.settings.paths.home))
        is_dark = _is_dark(document)
        frame = Frame(
            visit,
            ENTRIES,
            name,
            account="paper",
            kill_command=f"{HOME_VARIABLE}={home} workstation kill",
            is_dark=is_dark,
        )
        facts = frame.facts | {"told": told_to_bar(visit.state, time.monotonic())}
        begin_with_frame(document, name, facts, is_dark=is_dark)
        return frame.page

    def _is_known(self, handler: WebSocketHandler) -> bool:
        return self.access.user_of(handler) is not None


def _is_dark(document: Document) -> bool:
    """What the browser chose last; light where it has not."""
    context: Any = document.session_context
    return context is not None and context.request.cookies.get(THEME_COOKIE) == "dark"
