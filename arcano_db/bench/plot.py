"""The ratios as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib
from matplotlib import pyplot

from arcano_db.bench.timing import Result


def draw(results: Sequence[Result], about: Mapping[str, object], path: Path) -> None:
    """Draw a bar for each ratio, with its spread, into a .png or .svg file."""
    matplotlib.use("agg")  # no screen is needed
    matplotlib.rcParams["svg.hashsalt"] = "arcano"
    shown = [result for result in results if result.ratio is not None]
    figure, axes = pyplot.subplots(figsize=(10, 1.2 + 0.34 * max(len(shown), 1)), layout="constrained")
    ratios = [result.ratio or 0 for result in shown]
    spread = [
        [r.ratio - (r.ratio_least or 0) for r in shown if r.ratio],
        [(r.ratio_most or 0) - r.ratio for r in shown if r.ratio],
    ]
    groups = list(dict.fromkeys(result.group for result in shown))
    colours = [f"C{groups.index(result.group) % 10}" for result in shown]
    axes.barh(
        range(len(shown)), ratios, xerr=spread, color=colours, error_kw={"ecolor": "#444444", "capsize": 2}
    )
    labels = [
        f"{result.case} / {result.against}{' (more is better)' if result.unit == '/s' else ''}"
        for result in shown
    ]
    axes.set_yticks(range(len(shown)), labels, fontsize=8)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_xscale("log")
    axes.set_xlim(right=4 * max(ratios, default=1))
    axes.axvline(1, color="#444444", linewidth=0.8)
    for place, ratio in enumerate(ratios):
        axes.annotate(
            f"{ratio:.2f}", (ratio, place), xytext=(6, 0), textcoords="offset points", va="center", fontsize=8
        )
    axes.set_xlabel("ratio of the medians of one run; the thin line spans all runs")
    axes.set_title(
        f"arcano-db bench: PostgreSQL {about['postgresql']},"
        f" 4 tables of {about['rows_in_each_of_4_tables']:,} finished jobs",
        fontsize=10,
    )
    # No date: of the same results comes the same file.
    metadata = {"Date": None} if path.suffix.lower() == ".svg" else None
    figure.savefig(path, dpi=120, metadata=metadata)
    pyplot.close(figure)
