"""Postmark's HTTP API: ``POST /email/batch`` (postmarkapp.com/developer/api/email-api#send-batch-emails).

Postmark takes no MIME by HTTP, so the finished message is taken apart again: its two bodies and its headers go
into the JSON, byte for byte where Postmark lets them. It writes Date, MIME-Version and Content-* itself.
"""

import json
import ssl
from collections.abc import Iterable, Iterator, Sequence
from email import message_from_bytes, policy
from typing import Any

import requests
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError, SSLError

from digest.domain.mail import Message, Outcome, SendResult
from digest.errors import MessageError, SenderRefused, SenderUnavailable
from digest.senders.base import HandOver
from digest.senders.dsn import Dsn, wrong
from digest.senders.envelope import wire_address

API = "api.postmarkapp.com"
MAX_MESSAGES = 500
MAX_BATCH = 50_000_000
"""Bytes of one request, attachments included (the documented limit is 50 MB)."""
MAX_MESSAGE = 10_000_000

# Written by Postmark itself, or carried in fields of their own.
_NOT_HEADERS = frozenset(
    {"from", "to", "subject", "date", "mime-version", "content-type", "content-transfer-encoding", "return-path"}
)
# postmarkapp.com/developer/api/overview#error-codes: what is wrong with us, not with one recipient:
# 10 token · 400, 401 sender signature · 402 pending · 405 out of credits · 412, 413 account not (yet) approved.
_OUR_FAULT = frozenset({10, 400, 401, 402, 405, 412, 413})
_TRY_LATER = frozenset({100, 429})
_INACTIVE = 406
"""The address bounced hard or complained before, and Postmark does not write to it any more."""


class PostmarkSender:
    """Postmark, by ``postmark://TOKEN@HOST``. One connection per request, so none is ever found stale."""

    name = "postmark"
    idempotent = False
    batch = MAX_MESSAGES

    def __init__(self, token: str, *, url: str, stream: str = "broadcast", timeout: float = 60) -> None:
        self._token, self._url, self._stream, self._timeout = token, url, stream, timeout

    @classmethod
    def from_dsn(cls, dsn: Dsn) -> "PostmarkSender":
        """``postmark://TOKEN@[HOST[:PORT]]?stream=broadcast&tls=verified&timeout=60``.

        Without a host it is ``api.postmarkapp.com``. ``tls=none`` (plain HTTP) is for a host on loopback only.

        Raises:
            ConfigError: no token, plain HTTP to another machine, an option that is not known.
        """
        dsn.allow("stream", "tls", "timeout")
        token = dsn.user or dsn.password
        if not token or not token.isascii() or not token.isprintable():
            raise wrong("needs the server's API token: write postmark://TOKEN@")
        host = dsn.host or API
        plain = dsn.choice("tls", "verified", "verified", "none") == "none"
        if plain and not dsn.is_loopback:
            raise wrong("would send the token and the mails in plain text: leave tls=none out")
        where = f"[{host}]" if ":" in host else host
        port = f":{dsn.port}" if dsn.port else ""
        url = f"{'http' if plain else 'https'}://{where}{port}/email/batch"
        return cls(token, url=url, stream=dsn.options.get("stream", "broadcast"), timeout=dsn.number("timeout", 60))

    def send(self, messages: Iterable[Message], hand_over: HandOver) -> Iterator[SendResult]:
        """See :class:`digest.senders.base.Sender`. "Sent" means accepted by Postmark.

        Raises:
            SenderUnavailable: not reached, too many requests, or down; nothing of the request was accepted.
            SenderRefused: token, account or sender signature.
        """
        for batch in _batches(messages, self._stream):
            ready: list[tuple[Message, bytes]] = []
            for message, item in batch:
                if isinstance(item, SendResult):
                    yield item
                else:
                    ready.append((message, item))
            if ready:
                yield from self._post(ready, hand_over)

    def close(self) -> None:
        """Nothing stays open between requests."""

    def _post(self, batch: Sequence[tuple[Message, bytes]], hand_over: HandOver) -> Iterator[SendResult]:
        messages = [message for message, _ in batch]
        for message in messages:
            hand_over(message)
        try:
            response = requests.post(
                self._url,
                data=b"[" + b",".join(item for _, item in batch) + b"]",
                headers={
                    "Accept": "application/json",
                    "Content-Type": "application/json",
                    "X-Postmark-Server-Token": self._token,
                },
                timeout=(min(10.0, self._timeout), self._timeout),
                allow_redirects=False,
            )
        except requests.RequestException as error:
            if _never_arrived(error):
                raise SenderUnavailable(f"can't reach Postmark: {_reason(error)}") from error
            for message in messages:
                yield SendResult(message, "unknown", detail=f"no answer from Postmark: {_reason(error)}")
            raise SenderUnavailable(f"Postmark broke off without an answer: {_reason(error)}") from error
        yield from _results(messages, response)


