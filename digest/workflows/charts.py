"""Charts of an issue: the newsroom's words, today's prices or written figures, drawn in the newsletter's colours."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from digest.domain.content import Image
from digest.domain.issue import Figure
from digest.domain.newsroom import ChartSpec, NewsletterSpec, Quote
from digest.render import figures, wording
from digest.render.palette import palette
from digest.render.words import says
from digest.workflows.context import Context
from digest.workflows.media import host_drawing
from digest.workflows.printing import renderer

SPAN = timedelta(days=7)
"""How far back the history of a quote reaches."""


def drawn(
    ctx: Context, spec: NewsletterSpec, charts: Iterable[ChartSpec], prices: Sequence[Quote], day: date
) -> tuple[Figure, ...]:
    """The charts for the newsletter's issue of ``day``; one whose prices are not at hand is left out."""
    words = renderer(ctx, spec.slug).words(spec.locale)
    wanted = [
        chart
        for chart in charts
        if (not chart.newsletters or spec.slug in chart.newsletters)
        and (chart.starts is None or chart.starts <= day)
        and (chart.until is None or day <= chart.until)
    ]
    made = (_Drawing(ctx, spec, chart, words).figure(prices) for chart in wanted)
    return tuple(figure for figure in made if figure is not None)


class _Drawing:
    def __init__(self, ctx: Context, spec: NewsletterSpec, chart: ChartSpec, words: Mapping[str, Any]) -> None:
        self.ctx, self.chart, self.words = ctx, chart, words
        self.colours = palette(spec.theme)
        self.place = wording.locale_of(spec.locale)
        self.say = says(words, str)["say"]

    def figure(self, prices: Sequence[Quote]) -> Figure | None:
        if self.chart.symbols:
            return self._of_prices([quote for quote in prices if len(quote.history) > 1])
        if self.chart.kind == "bars":
            return self._bars()
        lines = [figures.Series(line.name, line.values, self._value(line.values[-1])) for line in self.chart.series]
        labels = _few(self.chart.labels)
        image = figures.line_chart(lines, labels, self.colours, self._value)
        return self._finished(image, [self._told(line) for line in lines], labels)

    def _of_prices(self, quotes: Sequence[Quote]) -> Figure | None:
        by_symbol = {quote.symbol: quote for quote in quotes}
        shown = [by_symbol[symbol] for symbol in self.chart.symbols if symbol in by_symbol]
        if len(shown) < len(self.chart.symbols):
            return None
        as_of = min(quote.as_of for quote in shown)
        labels = [wording.numeric_day(as_of - SPAN * share, self.place) for share in (1, 0.5, 0)]
        write: Callable[[float], str]
        axis: Callable[[float], str]
        if len(shown) == 1:
            quote = shown[0]
            write = lambda value: wording.price(value, quote.currency, self.place)  # noqa: E731
            lines = [figures.Series(quote.name, quote.history, write(quote.history[-1]))]
            axis = write
        else:
            write = lambda value: wording.change(value, self.place)  # noqa: E731
            lines = [_rebased(quote, write) for quote in shown]
            axis = lambda value: wording.figure(value, "%", self.place)  # noqa: E731
        image = figures.line_chart(lines, labels, self.colours, axis)
        told = [self._told(line, write) for line in lines]
        return self._finished(image, told, labels, source=shown[0].source, as_of=as_of)

    def _bars(self) -> Figure:
        series = self.chart.series[0]
        image = figures.bar_chart(
            figures.Series(series.name, series.values), self.chart.labels, self.colours, self._value
        )
        told = [f"{label}: {self._value(value)}" for label, value in zip(self.chart.labels, series.values, strict=True)]
        return self._finished(image, told, ())

    def _finished(
        self, image: figures.Drawn, told: Sequence[str], labels: Sequence[str], *, source: str = "", as_of: Any = None
    ) -> Figure:
        ends = {"start": labels[0], "end": labels[-1]} if labels else {}
        sentence = self.words["chart_lines"] if labels else self.words["chart_bars"]
        alt = self.chart.alt or self.say(sentence, figures="; ".join(told), **ends)
        return Figure(
            title=self.chart.title,
            image=Image(host_drawing(self.ctx, image.data), alt, width=figures.WIDTH, height=figures.HEIGHT),
            comment=self.chart.comment,
            source=self.chart.source or source,
            as_of=as_of,
            table=tuple(told),
            key=image.key,
        )

    def _told(self, line: figures.Series, write: Callable[[float], str] | None = None) -> str:
        write = write or self._value
        return self.say(
            self.words["chart_line"], name=line.name, first=write(line.values[0]), last=write(line.values[-1])
        )

    def _value(self, value: float) -> str:
        return wording.figure(value, self.chart.unit, self.place)


def _rebased(quote: Quote, write: Callable[[float], str]) -> figures.Series:
    """The prices as change in per cent since the first, so that lines of different heights can be compared."""
    first = quote.history[0] or 1.0
    changes = tuple((price / first - 1) * 100 for price in quote.history)
    return figures.Series(quote.name, changes, write(changes[-1]))


def _few(labels: Sequence[str], most: int = 6) -> list[str]:
    """At most six labels, evenly spread from the first to the last."""
    if len(labels) <= most:
        return list(labels)
    return [labels[round(index * (len(labels) - 1) / (most - 1))] for index in range(most)]
