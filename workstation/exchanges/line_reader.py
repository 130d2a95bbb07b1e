"""Lines out of the pieces in which a connection brings them. Pure."""


class LineReader:
    """A line longer than `most` bytes is left out up to its end, and counted; no more than that is ever held."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = bytearray()
        self._leaves_out = False
        self.too_long = 0

    def take(self, data: bytes) -> list[bytes]:
        """The lines that end in this piece, without their ends."""
        *ended, begun = data.split(b"\n")
        lines = [line for piece in ended if (line := self._end(piece)) is not None]
        self._hold(begun)
        return lines

    def _end(self, piece: bytes) -> bytes | None:
        """The line that ends with this piece; None for one that is too long."""
        self._hold(piece)
        line = None if self._leaves_out else bytes(self._held)
        self._held.clear()
        self._leaves_out = False
        return line

    def _hold(self, piece: bytes) -> None:
        if not self._leaves_out and len(self._held) + len(piece) > self._most:
            self._leaves_out = True
            self.too_long += 1
            self._held.clear()
        if not self._leaves_out:
            self._held += piece
