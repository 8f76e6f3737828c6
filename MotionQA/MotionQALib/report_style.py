"""The look of a report: quiet and dense, in light and dark, on screen and on paper."""

from html import escape

from .palette import GRADE_COLOURS

_GRADES = "".join(
    f""".chip.{grade.label}, .cell.{grade.label} {{
  background: {colour.fill}; color: {colour.text};
}}
figure.{grade.label} {{ border-color: {colour.fill}; }}
.reader.{grade.label} {{ border-left-color: {colour.fill}; }}
"""
    for grade, colour in GRADE_COLOURS.items()
)

STYLE = (
    """:root {
  color-scheme: light dark;
  --page: #f6f7f8; --panel: #ffffff; --line: #d9dde2; --ink: #1b2026; --soft: #5c6670;
  --accent: #2b5f8f; --warn: #fbf3dc; --warn-line: #d9a21b; --side: 190px;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171a; --panel: #1c2024; --line: #343b42; --ink: #e4e8eb; --soft: #98a3ad;
    --accent: #86b8e6; --warn: #2b2617;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 3.2rem; }
body {
  margin: 0 auto; max-width: 1500px; padding: 0 1.25rem 3rem; background: var(--page);
  color: var(--ink); font: 14px/1.45 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
}
h1 { font-size: 1.35rem; font-weight: 600; margin: 1.1rem 0 .1rem; }
h2 { font-size: 1.05rem; font-weight: 600; margin: 0 0 .25rem; overflow-wrap: anywhere; }
a { color: var(--accent); text-decoration: none; }
a:hover { text-decoration: underline; }
.meta, footer, .where { color: var(--soft); }
.meta { margin: 0 0 .5rem; font-size: .86rem; overflow-wrap: anywhere; }
code { font: .92em ui-monospace, Consolas, "DejaVu Sans Mono", monospace; }
.notice, .failures {
  background: var(--warn); border-left: 3px solid var(--warn-line); padding: .4rem .75rem;
  margin: .5rem 0; border-radius: 0 4px 4px 0;
}
.failures ul { margin: .2rem 0; padding-left: 1.1rem; }
.failures code { color: var(--soft); overflow-wrap: anywhere; }
ul.totals, ul.scale {
  list-style: none; display: flex; flex-wrap: wrap; gap: .35rem 1.2rem; margin: .4rem 0; padding: 0;
}
.count { font-size: 1.05rem; margin-left: .15rem; }
.chip, .cell {
  display: inline-block; border-radius: 3px; font-weight: 600; text-align: center;
  line-height: 1.45;
}
.chip { padding: 0 .45em; font-size: .8rem; }
.cell { min-width: 1.75em; padding: 0 .2em; font-size: .82rem; font-variant-numeric: tabular-nums; }
.strip { display: flex; flex-wrap: wrap; gap: 2px; }
.doubt {
  border: 1px dashed var(--soft); border-radius: 3px; padding: 0 .35em; font-size: .76rem;
  font-weight: 400; color: var(--ink); white-space: nowrap;
}
.reader {
  border: 1px solid var(--soft); border-left-width: 6px; border-radius: 3px; padding: 0 .4em;
  font-size: .76rem; font-weight: 400; color: var(--ink); white-space: nowrap;
}
.readers { margin: .2rem 0 .6rem; font-size: .86rem; }
.readers caption { text-align: left; color: var(--soft); }
.readers th, .readers td { text-align: left; font-weight: 400; padding: .1rem 1.2rem .1rem 0; }
.readers thead th { color: var(--soft); font-size: .8rem; }
.controls {
  position: sticky; top: 0; z-index: 2; display: flex; flex-wrap: wrap; gap: .2rem 1rem;
  align-items: center; padding: .45rem 0; background: var(--page); font-size: .86rem;
  border-bottom: 1px solid var(--line); color: var(--soft);
}
.controls label { color: var(--ink); cursor: pointer; }
.controls input { vertical-align: -2px; margin: 0 .2rem 0 0; accent-color: var(--accent); }
section { margin: .9rem 0; }
table { border-collapse: collapse; }
.overview { width: 100%; background: var(--panel); border: 1px solid var(--line); }
.overview th, .overview td {
  padding: .28rem .6rem; text-align: left; vertical-align: middle;
  border-bottom: 1px solid var(--line);
}
.overview thead th { font-weight: 500; font-size: .8rem; color: var(--soft); }
.overview tbody th { font-weight: 500; overflow-wrap: anywhere; }
th.number, td.number { text-align: right !important; font-variant-numeric: tabular-nums; }
.volume {
  background: var(--panel); border: 1px solid var(--line); border-radius: 6px;
  padding: .7rem .9rem .8rem;
}
.verdict { margin: 0 0 .15rem; }
.remark { margin: 0 0 .4rem; font-style: italic; }
.slices {
  display: grid; gap: .55rem;
  grid-template-columns: repeat(auto-fill, minmax(var(--side), 1fr));
}
figure {
  margin: 0; border: 1px solid var(--line); border-top: 4px solid; border-radius: 4px;
  overflow: hidden; display: flex; flex-direction: column;
}
.cell.none {
  background: transparent; color: var(--soft); border: 1px dashed var(--soft); line-height: 1.3;
}
figure.none { border-color: var(--soft); }
figure:target { outline: 3px solid var(--accent); outline-offset: 1px; }
.picture {
  position: relative; background: #000; aspect-ratio: 1; display: flex;
  align-items: center; justify-content: center;
}
.picture img { width: 100%; height: 100%; object-fit: contain; display: block; }
.picture .overlay { position: absolute; inset: 0; visibility: hidden; }
body:has(#relevance:checked) .overlay { visibility: visible; }
body:has(#small:checked) { --side: 120px; }
body:has(#large:checked) { --side: 380px; }
body:has(#worse:checked) figure.plain { display: none; }
figcaption {
  display: flex; flex-wrap: wrap; align-items: center; gap: .1rem .4rem; padding: .25rem .4rem;
  font-size: .82rem;
}
.where { flex-basis: 100%; }
.score { font-size: 1.05rem; line-height: 1; }
.bars { width: 34px; height: 15px; vertical-align: -2px; fill: var(--soft); }
details { margin: .6rem 0 0; }
summary { cursor: pointer; color: var(--accent); }
.wide { overflow-x: auto; padding-bottom: .3rem; }
.frames { margin-top: .4rem; font-size: .85rem; }
.frames th { font-weight: 400; color: var(--soft); padding: 0 .4rem 0 0; white-space: nowrap; }
.frames thead th { padding: 0 1px; }
.frames thead th:first-child { text-align: left; }
.frames td { padding: 1px; }
footer { font-size: .86rem; border-top: 1px solid var(--line); padding-top: .4rem; }
footer dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; }
footer dt { color: var(--soft); }
footer dd { margin: 0; color: var(--ink); overflow-wrap: anywhere; }
footer table th, footer table td {
  text-align: left; font-weight: 400; padding: .1rem 1.2rem .1rem 0;
}
footer caption { text-align: left; padding-bottom: .2rem; }
@media print {
  body { max-width: none; font-size: 10px; --side: 120px; }
  .controls { display: none; }
  figure, tr { break-inside: avoid; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""
    + _GRADES
)


def page_head(title: str, style: str = "") -> str:
    """All of a page up to its body; it needs no other file, and asks for none.

    ``style`` is added to the reports' own.
    """
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{escape(title)}</title>
<style>
{STYLE}{style}</style>
</head>
<body>
"""
