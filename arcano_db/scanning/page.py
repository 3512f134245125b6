"""A scan as one page of HTML, to show to a colleague: it loads nothing from elsewhere and has no script."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from html import escape
from itertools import pairwise

from arcano_db.calls.printable import printable
from arcano_db.scanning import words
from arcano_db.scanning.report import AGES, WAITS, Report, Table, steps_of, whole_minutes

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2430; --paper: #fbfbf9; --line: #d8dbe0; --bar: #7b93b8; --ghost: #c0392b; --mark: #1c7c54; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e7ec; --paper: #14181f; --line: #353c48; --bar: #6d88b4; --ghost: #ff7a6b; --mark: #5fd0a0; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.2rem; max-width: 60rem; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.25; } h2 { font-size: 1.15rem; overflow-wrap: anywhere; }
h1 strong, h2 strong { color: var(--ghost); }
section { border-top: 1px solid var(--line); padding: .4rem 0 1rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: .6rem 0; } dt { opacity: .7; } dd { margin: 0; overflow-wrap: anywhere; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); gap: 1rem; }
figure { margin: 0; max-width: 28rem; } figcaption { font-size: .9rem; } figcaption span { font-weight: 600; } svg { width: 100%; height: auto; display: block; }
svg text { fill: var(--ink); font: 10px system-ui, sans-serif; }
.bar { fill: var(--bar); } .ghost { fill: var(--ghost); } .axis { stroke: var(--line); } .mark { stroke: var(--mark); stroke-width: 2; stroke-dasharray: 4 3; }
pre { background: color-mix(in srgb, var(--line) 35%, transparent); padding: .6rem .8rem; white-space: pre-wrap; overflow-wrap: anywhere; font-size: .85rem; }
footer { font-size: .85rem; opacity: .75; }
@media (max-width: 30rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; } }
@media print { :root { --ink: #000; --paper: #fff; } body { max-width: none; } section { break-inside: avoid; } }
"""  # noqa: E501

_WIDTH, _HEIGHT, _FLOOR, _TOP = 360.0, 190.0, 150.0, 24.0


