"""What a summariser is."""

from typing import Protocol


class Summariser(Protocol):
    """Writes one or two sentences about an article. Safe to use from several threads."""

    @property
    def name(self) -> str:
        """For logs, without secrets."""

    def summarise(self, title: str, text: str, *, language: str, longest: int) -> str:
        """The summary, as it was given: nothing about it is certain.

        Args:
            text: the article's own words.
            language: BCP 47 tag to write in; "" for the article's.
            longest: characters wished for at most.

        Raises:
            FetchError: it can't be reached, is too slow, or has too much to do.
            SummariserRefused: it refuses us: the key, the model's name.
            ParseError: its answer can't be read.
        """
