"""A linear classifier on numpy and scipy: two weighings of words, pairs of words and pieces of words.

The first weighing is a support vector machine (squared hinge, one topic against the rest, rare topics count for
more). The second is complement naive Bayes, which helps where topics are about equally common; the more they differ,
the less it counts.

Deterministic: neither the order of the examples nor the process decides anything.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from digest.curation.features import Features, counted, owners

COST = 1.0
SMOOTHING = 0.03
MOST_BAYES = 1.5
"""How much naive Bayes counts beside the support vector machine where all topics are equally common."""

STEPS, INNER_STEPS = 30, 25
TOLERANCE = 0.01
"""The gradient, against that at the start and times the rarer kind's share, at which a weighing is good enough."""


@dataclass(frozen=True, slots=True)
class Model:
    """What was learned.

    Attributes:
        topics: in alphabetical order.
        features: what texts are taken apart into.
        margins: a column of weights for each topic; the last row is the topic's own.
        odds: the same from naive Bayes.
        share: how much naive Bayes counts.
    """

    topics: tuple[str, ...]
    features: Features
    margins: np.ndarray
    odds: np.ndarray
    share: float

    def scores(self, text: str) -> dict[str, float]:
        """How much a text belongs to each topic; what is above the others wins."""
        return dict(zip(self.topics, map(float, self._scores([text])[0]), strict=True))

    def decision(self, text: str) -> dict[str, float]:
        """The margins of the support vector machine alone: above 0 it takes the topic to be right."""
        margins = (self.features.rows([counted(text)]) @ self.margins)[0]
        return dict(zip(self.topics, map(float, margins), strict=True))

    def best(self, *texts: str) -> list[str]:
        """The topic that each text belongs to most."""
        return [self.topics[int(place)] for place in np.argmax(self._scores(texts), axis=1)] if texts else []

    def strongest(self, text: str, topic: str, most: int = 4) -> list[tuple[str, float]]:
        """The words of ``text`` that speak most for ``topic``, with the points that each gives in all its pieces."""
        weights = self.margins[:, self.topics.index(topic)]
        row = self.features.rows([counted(text)])
        value_of = dict(zip(row.indices.tolist(), (row.data * weights[row.indices]).tolist(), strict=True))
        points: dict[str, float] = defaultdict(float)
        for word, feature in owners(text):
            column = self.features.columns.get(feature)
            if column is not None:
                points[word] += value_of[column]
        return [pair for pair in sorted(points.items(), key=lambda pair: (-pair[1], pair[0])) if pair[1] > 0][:most]

    def _scores(self, texts: Iterable[str]) -> np.ndarray:
        rows = self.features.rows(map(counted, texts))
        found: np.ndarray = _even(rows @ self.margins) + self.share * _even(rows @ self.odds)
        return found


def train(examples: Iterable[tuple[str, str]]) -> Model:
    """Learn topics from (text, topic) pairs.

    Raises:
        ValueError: fewer than two topics.
    """
    rows = sorted(examples)
    labels = np.array([topic for _, topic in rows])
    topics = tuple(sorted(set(labels.tolist())))
    if len(topics) < 2:
        raise ValueError("a classifier needs examples of at least two topics")
    counts = [counted(text) for text, _ in rows]
    features = Features.of(counts)
    matrix = features.rows(counts)
    return Model(
        topics, features, _margins(matrix, labels, topics), _odds(matrix, labels, topics), _share(labels.tolist())
    )


def macro_f1(pairs: Sequence[tuple[str, str]]) -> float:
    """The mean over the true topics of F1, from (true, said) pairs."""
    right, true, said = Counter[str](), Counter[str](), Counter[str]()
    for wanted, got in pairs:
        true[wanted] += 1
        said[got] += 1
        right[wanted] += wanted == got
    return math.fsum(2 * right[topic] / (true[topic] + said[topic]) for topic in true) / max(1, len(true))


def _share(labels: Sequence[str]) -> float:
    """How much naive Bayes may count: it knows nothing of how common topics are, so the less, the more they differ."""
    sizes = Counter(labels).values()
    return MOST_BAYES * min(sizes) * len(sizes) / len(labels)


