"""Schema migrations by Alembic. Apart from `database.py`, as importing Alembic alone takes 0.4 s."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

FOLDER = Path(__file__).parent / "migrations"


def migrate(connection: Connection, revision: str = "head", folder: Path = FOLDER) -> None:
    """Up to `revision`, in the connection's present transaction: all or nothing."""
    command.upgrade(_config(connection, folder), revision)


def migrate_back(connection: Connection, revision: str, folder: Path = FOLDER) -> None:
    """Down to `revision` ("base": no tables), in the connection's transaction. Drops what that revision lacks."""
    command.downgrade(_config(connection, folder), revision)


def _config(connection: Connection, folder: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
