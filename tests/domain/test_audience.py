"""Tokens open one door for one id, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.domain.audience import Signer
from digest.errors import InvalidToken

SIGNER = Signer(b"k" * 32)
IDS = st.integers(0, 2**63 - 1)


@given(IDS)
def test_a_token_opens_with_its_own_purpose_only(ident: int) -> None:
    token = SIGNER.sign("unsubscribe", ident)
    assert SIGNER.verify("unsubscribe", token) == ident
    with pytest.raises(InvalidToken):
        SIGNER.verify("preferences", token)


@given(IDS, st.integers(0, 31), st.sampled_from("ABCDxyz019-_=@ é"))
def test_a_token_with_one_letter_changed_is_refused(ident: int, place: int, letter: str) -> None:
    token = SIGNER.sign("confirm", ident)
    altered = token[:place] + letter + token[place + 1 :]
    if altered != token:
        with pytest.raises(InvalidToken):
            SIGNER.verify("confirm", altered)


@given(st.text(max_size=50))
def test_no_text_that_is_not_a_token_does_anything_but_be_refused(text: str) -> None:
    with pytest.raises(InvalidToken):
        SIGNER.verify("confirm", text)


def test_tokens_have_a_fixed_shape_that_needs_no_escaping() -> None:
    tokens = [SIGNER.sign("preferences", ident) for ident in (0, 1, 10**6, 2**62)]
    assert {len(token) for token in tokens} == {32}
    assert all(token.replace("-", "").replace("_", "").isalnum() for token in tokens)


def test_a_retired_key_still_opens_old_links_and_signs_nothing_new() -> None:
    old, new = Signer(b"a" * 32), Signer(b"b" * 32, retired=(b"a" * 32,))
    assert new.verify("unsubscribe", old.sign("unsubscribe", 7)) == 7
    with pytest.raises(InvalidToken):
        old.verify("unsubscribe", new.sign("unsubscribe", 7))


def test_a_message_id_is_the_same_on_every_attempt_and_differs_between_people() -> None:
    first = SIGNER.message_id(3, 5, "news.example.org")
    assert first == SIGNER.message_id(3, 5, "news.example.org")
    assert len({first, SIGNER.message_id(3, 6, "news.example.org"), SIGNER.message_id(5, 3, "news.example.org")}) == 3
    assert first.endswith("@news.example.org>")


def test_the_hash_of_an_address_ignores_case_and_needs_the_key() -> None:
    assert SIGNER.address_hash(" Ann@Example.org ") == SIGNER.address_hash("ann@example.org")
    assert SIGNER.address_hash("ann@example.org") != Signer(b"x" * 32).address_hash("ann@example.org")
