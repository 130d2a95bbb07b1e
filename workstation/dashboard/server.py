"""The dashboard's process: one Panel server on loopback, until a signal."""

import errno
import logging
from collections.abc import Callable
from typing import Any

import panel as pn
from panel.io.server import get_server

from workstation.config.settings import Settings
from workstation.dashboard.access import Access
from workstation.dashboard.desk import ENTRIES, THEME_COOKIE, Desk
from workstation.dashboard.guard import protect
from workstation.dashboard.login import server_options
from workstation.errors import ConfigError

ADDRESS = "127.0.0.1"
KEEP_ALIVE_MS = 10_000
LAST_UNUSED_MS = 30_000
"""A document whose page has gone is let go after so long."""


def run_dashboard(settings: Settings, *, port: int, on_ready: Callable[[Access], None]) -> None:
    """Blocks until SIGINT or SIGTERM. `on_ready` is called once it answers. Raises ConfigError for a port in use."""
    logging.getLogger("bokeh").setLevel(logging.WARNING)
    pn.extension(notifications=False)
    access = Access(settings.paths.home, port, settings.dashboard.hosts)
    desk = Desk(settings, access)
    options = server_options(access)
    options["include_cookies"] = [THEME_COOKIE]
    options["extra_patterns"] = [*options["extra_patterns"], *desk.routes()]
    pages: dict[str, Any] = {f"/{entry.name}": _opening(desk, entry.name) for entry in ENTRIES}
    try:
        server = get_server(
            pages | {"/": _opening(desk, ENTRIES[0].name)},
            port=port,
            address=ADDRESS,
            title="workstation",
            liveness=True,
            keep_alive_milliseconds=KEEP_ALIVE_MS,
            unused_session_lifetime_milliseconds=LAST_UNUSED_MS,
            check_unused_sessions_milliseconds=LAST_UNUSED_MS // 3,
            **options,
        )
    except OSError as error:
        in_use = error.errno == errno.EADDRINUSE
        reason = "another program listens there: choose another --port" if in_use else error.strerror
        raise ConfigError(f"port {port} on {ADDRESS}: {reason}") from error
    protect(server, access)
    server.start()
    server.io_loop.add_callback(on_ready, access)
    server.run_until_shutdown()


def _opening(desk: Desk, name: str) -> Callable[[], pn.viewable.Viewable]:
    """Panel calls plain functions for each visit, and shows everything else as it is."""

    def opened() -> pn.viewable.Viewable:
        return desk.page(name)

    return opened
