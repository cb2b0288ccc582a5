"""A server with chat completions, as it is and as it goes wrong."""

import json
import time
from collections.abc import Iterator

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from digest.errors import ConfigError, DigestError, FetchError, ParseError, SummariserRefused
from digest.summariser.chat import ChatSummariser

SECRET = "sk-very-secret"


def answer(words: object) -> str:
    return json.dumps({"choices": [{"message": {"role": "assistant", "content": words}}]})


@pytest.fixture
def summariser(httpserver: HTTPServer) -> Iterator[ChatSummariser]:
    made = ChatSummariser(httpserver.url_for("/v1"), "small", SECRET, deadline=0.5)
    yield made
    made.close()


def ask(summariser: ChatSummariser) -> str:
    return summariser.summarise("A title", "A text. " * 5_000, language="de", longest=300)


def test_title_text_language_and_key_are_sent_and_the_words_come_back(
    httpserver: HTTPServer, summariser: ChatSummariser
) -> None:
    httpserver.expect_request("/v1/chat/completions", method="POST").respond_with_data(answer("Two words."))
    assert ask(summariser) == "Two words."
    (request, _), *rest = httpserver.log
    asked = json.loads(request.get_data())
    assert (asked["model"], asked["temperature"], rest) == ("small", 0, [])
    assert request.headers["Authorization"] == f"Bearer {SECRET}"
    assert asked["messages"][1]["content"].startswith("A title\n\nA text. ")
    assert len(asked["messages"][1]["content"]) < 13_000
    assert "in de" in asked["messages"][0]["content"]


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, "no", SummariserRefused),
        (404, "no such model", SummariserRefused),
        (429, "slow down", FetchError),
        (500, "oops", FetchError),
        (302, "elsewhere", FetchError),
        (200, "not json", ParseError),
        (200, "[]", ParseError),
        (200, '{"choices": []}', ParseError),
        (200, answer(None), ParseError),
        (200, answer(["a", "list"]), ParseError),
        (200, "[" * 100_000, ParseError),
        (200, "x" * 300_000, ParseError),
    ],
)
def test_any_other_answer_is_an_error_of_ours_without_the_key_in_it(
    status: int, body: str, error: type[DigestError], httpserver: HTTPServer, summariser: ChatSummariser
) -> None:
    headers = {"Location": "http://169.254.169.254/"} if status == 302 else {}
    httpserver.expect_request("/v1/chat/completions").respond_with_data(body, status=status, headers=headers)
    with pytest.raises(error) as caught:
        ask(summariser)
    assert SECRET not in str(caught.value)


def test_a_server_that_hangs_is_left_at_the_deadline(httpserver: HTTPServer, summariser: ChatSummariser) -> None:
    def hang(_: Request) -> Response:
        time.sleep(1)
        return Response(answer("late"))

    httpserver.expect_request("/v1/chat/completions").respond_with_handler(hang)
    with pytest.raises(FetchError, match=r"0\.5 seconds"):
        ask(summariser)


def test_a_server_that_is_not_there_is_a_passing_trouble() -> None:
    with pytest.raises(FetchError, match="refuses connections"):
        ask(ChatSummariser("http://127.0.0.1:9/v1", "small"))


@pytest.mark.parametrize(
    ("url", "model"), [("ftp://a/", "m"), ("nothing", "m"), ("http://u:p@a/v1", "m"), ("http://a/v1", "")]
)
def test_an_address_or_model_that_cannot_be_right_is_refused_at_the_start(url: str, model: str) -> None:
    with pytest.raises(ConfigError, match="DIGEST_SUMMARISER"):
        ChatSummariser(url, model)
