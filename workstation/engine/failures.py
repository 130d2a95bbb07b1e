"""What fails and must stop nothing else: said once, and again only after it has worked in between."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

log = logging.getLogger(__name__)


class Failures:
    """Of many subjects that are dealt with again and again."""

    def __init__(self) -> None:
        self._failing: set[str] = set()

    @contextmanager
    def kept_from_others(self, subject: str) -> Iterator[None]:
        """The block may raise what it likes: that is logged with `subject`, once until a block of it ends well."""
        try:
            yield
        except Exception:  # whatever it is: the others go on
            if subject not in self._failing:
                self._failing.add(subject)
                log.exception("%s: it goes on without; said once until it works again", subject)
        else:
            self._failing.discard(subject)
