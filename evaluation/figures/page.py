"""One HTML page that holds a comparison: tables and figures, with no script and nothing that is fetched."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape

from evaluation.report import Table, marked, p_text
from evaluation.side_by_side import SideBySide

NAMED = 3  # systems that the heading names; of more it gives the number

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2126; --soft: #5b6470; --line: #e2e5ea; --paper: #ffffff; --card: #ffffff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7eaee; --soft: #a3acb8; --line: #343a43; --paper: #16191d; } }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1000px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 26px; margin: 0 0 4px; } h2 { font-size: 19px; margin: 40px 0 8px; } h3 { font-size: 15px; margin: 24px 0 6px; }
p, li { color: var(--soft); } .wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14px; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 6px 14px 6px 0; border-bottom: 1px solid var(--line); white-space: nowrap; vertical-align: top; }
th { color: var(--soft); font-weight: 600; } td small { color: var(--soft); }
figure { margin: 12px 0; overflow-x: auto; } figure svg { max-width: 100%; height: auto; }
.side { display: flex; flex-wrap: wrap; gap: 16px; }
""".strip()


def page(found: SideBySide, figures: Sequence[tuple[str, Sequence[str]]], sources: Sequence[str]) -> str:
    """The page.

    Parameters
    ----------
    figures
        Heading of each group with its SVGs.
    sources
        Where the runs come from, for the foot.
    """
    others = [row.name for row in found.whole.rows if row.name != found.baseline]
    named = ", ".join(others) if len(others) <= NAMED else f"{len(others)} systems"
    title = f"{named} compared with {found.baseline}" if others else found.baseline
    body = [f"<h1>{escape(title)}</h1>", f"<p>{escape(_extent(found))}</p>"]
    for heading, drawn in figures:
        body.append(f"<h2>{escape(heading)}</h2>")
        body.append('<div class="side">' + "".join(f"<figure>{svg}</figure>" for svg in drawn) + "</div>")
    body.append("<h2>All numbers</h2>")
    for table in reversed(found.tables):
        body += _table(table, found.baseline)
    body.append("<h2>Method</h2><ul>")
    notes = dict.fromkeys([*found.notes, *(note for table in found.tables for note in table.notes)])
    body += [f"<li>{escape(note)}</li>" for note in notes]
    body.append("<li>Marks: * p &lt; 0.05, ** p &lt; 0.01, *** p &lt; 0.001.</li></ul>")
    body.append(f"<p>From {escape(', '.join(sources))}. Written {datetime.now(UTC):%Y-%m-%d %H:%M} UTC.</p>")
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    page_body = "\n".join(body)
    return f'<!doctype html>\n<html lang="en"><head>{head}<style>{_STYLE}</style></head>\n<body><main>\n{page_body}\n</main></body></html>\n'


def _extent(found: SideBySide) -> str:
    sets = [f"{judged.label} (n = {judged.n:,})" for judged, _ in found.sets]
    return f"{len(found.whole.rows)} systems on {'; '.join(sets)}."


def _table(table: Table, baseline: str) -> list[str]:
    head = "".join(f"<th>{escape(words)}</th>" for words in ("system", "n", *table.measures))
    rows = []
    for row in table.rows:
        cells = []
        for measure in table.measures:
            value = row.values[measure]
            lines = [f"<b>{escape(str(value))}</b>" if row.name == baseline else escape(str(value))]
            if measure in row.difference:
                p = row.p[measure]
                lines.append(
                    f"<small>{escape(row.difference[measure].signed)}, p {escape(p_text(p))} {marked(p)}</small>"
                )
            cells.append(f"<td>{'<br>'.join(lines)}</td>")
        rows.append(f"<tr><td>{escape(table.label(row))}</td><td>{row.n:,}</td>{''.join(cells)}</tr>")
    body = "".join(rows)
    return [f"<h3>{escape(table.title)}</h3>", f'<div class="wide"><table><tr>{head}</tr>{body}</table></div>']