def _margins(rows: csr_matrix, labels: np.ndarray, topics: Sequence[str]) -> np.ndarray:
    """Every topic's weights; with two topics, one is the other's opposite."""
    found: list[np.ndarray] = []
    turned = rows.T.tocsr()
    for topic in topics:
        if len(topics) == 2 and found:
            found.append(-found[0])
            continue
        wanted = labels == topic
        cost = np.where(wanted, COST * len(labels) / (len(topics) * np.count_nonzero(wanted)), COST)
        found.append(_machine(rows, turned, np.where(wanted, 1.0, -1.0), cost))
    return np.column_stack(found)


def _machine(rows: csr_matrix, turned: csr_matrix, sign: np.ndarray, cost: np.ndarray) -> np.ndarray:
    """The weights w with the least ½|w|² + Σ cost · max(0, 1 − sign · row·w)², by Newton's method.

    Each step is sought by conjugate gradients (Keerthi and DeCoste 2005) and halved until it helps.
    """
    weights, seen = np.zeros(rows.shape[1]), np.zeros(rows.shape[0])
    rarest = min(np.count_nonzero(sign > 0.0), np.count_nonzero(sign < 0.0)) / len(sign)
    start = 0.0
    for _ in range(STEPS):
        short = np.maximum(0.0, 1.0 - sign * seen)
        gradient = weights - 2.0 * (turned @ (cost * sign * short))
        size = _size(gradient)
        start = start or size
        if size <= TOLERANCE * rarest * start:
            break
        step = _newton_step(rows, turned, gradient, 2.0 * cost * (short > 0.0))
        moved = rows @ step
        now, length = _loss(weights, short, cost), 1.0
        while length > 1e-4:
            fresh = np.maximum(0.0, 1.0 - sign * (seen + length * moved))
            if _loss(weights + length * step, fresh, cost) < now:
                break
            length /= 2.0
        weights, seen = weights + length * step, seen + length * moved
    return weights


def _newton_step(rows: csr_matrix, turned: csr_matrix, gradient: np.ndarray, active: np.ndarray) -> np.ndarray:
    """What (I + Xᵀ active X) turns into −gradient, near enough."""
    step = np.zeros(len(gradient))
    rest = -gradient
    along = rest.copy()
    before = first = _dot(rest, rest)
    for _ in range(INNER_STEPS):
        bent = along + turned @ (active * (rows @ along))
        far = before / _dot(along, bent)
        step += far * along
        rest -= far * bent
        left = _dot(rest, rest)
        if left <= 0.01 * first:
            break
        along = rest + (left / before) * along
        before = left
    return step


def _loss(weights: np.ndarray, short: np.ndarray, cost: np.ndarray) -> float:
    return 0.5 * _dot(weights, weights) + _dot(cost, short * short)


def _odds(rows: csr_matrix, labels: np.ndarray, topics: Sequence[str]) -> np.ndarray:
    """Complement naive Bayes (Rennie et al. 2003): a feature speaks for a topic as it is rare in all others."""
    everywhere = np.asarray(rows.sum(axis=0)).ravel()
    found = []
    for topic in topics:
        others = (everywhere - np.asarray(rows[labels == topic].sum(axis=0)).ravel() + SMOOTHING)[:-1]
        found.append(np.append(math.log(float(np.sum(others))) - np.log(others), 0.0))
    return np.column_stack(found)


def _even(values: np.ndarray) -> np.ndarray:
    """Rows with mean 0 and spread 1, so that two scales can be added."""
    spread = np.std(values, axis=1, keepdims=True)
    even: np.ndarray = (values - np.mean(values, axis=1, keepdims=True)) / np.where(spread > 0.0, spread, 1.0)
    return even


def _dot(one: np.ndarray, other: np.ndarray) -> float:
    # Not by BLAS, which shares long sums among threads and so rounds differently from machine to machine.
    return float(np.sum(one * other))


def _size(vector: np.ndarray) -> float:
    return math.sqrt(_dot(vector, vector))
