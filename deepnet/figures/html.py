"""The frame of a page of HTML: pictures within, no scripts, nothing from the net, for paper-white and for dark.

Words are escaped by those who give parts; the page's own policy forbids what would be loaded or run all the same.
"""

import base64
from html import escape

from matplotlib.figure import Figure

from deepnet.figures import style

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
# Pictures are made for white paper; in the dark their lightness is turned round and their hues stay.
_STYLE = """
:root{color-scheme:light dark;--paper:#fff;--ink:#1f2933;--muted:#5f6b76;--line:#dfe3e8;--good:#2e6b2a;--bad:#a8430a}
@media(prefers-color-scheme:dark){:root{--paper:#12161a;--ink:#e4e8ec;--muted:#9aa6b1;--line:#333c45;--good:#8ccb87;
--bad:#f0a06a}img,.n{filter:invert(1) hue-rotate(180deg)}img{mix-blend-mode:screen}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1.2rem 1rem 3rem;max-width:64rem;background:var(--paper);color:var(--ink);
font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.35rem;line-height:1.25;margin:0 0 .4rem}h2{font-size:1.05rem;margin:2rem 0 .5rem}
p{margin:.4rem 0}.m{max-width:44rem;color:var(--muted)}
.f{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,24rem),1fr));gap:1rem}
figure{margin:0}img{display:block;width:100%;max-width:30rem;height:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:.35rem .6rem;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
th{font-weight:600;color:var(--muted);font-size:.85rem}
tbody th{color:var(--ink);font-size:1rem;overflow-wrap:break-word}
.n{display:inline-block;min-width:1.5em;padding:0 .3em;margin-right:.5em;border-radius:.3em;color:#fff;
text-align:center;font-weight:700;font-size:.85em;text-shadow:0 0 3px #000,0 0 2px #000}
.better{color:var(--good);font-weight:600}.worse{color:var(--bad);font-weight:600}
@media(max-width:46rem){thead{display:none}table,tbody,tr,th,td{display:block;border:0}
tr{border-bottom:1px solid var(--line);padding:.5rem 0}th,td{padding:.1rem 0}
td::before{content:attr(data-of) ": ";color:var(--muted)}}
"""


def document(title: str, parts: list[str]) -> bytes:
    """The page of these parts as UTF-8."""
    head = (
        f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style>"
    )
    page = f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head>\n<body>\n' + "\n".join(parts) + "\n</body></html>\n"
    return page.encode()


def picture(figure: Figure, words: str) -> str:
    """A figure as part of a page, with its words for those who do not see it."""
    code = base64.b64encode(style.encode(figure, "svg")).decode()
    return f'<figure><img src="data:image/svg+xml;base64,{code}" alt="{escape(words)}"></figure>'


def table(heads: list[str], rows: list[list[str]], marked: list[str] | None = None) -> str:
    """A table of cells in HTML under heads in text (or `marked`, in HTML); on a narrow screen they precede cells."""
    top = "".join(f'<th scope="col">{head}</th>' for head in marked or map(escape, heads))
    body = "".join(
        f'<tr><th scope="row">{first}</th>'
        + "".join(f'<td data-of="{escape(head)}">{cell}</td>' for head, cell in zip(heads[1:], rest, strict=True))
        + "</tr>"
        for first, *rest in rows
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"