def page(report: Report) -> str:
    """The whole page."""
    body = [f"<h1>{_loud(words.headline(report), report.ghosts)}</h1>"]
    body += [
        _section(table, report, steps) for table, steps in zip(report.tables, steps_of(report), strict=True)
    ]
    if not report.tables:
        body.append(f"<p>{_text(words.nothing_found())}</p>")
    body += _not_read(report)
    body.append(
        f"<footer>{_text(report.database)}, PostgreSQL {_text(report.server_version)},"
        f" {report.scanned_at:%Y-%m-%d %H:%M %Z}. Read by arcano-db scan as {_text(report.role)}, in"
        " read-only transactions: nothing was installed or written. A ghost is a job that waits, of which no"
        f" queue, worker or provider ever took note, and that is older than"
        f" {words.length(report.orphan_after)}.</footer>"
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Ghost jobs in {_text(report.database)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        "<body>\n<main>\n" + "\n".join(body) + "\n</main>\n</body>\n</html>\n"
    )


def _section(table: Table, report: Report, steps: Sequence[str]) -> str:
    told = words.details(table, report)
    rows = "".join(f"<dt>{_text(name)}</dt><dd>{_text(value)}</dd>" for name, value in told.items())
    rows += "".join(f"<dt>note</dt><dd>{_text(note)}</dd>" for note in table.notes)
    heading = _loud(words.table_headline(table, report.scanned_at), table.open.ghosts)
    plots = "".join(_plots(table, report))
    return (
        f'<section><h2>{heading}</h2><div class="plots">{plots}</div><dl>{rows}</dl>'
        f"<p>{_text(words.how(table))}</p>{_steps(steps)}</section>"
    )


def _plots(table: Table, report: Report) -> Iterable[str]:
    if any(table.open.by_age):
        drawn = _bars(table.open.by_age, _names(AGES), table.open.ghosts_by_age, None, "open jobs by age")
        yield f'<figure><figcaption>Open jobs by age; <span style="color:var(--ghost)">ghosts</span></figcaption>{drawn}</figure>'  # noqa: E501
    if any(table.waits.by_length):
        advised = max(table.waits.advised or timedelta(), report.orphan_after)
        drawn = _bars(
            table.waits.by_length,
            _names(WAITS),
            [],
            _place(advised, list(WAITS)),
            "waits before a job started",
        )
        yield f'<figure><figcaption>How long jobs waited before they started; <span style="color:var(--mark)">grace: {whole_minutes(advised):,} minutes</span></figcaption>{drawn}</figure>'  # noqa: E501


def _names(bars: dict[int, str]) -> list[str]:
    names = list(bars.values())
    return [f"<{names[0]}", *(f"<{name}" for name in names[1:]), "more"]


def _place(time: timedelta, edges: Sequence[int]) -> float:
    """Where a length of time lies among bars of unequal length: 1.5 is the middle of the second."""
    seconds = time.total_seconds()
    ends = [0, *edges, 2 * edges[-1]]
    for number, (begin, end) in enumerate(pairwise(ends)):
        if seconds <= end:
            return number + (seconds - begin) / (end - begin)
    return float(len(edges) + 1)


def _bars(
    counts: Sequence[int], names: Sequence[str], ghosts: Sequence[int], mark: float | None, what: str
) -> str:
    step = _WIDTH / len(counts)
    unit = (_FLOOR - _TOP) / max(counts)
    drawn = [f'<line class="axis" x1="0" x2="{_WIDTH:g}" y1="{_FLOOR:g}" y2="{_FLOOR:g}"/>']
    for number, (count, name) in enumerate(zip(counts, names, strict=True)):
        left, middle, height = number * step + 2, (number + 0.5) * step, count * unit
        drawn.append(_rectangle("bar", left, step - 4, height, f"{name}: {count:,}"))
        if ghosts and ghosts[number]:
            drawn.append(
                _rectangle(
                    "ghost", left, step - 4, ghosts[number] * unit, f"{name}: {ghosts[number]:,} ghosts"
                )
            )
        if count:
            drawn.append(_label(middle, _FLOOR - height - 3, f"{count:,}", "middle"))
        drawn.append(
            f'<text transform="translate({middle + 3:.1f} {_FLOOR + 12:g}) rotate(-35)" text-anchor="end">'
            f"{_text(name)}</text>"
        )
    if mark is not None:
        x = mark * step
        drawn.append(f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 14:g}" y2="{_FLOOR:g}"/>')
    total = f"{what}: " + ", ".join(
        f"{name} {count:,}" for name, count in zip(names, counts, strict=True) if count
    )
    size = f'viewBox="-16 0 {_WIDTH + 16:g} {_HEIGHT:g}"'
    return f'<svg {size} role="img" aria-label="{_text(total)}">{"".join(drawn)}</svg>'


def _rectangle(kind: str, left: float, width: float, height: float, title: str) -> str:
    return (
        f'<rect class="{kind}" x="{left:.1f}" y="{_FLOOR - height:.1f}" width="{width:.1f}"'
        f' height="{height:.1f}"><title>{_text(title)}</title></rect>'
    )


def _label(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{_text(text)}</text>'


def _steps(steps: Sequence[str]) -> str:
    return f"<pre>{'<br>'.join(map(_text, steps))}</pre>" if steps else ""


def _not_read(report: Report) -> list[str]:
    told = [f"<p>Not readable: {_text(one.name)}: {_text(one.why)}</p>" for one in report.not_readable]
    if report.also_looked_at:
        told.append(f"<p>Also looked at: {_text(', '.join(one.name for one in report.also_looked_at))}</p>")
    return told


def _loud(text: str, ghosts: int | None) -> str:
    return f"<strong>{_text(text)}</strong>" if ghosts else _text(text)


def _text(text: str) -> str:
    """Text of strangers: nothing of it is markup, and what is not to be seen is shown as an escape."""
    return escape(printable(text, longest=None))