def _batches(messages: Iterable[Message], stream: str) -> Iterator[list[tuple[Message, bytes | SendResult]]]:
    """Requests within Postmark's limits; a message that can't be put into one is a result already."""
    batch: list[tuple[Message, bytes | SendResult]] = []
    size = 2
    for message in messages:
        item = _item(message, stream)
        length = 0 if isinstance(item, SendResult) else len(item) + 1
        if batch and (len(batch) == MAX_MESSAGES or size + length > MAX_BATCH):
            yield batch
            batch, size = [], 2
        batch.append((message, item))
        size += length
    if batch:
        yield batch


def _item(message: Message, stream: str) -> bytes | SendResult:
    try:
        fields = as_json(message, stream)
    except MessageError as error:
        return SendResult(message, "failed", code="300", detail=str(error))
    item = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
    if len(item) > MAX_MESSAGE:
        detail = f"the message has {len(item)} bytes, Postmark takes {MAX_MESSAGE}"
        return SendResult(message, "failed", code="413", detail=detail)
    return item


def as_json(message: Message, stream: str) -> dict[str, Any]:
    """A finished message in the words of Postmark's API.

    ``X-PM-KeepID`` makes Postmark keep our Message-ID. ``Metadata`` comes back in webhooks.

    Raises:
        MessageError: no address that can be mailed, or 8-bit characters in its local part.
    """
    address = wire_address(message.recipient)
    if not address.isascii():
        raise MessageError(f"Postmark does not take the address {message.recipient!r}: it needs SMTPUTF8")
    mail = message_from_bytes(message.data, policy=policy.default)
    html, text = mail.get_body(("html",)), mail.get_body(("plain",))
    metadata = {"message": message.message_id.strip("<>")[:80]}
    if message.delivery_id is not None:
        metadata["delivery"] = str(message.delivery_id)
    fields: dict[str, Any] = {
        "From": str(mail["From"]),
        "To": address,
        "Subject": str(mail["Subject"]),
        "Headers": [
            {"Name": name, "Value": str(value)} for name, value in mail.items() if name.lower() not in _NOT_HEADERS
        ]
        + [{"Name": "X-PM-KeepID", "Value": "true"}],
        "Metadata": metadata,
        "MessageStream": stream,
    }
    if html is not None:
        fields["HtmlBody"] = html.get_content()
    if text is not None:
        fields["TextBody"] = text.get_content()
    return fields


def _results(messages: Sequence[Message], response: requests.Response) -> Iterator[SendResult]:
    """Translate an answer; items stand in the order of the request."""
    if response.status_code != 200:
        yield from _refusal(messages, response)
        return
    try:
        items = response.json()
        complete = isinstance(items, list) and len(items) == len(messages)
    except requests.JSONDecodeError:
        complete = False
    if not complete:
        for message in messages:
            yield SendResult(message, "unknown", code="200", detail="Postmark's answer does not match the request")
        raise SenderUnavailable("Postmark's answer does not match the request: is this Postmark?")
    ours = ""
    for message, item in zip(messages, items, strict=True):
        error, words = int(item.get("ErrorCode", -1)), str(item.get("Message", ""))
        if error in _OUR_FAULT:
            ours = f"{error} {words}"  # no result: it was not accepted, and it is not the recipient's fault
            continue
        outcome: Outcome = "sent" if error == 0 else "deferred" if error in _TRY_LATER else "failed"
        yield SendResult(
            message,
            outcome,
            code=str(error or 200),
            detail=words,
            provider_id=str(item.get("MessageID", "")),
            speaks_of="" if outcome == "sent" else "hard" if error == _INACTIVE else "soft",
        )
    if ours:
        raise SenderRefused(f"Postmark refuses us: {ours}")


def _refusal(messages: Sequence[Message], response: requests.Response) -> Iterator[SendResult]:
    status, words = response.status_code, _words(response)
    if status in (429, 500, 503):
        # Documented as not processed: too many requests, an error that loses the request, planned maintenance.
        raise SenderUnavailable(f"Postmark can't take mail now: {words}")
    if status > 500:
        # A gateway in between gave up; what stands behind it may have the mails.
        for message in messages:
            yield SendResult(message, "unknown", code=str(status), detail=words)
        raise SenderUnavailable(f"Postmark did not answer: {words}")
    raise SenderRefused(f"Postmark refuses us: {words}")


def _words(response: requests.Response) -> str:
    try:
        body = response.json()
        return f"{response.status_code} {body['ErrorCode']} {body['Message']}"
    except (requests.JSONDecodeError, KeyError, TypeError):
        return f"{response.status_code} {response.reason}"


def _never_arrived(error: requests.RequestException) -> bool:
    """Whether no byte of the request can have reached the other side."""
    cause = error.args[0] if error.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else cause
    if isinstance(reason, SSLError):
        return bool(reason.args) and isinstance(reason.args[0], ssl.SSLCertVerificationError)
    return isinstance(reason, NewConnectionError | ConnectTimeoutError)


def _reason(error: requests.RequestException) -> str:
    """The innermost cause, without the URL and without the token."""
    cause: BaseException = error
    while cause.__context__ is not None:
        cause = cause.__context__
    return str(getattr(cause, "strerror", None) or cause or type(cause).__name__)
