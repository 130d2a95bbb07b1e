"""Where an engine on this machine is found, and the token that it asks for."""

import re
from pathlib import Path

from workstation.errors import AccessRefused, EngineUnreachable

TOKEN_FILE = "api_token"
TOKEN = re.compile(r"[A-Za-z0-9_-]{43,128}")
"""256 random bits or more, as secrets.token_urlsafe writes them."""


def read_token(home: Path) -> str:
    """The token that the engine of this home made at its first start."""
    file = home / TOKEN_FILE
    try:
        token = file.read_text("ascii", errors="replace").strip()
    except FileNotFoundError:
        raise EngineUnreachable(f"no engine has run in {home}: {file.name} is made when one starts") from None
    except OSError as error:
        raise AccessRefused(f"{file}: cannot be read: {error.strerror}; run as the user who runs the engine") from error
    if not TOKEN.fullmatch(token):
        raise AccessRefused(f"{file}: holds no token; remove it, and the engine's next start makes a new one")
    return token
