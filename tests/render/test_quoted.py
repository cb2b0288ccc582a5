"""Quoted-printable in whole lines: any join decodes to the join of the texts."""

import re
from quopri import decodestring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.errors import RenderError
from digest.render import quoted

texts = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\r")) | st.text(
    "@.F rom=\nab", max_size=300
)


@given(st.lists(texts, max_size=6))
def test_any_join_of_encoded_pieces_decodes_to_the_join_of_their_texts(pieces: list[str]) -> None:
    joined = b"".join(map(quoted.encode, pieces))
    assert decodestring(joined).replace(b"\r\n", b"\n").decode() == "".join(pieces)


@given(texts)
def test_every_line_is_short_complete_ascii_and_starts_with_no_dot(text: str) -> None:
    encoded = quoted.encode(text)
    assert encoded.isascii()
    assert encoded == b"" or encoded.endswith(b"\r\n")
    for line in encoded.split(b"\r\n"):
        assert len(line) <= 76
        assert not line.startswith(b".")
        assert not line.startswith(b"From ")
        assert not re.search(rb"=(?![0-9A-F]{2}|$)|[\r\n\t]|\s$", line)


@given(texts)
def test_no_text_ever_encodes_to_a_token(text: str) -> None:
    assert b"@@" not in quoted.encode(f"@@UNSUBSCRIBE@@{text}@@NAME@@")


@given(texts, texts, st.text("@ABN.=ü&<", max_size=200))
def test_a_token_is_replaced_by_its_value_and_by_nothing_in_the_value(before: str, after: str, value: str) -> None:
    body = quoted.pieces(f"{before}\0NAME\0{after}", re.compile("\0([A-Z]+)\0")) if "\0" not in before + after else b""
    if body:
        filled = quoted.fill(body, {"NAME": value, "URL": "never"})
        assert decodestring(filled).replace(b"\r\n", b"\n").decode() == before + value + after


def test_a_token_without_a_value_is_named() -> None:
    with pytest.raises(RenderError, match="PREFERENCES"):
        quoted.fill(quoted.token("PREFERENCES"), {"NAME": "x"})
