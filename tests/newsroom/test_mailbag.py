"""A mailbag is written as editors write, and read as questions and answers."""

from digest.domain.issue import Question
from digest.newsroom.mailbag import questions


def test_a_heading_asks_a_line_in_italics_says_who_and_the_rest_answers() -> None:
    body = "Hello.\n\n### Why?\n\n*Ann, Lyon*\n\nBecause *it* is.\n\nTwice.\n\n## And then? ##\nNothing.\n"
    assert questions(body) == (
        Question("Why?", "Because *it* is.\n\nTwice.", "Ann, Lyon"),
        Question("And then?", "Nothing.", ""),
    )


def test_an_empty_mailbag_has_no_questions() -> None:
    assert questions("Just words.\n") == ()
