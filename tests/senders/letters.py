"""Messages to send."""

from digest.domain.mail import Message

FROM = "news@example.com"


def letter(recipient: str, number: int = 1, body: str = "Hello.\r\n") -> Message:
    """A finished message with a Message-ID and a delivery id of its own."""
    message_id = f"<letter-{number}@example.com>"
    data = (
        f"From: News <{FROM}>\r\nTo: {recipient if recipient.isascii() else 'you@example.com'}\r\n"
        f"Subject: =?utf-8?q?N=C2=B0_{number}?=\r\n"
        "Date: Thu, 12 Mar 2026 11:00:00 +0000\r\n"
        f"Message-ID: {message_id}\r\n"
        f"List-Unsubscribe: <https://news.example.com/unsubscribe/{'x' * 90}>\r\n"
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/alternative; boundary="b"\r\n\r\n'
        f"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}"
        "--b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        "<p>Gr=C3=BC=C3=9Fe</p>\r\n--b--\r\n"
    ).encode()
    return Message(number, message_id, FROM, recipient, data)


def letters(*recipients: str) -> list[Message]:
    """One message for each recipient, numbered from 1."""
    return [letter(recipient, number) for number, recipient in enumerate(recipients, start=1)]
