"""Token buckets, one for each client: pure, told the time."""

from collections import OrderedDict

from workstation.server.settings import Rate

MOST_CLIENTS = 1_024


class RateLimit:
    """Forgets the client that was quiet longest when there are too many to remember."""

    def __init__(self, rate: Rate, most_clients: int = MOST_CLIENTS) -> None:
        self._rate, self._most_clients = rate, most_clients
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def wait_s(self, client: str, now_s: float) -> float:
        """0 where this request may pass, and it is counted; otherwise how long to wait, and it is not."""
        tokens, seen_s = self._buckets.pop(client, (self._rate.burst, now_s))
        tokens = min(tokens + max(now_s - seen_s, 0.0) * self._rate.per_second, self._rate.burst)
        may_pass = tokens >= 1.0
        self._buckets[client] = (tokens - 1.0 if may_pass else tokens, now_s)
        if len(self._buckets) > self._most_clients:
            self._buckets.popitem(last=False)
        return 0.0 if may_pass else (1.0 - tokens) / self._rate.per_second
