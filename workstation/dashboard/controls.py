"""What a page's buttons do: who may do it, the command to the engine, and a sentence of what came of it."""

from collections.abc import Callable
from dataclasses import dataclass

from workstation.client.client import Client
from workstation.dashboard.link import EngineLink
from workstation.dashboard.users import Role, User
from workstation.errors import WorkstationError


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Of one command. `text` says what happened, to what, and what to do; it may quote names from outside."""

    is_done: bool
    text: str


class Controls:
    """Commands of one user, under his name in the journal; a new role holds at once."""

    def __init__(self, link: EngineLink, user_now: Callable[[], User | None]) -> None:
        self._link, self._user_now = link, user_now

    def may(self, role: Role) -> bool:
        user = self._user_now()
        return user is not None and user.role.may(role)

    async def do(self, command: Callable[[Client, str], object], done: str, needs: Role = Role.TRADER) -> Outcome:
        """`command` gets the client and the user's name; `done` is the sentence of success. Refusals are outcomes."""
        user = self._user_now()
        if user is None:
            return Outcome(is_done=False, text="Nothing was sent: you are logged out. Log in again.")
        if not user.role.may(needs):
            return Outcome(
                is_done=False, text=f"Nothing was sent: {user.name} has the role {user.role}, and this takes {needs}."
            )
        try:
            await self._link.command(lambda client: command(client, user.name))
        except WorkstationError as error:
            return Outcome(is_done=False, text=str(error))
        finally:
            await self._link.look()
        return Outcome(is_done=True, text=done)
