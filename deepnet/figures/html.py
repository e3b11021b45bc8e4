"""The frame of a page of HTML: pictures within, no scripts, nothing from the net, for paper-white and for dark.

Words are escaped by those who give parts; the page's own policy forbids what would be loaded or run all the same.
"""

import base64
from html import escape

from matplotlib.figure import Figure
from matplotlib.text import Annotation

from deepnet.figures import style
from deepnet.files import shown

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_DOTS = 110  # CSS pixels of an inch of a picture, where there is room
_LEAST = 0.6  # of that width, below which letters could not be read and a picture scrolls within its own box
_ALT = 500  # characters of a picture's words
# Charts are made for white paper; in the dark their lightness is turned round and their hues stay. Pictures (class p),
# whose black and white mean something, keep their paper.
_STYLE = """
:root{color-scheme:light dark;--paper:#fff;--ink:#1f2933;--muted:#5f6b76;--line:#dfe3e8;--good:#2e6b2a;--bad:#a8430a;
--link:#1f5f99}
*{box-sizing:border-box}
body{margin:0 auto;padding:1.2rem 1rem 3rem;max-width:64rem;background:var(--paper);color:var(--ink);
font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.35rem;line-height:1.25;margin:0 0 .4rem}h2{font-size:1.05rem;margin:2rem 0 .5rem}
p{margin:.4rem 0}.m{max-width:44rem;color:var(--muted)}a{color:var(--link)}nav a{margin-right:.9em}
code{display:block;padding:.5rem .7rem;margin:.3rem 0;border:1px solid var(--line);border-radius:.3rem;
font:.875rem/1.45 ui-monospace,monospace}
.f{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,24rem),1fr));gap:1rem}
figure{margin:0;overflow-x:auto}img{display:block;max-width:100%;height:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:.35rem .6rem;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
th{font-weight:600;color:var(--muted);font-size:.85rem}
tbody th{color:var(--ink);font-size:1rem;overflow-wrap:break-word}
.n{display:inline-block;min-width:1.5em;padding:0 .3em;margin-right:.5em;border-radius:.3em;color:#fff;
text-align:center;font-weight:700;font-size:.85em;text-shadow:0 0 3px #000,0 0 2px #000}
.better{color:var(--good);font-weight:600}.worse{color:var(--bad);font-weight:600}
@media screen and (prefers-color-scheme:dark){:root{--paper:#12161a;--ink:#e4e8ec;--muted:#9aa6b1;--line:#333c45;
--good:#8ccb87;--bad:#f0a06a;--link:#7db4e8}img,.n{filter:invert(1) hue-rotate(180deg)}img{mix-blend-mode:screen}
img.p{filter:brightness(.88);mix-blend-mode:normal;border-radius:.4rem}}
@media(max-width:46rem){thead{display:none}table,tbody,tr,th,td{display:block;border:0}
tr{border-bottom:1px solid var(--line);padding:.5rem 0}th,td{padding:.1rem 0}
td::before{content:attr(data-of) ": ";color:var(--muted)}}
@media print{body{max-width:none;padding:0;font-size:10pt}nav{display:none}figure{overflow:visible}
figure,tr,code{break-inside:avoid}h2,h2+p,p:has(+code){break-after:avoid}
img{min-width:0!important;max-height:23cm;object-fit:contain;object-position:0 0}
.f{grid-template-columns:repeat(auto-fit,minmax(7.5cm,1fr))}}
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
    """A figure as part of a page, as SVG or PNG, whichever is smaller, with its words for those who do not see it."""
    kinds = {"svg+xml": style.encode(figure, "svg"), "png": style.small(figure)}
    kind = min(kinds, key=lambda name: len(kinds[name]))
    code = base64.b64encode(kinds[kind]).decode()
    wide, high = (round(_DOTS * inches) for inches in figure.get_size_inches())
    paper = ' class="p"' if any(axes.images for axes in figure.axes) else ""
    size = f'width="{wide}" height="{high}" style="min-width:{round(_LEAST * wide)}px"'
    return f'<figure><img{paper} src="data:image/{kind};base64,{code}" {size} alt="{escape(words)}"></figure>'


def words_of(figure: Figure) -> str:
    """What stands in a figure beside its axes and cells: titles, names, last values, explanations."""
    panels = [axes for part in (*figure.subfigs, figure) for axes in part.axes]
    named = [text.get_text() for axes in panels for text in axes.texts if isinstance(text, Annotation)]
    found = [axes.get_title(loc="left") for axes in panels] + [text.get_text() for text in figure.texts] + named
    whole = "; ".join(dict.fromkeys(" ".join(text.replace("\\$", "$").split()).rstrip(".") for text in found if text))
    return whole if len(whole) <= _ALT else whole[: _ALT - 1].rsplit("; ", 1)[0] + " …"


def flat(settings: dict) -> dict[str, object]:
    """Settings by one name each; those within tables are named after them."""
    found: dict[str, object] = {}
    for name, value in settings.items():
        if isinstance(value, dict):
            found |= {f"{name}, {inner}": content for inner, content in flat(value).items()}
        else:
            found[name] = ", ".join(map(str, value)) if isinstance(value, list | tuple) else value
    return found


def named(heads: tuple[str, str], facts: dict[str, object]) -> str:
    """A table of names and values, all text escaped."""
    return table(list(heads), [[escape(shown(name)), escape(shown(value))] for name, value in facts.items()])


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
