"""A small linear classifier in plain Python: TF-IDF of words, pairs of words and pieces of words; two weighings.

The first weighing is a support vector machine (squared hinge, one topic against the rest, rare topics count for
more). The second is complement naive Bayes, which helps where topics are about equally common; the more they differ,
the less it counts.

Deterministic: neither the order of the examples nor the process decides anything.
"""

import math
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter, mul

from digest.curation.text import clean, fold

LONGEST_TEXT = 6_000
"""Characters of a text that count; what an article is about, it says before that."""

PIECES = (2, 3, 4, 5)
"""Lengths of the pieces of words."""

COST = 1.0
SMOOTHING = 0.03
MOST_BAYES = 1.5
"""How much naive Bayes counts beside the support vector machine where all topics are equally common."""

PASSES = 24
TOLERANCE = 0.1

_WORD = re.compile(r"\$?\w+(?:['’]\w+)?")
_Vector = tuple[tuple[int, ...], tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class Model:
    """What was learned.

    Attributes:
        topics: in alphabetical order.
        idf: column and inverse document frequency of every feature.
        margins: for each topic a weight per column; the last is the topic's own.
        odds: the same from naive Bayes.
        share: how much naive Bayes counts.
    """

    topics: tuple[str, ...]
    idf: Mapping[str, tuple[int, float]]
    margins: tuple[list[float], ...]
    odds: tuple[list[float], ...]
    share: float

    def scores(self, text: str) -> dict[str, float]:
        """How much a text belongs to each topic; what is above the others wins."""
        vector = _vector(text, self.idf)
        values = _combined(_raw(vector, self.margins, bias=True), _raw(vector, self.odds, bias=False), self.share)
        return dict(zip(self.topics, values, strict=True))

    def decision(self, text: str) -> dict[str, float]:
        """The margins of the support vector machine alone: above 0 it takes the topic to be right."""
        vector = _vector(text, self.idf)
        return dict(zip(self.topics, _raw(vector, self.margins, bias=True), strict=True))

    def best(self, text: str) -> str:
        """The topic that a text belongs to most."""
        scores = self.scores(text)
        return min(self.topics, key=lambda topic: (-scores[topic], topic))

    def strongest(self, text: str, topic: str, most: int = 4) -> list[tuple[str, float]]:
        """The words of ``text`` that speak most for ``topic``, with the points that each gives in all its pieces."""
        weights = self.margins[self.topics.index(topic)]
        indices, values = _vector(text, self.idf)
        value_of = dict(zip(indices, values, strict=True))
        points: dict[str, float] = defaultdict(float)
        for word, feature in _owners(text):
            column = self.idf.get(feature)
            if column is not None:
                points[word] += weights[column[0]] * value_of[column[0]]
        return [pair for pair in sorted(points.items(), key=lambda pair: (-pair[1], pair[0])) if pair[1] > 0][:most]


def train(examples: Iterable[tuple[str, str]]) -> Model:
    """Learn topics from (text, topic) pairs.

    Raises:
        ValueError: fewer than two topics.
    """
    rows = sorted(examples)
    topics = tuple(sorted({topic for _, topic in rows}))
    if len(topics) < 2:
        raise ValueError("a classifier needs examples of at least two topics")
    share = _share(rows)
    return _fit(rows, topics, share)


def _share(rows: Sequence[tuple[str, str]]) -> float:
    """How much naive Bayes may count: it knows nothing of how common topics are, so the less, the more they differ."""
    sizes = Counter(topic for _, topic in rows).values()
    return MOST_BAYES * min(sizes) * len(sizes) / len(rows)


def macro_f1(pairs: Sequence[tuple[str, str]]) -> float:
    """The mean over the true topics of F1, from (true, said) pairs."""
    right, true, said = Counter[str](), Counter[str](), Counter[str]()
    for wanted, got in pairs:
        true[wanted] += 1
        said[got] += 1
        right[wanted] += wanted == got
    return math.fsum(2 * right[topic] / (true[topic] + said[topic]) for topic in true) / max(1, len(true))


def _fit(rows: Sequence[tuple[str, str]], topics: tuple[str, ...], share: float) -> Model:
    counts = [Counter(_features(text)) for text, _ in rows]
    idf = _idf(counts)
    vectors = [_weighed(count, idf) for count in counts]
    labels = [topic for _, topic in rows]
    per_topic = Counter(labels)
    margins: list[list[float]] = []
    for topic in topics:
        if len(topics) == 2 and margins:
            margins.append([-weight for weight in margins[0]])
            continue
        cost = COST * len(rows) / (len(topics) * per_topic[topic])
        margins.append(_machine(vectors, [label == topic for label in labels], cost, len(idf)))
    return Model(topics, idf, tuple(margins), tuple(_bayes(vectors, labels, topics, len(idf))), share)


def _machine(vectors: Sequence[_Vector], wanted: Sequence[bool], cost: float, columns: int) -> list[float]:
    """Weights by dual coordinate descent (Hsieh et al. 2008): one example after the other, those that matter again.

    ``cost`` is that of a mistake on what is wanted; the others cost ``COST``.
    """
    weights = [0.0] * (columns + 1)
    rows = [
        (
            itemgetter(*indices, columns) if indices else itemgetter(columns, columns),
            (*values, 1.0) if indices else (1.0, 0.0),
            (*indices, columns) if indices else (columns, columns),
            1.0 if yes else -1.0,
            0.5 / (cost if yes else COST),
        )
        for (indices, values), yes in zip(vectors, wanted, strict=True)
    ]
    alphas = [0.0] * len(rows)
    chance = random.Random(1)  # noqa: S311 (an order that is always the same)
    active = list(range(len(rows)))
    whole = True
    for _ in range(PASSES):
        chance.shuffle(active)
        worst, kept = 0.0, []
        for index in active:
            read, values, indices, sign, diagonal = rows[index]
            alpha = alphas[index]
            gradient = sign * sum(map(mul, read(weights), values)) - 1.0 + diagonal * alpha
            if alpha == 0.0 and gradient >= 0.0:
                if gradient < 0.3:
                    kept.append(index)
                continue
            kept.append(index)
            worst = max(worst, abs(gradient))
            length = 1.0 + diagonal + (1.0 if len(values) > 1 and values[0] else 0.0)
            fresh = max(0.0, alpha - gradient / length)
            if step := sign * (fresh - alpha):
                alphas[index] = fresh
                for column, value in zip(indices, values, strict=True):
                    weights[column] += step * value
        if worst < TOLERANCE:
            if whole:
                break
            active, whole = list(range(len(rows))), True
        else:
            active, whole = kept, False
    return weights


def _bayes(vectors: Sequence[_Vector], labels: Sequence[str], topics: Sequence[str], columns: int) -> list[list[float]]:
    """Complement naive Bayes (Rennie et al. 2003): a feature speaks for a topic as it is rare in all others."""
    sums = {topic: [SMOOTHING] * columns for topic in topics}
    everywhere = [0.0] * columns
    for (indices, values), label in zip(vectors, labels, strict=True):
        own = sums[label]
        for column, value in zip(indices, values, strict=True):
            own[column] += value
            everywhere[column] += value
    found = []
    for topic in topics:
        others = [all_of - own + 2 * SMOOTHING for all_of, own in zip(everywhere, sums[topic], strict=True)]
        total = math.log(math.fsum(others))
        found.append([total - math.log(other) for other in others])
    return found


def _raw(vector: _Vector, weights: Sequence[Sequence[float]], *, bias: bool) -> list[float]:
    indices, values = vector
    return [math.fsum(map(mul, map(row.__getitem__, indices), values)) + (row[-1] if bias else 0.0) for row in weights]


def _combined(margins: Sequence[float], odds: Sequence[float], share: float) -> list[float]:
    return [margin + share * odd for margin, odd in zip(_even(margins), _even(odds), strict=True)]


def _even(values: Sequence[float]) -> list[float]:
    """Values with mean 0 and spread 1, so that two scales can be added."""
    middle = math.fsum(values) / len(values)
    spread = math.sqrt(math.fsum((value - middle) ** 2 for value in values) / len(values)) or 1.0
    return [(value - middle) / spread for value in values]


def _owners(text: str) -> Iterable[tuple[str, str]]:
    """Each feature of a text with the word or words that it belongs to."""
    found = _WORD.findall(fold(clean(text[:LONGEST_TEXT])))
    for position, word in enumerate(found):
        yield word, word
        if position:
            pair = f"{found[position - 1]} {word}"
            yield pair, pair
        padded = f" {word} "
        for size in PIECES:
            for start in range(max(1, len(padded) - size + 1)):
                yield word, f"\0{padded[start : start + size]}"


def _features(text: str) -> list[str]:
    return [feature for _, feature in _owners(text)]


def _idf(counts: Sequence[Counter[str]]) -> dict[str, tuple[int, float]]:
    documents = Counter(feature for count in counts for feature in count)
    return {
        feature: (column, 1.0 + math.log((1 + len(counts)) / (1 + number)))
        for column, (feature, number) in enumerate(documents.items())
    }


def _vector(text: str, idf: Mapping[str, tuple[int, float]]) -> _Vector:
    return _weighed(Counter(_features(text)), idf)


def _weighed(count: Counter[str], idf: Mapping[str, tuple[int, float]]) -> _Vector:
    """Words and pieces each to length 1, then both together, so that long words don't drown the short."""
    whole: list[tuple[int, float]] = []
    pieces: list[tuple[int, float]] = []
    for feature, number in count.items():
        column = idf.get(feature)
        if column is not None:
            (pieces if feature[0] == "\0" else whole).append((column[0], (1.0 + math.log(number)) * column[1]))
    indices: list[int] = []
    values: list[float] = []
    for part in (whole, pieces):
        length = math.sqrt(2 * math.fsum(value * value for _, value in part)) or 1.0
        indices += [column for column, _ in part]
        values += [value / length for _, value in part]
    return tuple(indices), tuple(values)
