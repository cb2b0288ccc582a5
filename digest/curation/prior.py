"""What is known of outlets and words before anybody covers a story: learned from what became of earlier articles.

A mean over few articles says little, so it is shrunk: ``n`` articles count as ``n / (n + k)`` of their mean.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from digest.curation.text import words

SHRINK_SOURCE = 3.0
"""Articles by which an outlet's mean counts half."""

SHRINK_WORD = 30.0


@dataclass
class Prior:
    """A running memory: :meth:`learn` from what is over, ask about what is new.

    Gains (clicks, points, an editor's choice) count by their logarithm, against the mean of everything learned.
    """

    _sources: dict[str, list[float]] = field(default_factory=dict)
    _words: dict[str, list[float]] = field(default_factory=dict)
    _all: list[float] = field(default_factory=lambda: [0.0, 0.0])

    def learn(self, rows: Iterable[tuple[str, str, float]]) -> None:
        """Take in (source, title, gain) of articles whose time is over; a gain below 0 counts as 0."""
        for source, title, gain in rows:
            value = math.log1p(max(0.0, gain))
            memories = [self._all, self._sources.setdefault(source.casefold(), [0.0, 0.0])]
            memories += [self._words.setdefault(word, [0.0, 0.0]) for word in set(words(title))]
            for memory in memories:
                memory[0] += 1
                memory[1] += value

    def source(self, name: str) -> float:
        """What the outlet's articles gained beyond the usual; 0 for an unknown one."""
        return self._shrunk(self._sources.get(name.casefold()), SHRINK_SOURCE)

    def title(self, title: str) -> float:
        """What articles with these words in their titles gained beyond the usual."""
        return math.fsum(self._shrunk(self._words.get(word), SHRINK_WORD) for word in sorted(set(words(title))))

    def sources(self) -> Mapping[str, float]:
        """The points of all outlets that are known, by folded name: what ``rank`` takes as ``priors``."""
        return {name: round(self.source(name), 6) for name in sorted(self._sources)}

    def _shrunk(self, memory: list[float] | None, shrink: float) -> float:
        if memory is None or not self._all[0]:
            return 0.0
        usual = self._all[1] / self._all[0]
        return (memory[1] - memory[0] * usual) / (memory[0] + shrink)
