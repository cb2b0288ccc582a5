"""What must hold within a chart that an editor wrote."""

from digest.domain.newsroom import ChartSpec

MOST_SERIES, MOST_BARS = 4, 12
"""What can be told apart and read; the drawing refuses more."""


def problems_of(chart: ChartSpec) -> list[tuple[str, str]]:
    """What is wrong with a chart's figures: words and the key that they speak of."""
    if chart.symbols:
        return [("draws prices: leave `series` out", "series")] if chart.series else []
    found = [] if chart.series else [("is missing: write the figures, or `symbols` of prices", "series")]
    if chart.kind == "bars" and len(chart.series) > 1:
        found.append(("bars show one series", "series"))
    if chart.kind == "bars" and len(chart.labels) > MOST_BARS:
        found.append((f"has {len(chart.labels)} bars; {MOST_BARS} can be read", "labels"))
    if len(chart.series) > MOST_SERIES:
        found.append((f"has {len(chart.series)} lines; {MOST_SERIES} can be told apart", "series"))
    found += [
        (f"“{line.name}” has {len(line.values)} values for {len(chart.labels)} labels", "series")
        for line in chart.series
        if len(line.values) != len(chart.labels)
    ]
    return found
