"""Whatever servers do, however many connections there are, and whoever gives up in the middle: what is said is true."""

import random
from collections import Counter
from collections.abc import Iterator

import pytest

from digest.domain.mail import Message, SendResult
from digest.errors import SenderUnavailable
from digest.senders.smtp import SmtpSender
from tests.senders.fickle import Fickle
from tests.senders.letters import letter


class GivenUp(Exception):
    """By those who asked us to send."""


@pytest.mark.parametrize("seed", range(60))
def test_whatever_happens_each_message_has_the_result_that_became_of_it_or_none(seed: int) -> None:
    lot = random.Random(seed)
    count, connections = lot.choice([1, 5, 12, 30]), lot.choice([1, 2, 3, 5])
    broken_mail = lot.randrange(40) if lot.randrange(4) == 0 else -1
    broken_hand = lot.randrange(40) if lot.randrange(4) == 0 else -1
    handed: list[str] = []
    results: list[SendResult] = []

    def made() -> Iterator[Message]:
        for number in range(count):
            if number == broken_mail:
                raise GivenUp
            yield letter(f"r{number}@x.example", number + 1)

    def hand_over(message: Message) -> None:
        if len(handed) == broken_hand:
            raise GivenUp
        handed.append(message.recipient)

    tls = lot.randrange(4) == 0
    with Fickle(seed, calm=lot.choice([0, 50, 80, 95]), pipelining=lot.randrange(3) > 0, tls=tls) as server:
        sender = SmtpSender(
            "127.0.0.1", server.port, tls="required" if tls else "none", implicit=tls, ehlo="client.example",
            timeout=5, final_timeout=0.1, per_connection=lot.choice([1, 2, 3, 1000]),
        )  # fmt: skip
        is_whole = False
        try:
            for result in sender.send_abreast(made(), hand_over, connections):
                results.append(result)  # noqa: PERF402  (what came before an error must be kept)
            is_whole = True
        except (SenderUnavailable, GivenUp):
            pass
        sender.close()

    outcomes = {result.message.recipient: result.outcome for result in results}
    assert len(outcomes) == len(results), "nobody has two results"
    assert not is_whole or len(results) == count, "whoever ends well has a result for everybody"
    assert set(handed) <= set(outcomes), "who was handed over has a result"
    assert max(Counter(server.taken).values(), default=1) == 1, "nobody is sent to twice"
    assert {outcomes.get(recipient) for recipient in server.taken} <= {"sent", "unknown"}
    assert {recipient for recipient, outcome in outcomes.items() if outcome == "sent"} <= set(server.taken)
    assert {recipient for recipient, outcome in outcomes.items() if outcome == "unknown"} <= set(handed)
