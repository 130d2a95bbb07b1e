"""Bybit's three kinds of socket: public topics, an account's topics, and orders."""

from typing import Any

import msgspec

from workstation.simulator.accounts import Account
from workstation.simulator.bybit.answers import BybitAnswers
from workstation.simulator.bybit.auth import DEFAULT_WINDOW, check_window, socket_account
from workstation.simulator.bybit.errors import OF_REASON, BybitError
from workstation.simulator.bybit.streams import PRIVATE_TOPICS, BybitStreams
from workstation.simulator.refusals import Reason
from workstation.simulator.request_fields import as_texts, json_object
from workstation.simulator.socket_calls import answer_call
from workstation.simulator.socket_hub import Client
from workstation.simulator.wire import WireParts

MOST_TOPICS = 10
"""In one request for topics of a spot market."""
Json = dict[str, Any]


class PublicTalk:
    """A socket of public topics."""

    envelope = None

    def __init__(self, streams: BybitStreams, connection: str) -> None:
        self._streams, self._hub, self._connection = streams, streams.hub, connection

    def opened(self, client: Client) -> None:
        """Nothing is told unasked."""

    def said(self, client: Client, text: str) -> None:
        """ping, subscribe, unsubscribe."""
        message = json_object(text)
        op, topics = message.get("op"), topics_of(message)
        if op == "ping":
            self._answer(client, message, "pong")
        elif op == "subscribe":
            problem = self._refused(client, topics)
            self._answer(client, message, problem or "subscribe", is_done=not problem)
            for topic in () if problem else topics:
                first = self._streams.first_message(topic)
                self._hub.subscribe(client, topic)
                if first is not None:
                    self._hub.answer(client, first)
        elif op == "unsubscribe":
            for topic in topics:
                self._hub.unsubscribe(client, topic)
            self._answer(client, message, "")
        else:
            self._answer(client, message, "error:invalid op", is_done=False)

    def _refused(self, client: Client, topics: list[str]) -> str:
        if not topics or len(topics) > MOST_TOPICS:
            return f"args size >{MOST_TOPICS}" if topics else "error:empty args"
        unknown = [topic for topic in topics if not self._streams.is_known(topic)]
        if unknown:
            return f"error:handler not found,topic:{unknown[0]}"
        again = [topic for topic in topics if topic in client.streams]
        return f"error:already subscribed,topic:{again[0]}" if again else ""

    def _answer(self, client: Client, message: Json, said: str, *, is_done: bool = True) -> None:
        answer = {"success": is_done, "ret_msg": said, "conn_id": self._connection, "op": message.get("op", "")}
        if "req_id" in message:
            answer["req_id"] = str(message["req_id"])
        self._hub.answer(client, msgspec.json.encode(answer))


class PrivateTalk:
    """A socket of one account's topics, once it has signed for it."""

    envelope = None

    def __init__(self, parts: WireParts, connection: str) -> None:
        self._hub, self._exchange, self._wall_ns = parts.hub, parts.exchange, parts.wall_ns
        self._connection = connection
        self._account: Account | None = None

    def opened(self, client: Client) -> None:
        """Nothing is told unasked."""

    def said(self, client: Client, text: str) -> None:
        """ping, auth, subscribe, unsubscribe."""
        message = json_object(text)
        op, problem = message.get("op"), ""
        answer: Json = {"conn_id": self._connection, "op": op}
        if "req_id" in message:
            answer["req_id"] = str(message["req_id"])
        if op == "ping":
            self._hub.answer(client, msgspec.json.encode(answer | {"op": "pong", "args": [str(self._now_ms())]}))
            return
        if op == "auth":
            try:
                self._account = socket_account(self._exchange.accounts, message.get("args"), self._now_ms())
            except BybitError as error:
                problem = error.text
        elif op in ("subscribe", "unsubscribe"):
            problem = self._change(client, message)
        else:
            problem = "error:invalid op"
        answer |= {"success": not problem, "ret_msg": problem}
        if problem:
            answer["request"] = {"op": op, "args": message.get("args")}
        self._hub.answer(client, msgspec.json.encode(answer))

    def _change(self, client: Client, message: Json) -> str:
        """Begins or ends topics; what was wrong, if anything."""
        if self._account is None:
            return "Request not authorized"
        topics = topics_of(message)
        unknown = [topic for topic in topics if topic not in PRIVATE_TOPICS]
        if unknown or not topics:
            return f"error:handler not found,topic:{unknown[0] if unknown else ''}"
        change = self._hub.subscribe if message["op"] == "subscribe" else self._hub.unsubscribe
        for topic in topics:
            change(client, f"user:{self._account.credentials.api_key}:{topic}")
        return ""

    def _now_ms(self) -> int:
        return self._wall_ns() // 1_000_000


class TradeTalk:
    """A socket by which one account sends orders, once it has signed for it."""

    envelope = None

    def __init__(self, answers: BybitAnswers, parts: WireParts, connection: str) -> None:
        self._answers, self._parts, self._connection = answers, parts, connection
        self._account: Account | None = None

    def opened(self, client: Client) -> None:
        """Nothing is told unasked."""

    def said(self, client: Client, text: str) -> None:
        """auth, ping, and orders, unless a fault says otherwise."""
        message = json_object(text)
        op = str(message.get("op"))
        answer_call(self._parts, client, op, lambda is_missing: self._answer(op, message, is_missing))

    def _answer(self, op: str, message: Json, is_missing: bool) -> Json:
        answer: Json = {"retCode": 0, "retMsg": "OK", "op": op, "connId": self._connection}
        if "reqId" in message:
            answer["reqId"] = str(message["reqId"])
        try:
            if is_missing:
                raise BybitError(*OF_REASON[Reason.UNKNOWN_ORDER])
            return answer | self._result(op, message)
        except BybitError as error:
            return answer | {"retCode": error.code, "retMsg": error.text, "data": {}}

    def _result(self, op: str, message: Json) -> Json:
        now_ms = self._parts.wall_ns() // 1_000_000
        if op == "auth":
            self._account = socket_account(self._parts.exchange.accounts, message.get("args"), now_ms)
            return {}
        if op == "ping":
            return {"op": "pong", "data": [str(now_ms)]}
        if self._account is None:
            raise BybitError(20003, "Request not authorized")
        paths = {"order.create": "/v5/order/create", "order.cancel": "/v5/order/cancel"}
        arguments = message.get("args")
        if op not in paths or not isinstance(arguments, list) or len(arguments) != 1:
            raise BybitError(10001, f"Request parameter error: op {op}.")
        self._check_window(message, now_ms)
        fields = as_texts(arguments[0] if isinstance(arguments[0], dict) else {})
        data = self._answers.private("POST", paths[op], self._account, fields)
        return {"data": data, "header": {"Timenow": str(now_ms)}}

    def _check_window(self, message: Json, now_ms: int) -> None:
        header = message.get("header")
        stamps = as_texts(header if isinstance(header, dict) else {})
        check_window(stamps.get("X-BAPI-TIMESTAMP", ""), stamps.get("X-BAPI-RECV-WINDOW", DEFAULT_WINDOW), now_ms)


def topics_of(message: Json) -> list[str]:
    """The topics that a message names."""
    named = message.get("args")
    return [topic for topic in named if isinstance(topic, str)] if isinstance(named, list) else []
