"""Editors' rules: articles that are one story, and articles that are two, whatever their words say."""

from collections import defaultdict
from collections.abc import Sequence

from digest.curation.dedupe import Families
from digest.domain.content import Candidate, StoryRule


def obey(articles: Sequence[Candidate], clusters: Sequence[int], rules: Sequence[StoryRule]) -> list[int]:
    """The clusters, changed where a rule asks for it. Of two rules that clash the later one holds.

    Articles that are not here still link those that are: what was put together with one of them stays together when it
    has left the window. Stories with an article that must be together become one, and
    one that holds articles to keep apart is divided: the rest of it stays with the earliest article that it may
    stay with.

    Args:
        articles: sorted by (published_at, id).
        clusters: of every article.
        rules: oldest first.
    """
    place = {article.id: position for position, article in enumerate(articles)}
    for rule in rules:
        place.setdefault(rule.one, len(place))  # behind all that are here
        place.setdefault(rule.other, len(place))
    units = Families(len(place))
    apart: dict[int, set[int]] = defaultdict(set)
    for rule in reversed(rules):
        if rule.one == rule.other:
            continue
        one, other = units.find(place[rule.one]), units.find(place[rule.other])
        if rule.together and one != other and other not in apart[one]:
            units.join(one, other)
            low, high = sorted((one, other))
            foes = apart.pop(high, set())
            apart[low] |= foes
            for foe in foes:
                apart[foe] = apart[foe] - {high} | {low}
        elif not rule.together and one != other:
            apart[one].add(other)
            apart[other].add(one)
    joined = Families(len(articles))
    first: dict[int, int] = {}
    for position, cluster in enumerate(clusters):
        joined.join(first.setdefault(cluster, position), position)
        joined.join(units.find(position), position)
    members: dict[int, list[int]] = defaultdict(list)
    for position in range(len(articles)):
        members[joined.find(position)].append(position)
    found = [0] * len(articles)
    for story in members.values():
        rooms: dict[int, set[int]] = {}
        home: dict[int, int] = {}
        for position in story:
            unit = units.find(position)
            if unit not in home:
                foes = apart.get(unit, set())
                home[unit] = next((room for room, held in rooms.items() if foes.isdisjoint(held)), position)
                rooms.setdefault(home[unit], set()).add(unit)
            found[position] = home[unit]
    return found
