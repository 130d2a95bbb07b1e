"""Passwords: which are taken, how they are kept, and how long a guess takes, whoever is guessed."""

import secrets
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from workstation.errors import BadInput

LEAST_CHARACTERS = 10
MOST_CHARACTERS = 200


def check_password(password: str, name: str) -> None:
    """Raises BadInput, without the password in its words."""
    if not LEAST_CHARACTERS <= len(password) <= MOST_CHARACTERS:
        raise BadInput(
            f"password of {len(password)} characters: expected {LEAST_CHARACTERS} to {MOST_CHARACTERS}; "
            "four words in a row make a good one"
        )
    if not is_text(password):
        raise BadInput("password: expected text; it holds a line break, a control character or broken UTF-8")
    if password.casefold().strip() == name.casefold():
        raise BadInput("password: expected something else than the name of the user")


def is_text(password: str) -> bool:
    """Whether it could have been typed."""
    return not any(unicodedata.category(one) in ("Cc", "Cs") for one in password)


class Passwords:
    """argon2id; parameters are the library's, unless a test brings quicker ones."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = PasswordHasher() if hasher is None else hasher
        self._decoy: str | None = None

    def hash(self, password: str) -> str:
        return self._hasher.hash(_composed(password))

    def is_right(self, password: str, hashed: str | None) -> bool:
        """With None, for a user that there is not, False after the same work."""
        if self._decoy is None:  # made before the first guess of any kind, so that no kind is slower
            self._decoy = self._hasher.hash(secrets.token_urlsafe())
        guess = password if len(password) <= MOST_CHARACTERS and is_text(password) else ""
        try:
            is_right = self._hasher.verify(self._decoy if hashed is None else hashed, _composed(guess))
        except (VerificationError, InvalidHashError):
            return False
        return is_right and hashed is not None

    def is_outdated(self, hashed: str) -> bool:
        """Whether today's parameters are others."""
        return self._hasher.check_needs_rehash(hashed)


def _composed(password: str) -> str:
    """One form of each letter: keyboards differ in how they write an umlaut."""
    return unicodedata.normalize("NFC", password)
