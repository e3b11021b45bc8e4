"""A result as lines of text: single values a line each, and with `verbose` what is larger as tables.

`name` and `name_interval` (two numbers) share a line. Shares are shown as percentages; JSON and logs have them as they
are. Tables are plain text aligned by spaces, so that they look the same on a terminal and in a pipe.
"""

SUFFIX = "_interval"
FEW = 12
SHARES = {"dead_units", "saturated_units", "precision", "recall", "f1", "agreement"}


def lines(facts, verbose=False):
    """The lines that show a dict of plain values; `verbose` may name the tables that are wanted, True for all."""
    short = {key: text for key, value in facts.items() if (text := _short(key, value, facts)) is not None}
    width = max(map(len, map(_title, short)), default=0)
    shown = [f"{_title(key):<{width}}  {text}".rstrip() for key, text in short.items()]
    if verbose:
        for key, value in facts.items():
            wanted = verbose is True or key in verbose
            if wanted and value not in (None, []) and key not in short and not _partner(key, facts):
                confused = key == "confusion" and names_of(facts)
                title = f"{_title(key)}: rows true, columns predicted" if confused else _title(key)
                rows = confusion(value, confused) if confused else table(value, key)
                shown += ["", title, *("  " + line for line in rows)]
    return shown


def markdown(facts):
    """The lines of a Markdown table of single values, as a report of a fault wants them."""
    rows = [(_title(key), text(value, key).replace("|", "\\|")) for key, value in facts.items() if value is not None]
    return ["| what | found |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)]


def _title(key):
    """A key in words."""
    return printable(key).replace("_", " ")


def _partner(key, facts):
    """Whether a key is the interval of another one, which shows it."""
    return key.endswith(SUFFIX) and key.removesuffix(SUFFIX) in facts


def _short(key, value, facts):
    """A value as text that fits a line, or None where it wants a table or has none to show."""
    if value is None or value == [] or _partner(key, facts):
        return None
    if isinstance(value, list):
        few = len(value) <= FEW and not any(isinstance(member, list | dict) for member in value)
        return ", ".join(text(member, key) for member in value) if few else None
    if isinstance(value, dict):
        return None
    interval = facts.get(key + SUFFIX)
    if isinstance(interval, list) and len(interval) == 2:
        low, high = (text(end, key) for end in interval)
        return f"{text(value, key)}  (95 % interval {low.removesuffix(' %')} to {high})"
    return text(value, key)


def is_share(key):
    """Whether a figure of this name is a share of cases or units, which people read as a percentage."""
    error = key == "error" or key.endswith("_error")
    found = key.endswith(("_purity", "_agreement")) or "_precision_at_" in key
    return key in SHARES or found or (error and not key.endswith(("reconstruction_error", "squared_error")))


def percentage(share):
    """A share as a percentage: two places, or two digits where it is small."""
    value = 100 * share
    return f"{value:.2f} %" if abs(value) >= 0.1 or value == 0 else f"{value:.2g} %"


def text(value, key="", digits=6):
    """A single value as a person reads it: thousands with commas, `digits` of a fraction; `key` is its name."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return percentage(value) if is_share(key) else f"{value:.{digits}g}"
    if isinstance(value, list):
        return ", ".join(text(member, key) for member in value) or "-"
    if isinstance(value, dict):
        return ", ".join(f"{_title(name)} {text(member, name)}" for name, member in value.items()) or "-"
    return "-" if value is None else printable(value)


def printable(text):
    """The text on one line: control and direction characters as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))


def names_of(facts):
    """The names of the classes, where a table tells them."""
    rows = facts.get("classes")
    return (
        [printable(row["class"]) for row in rows]
        if rows and all(isinstance(r, dict) and "class" in r for r in rows)
        else []
    )


def confusion(matrix, names):
    """The counts of a confusion matrix under and beside the names of the classes."""
    rows = [[name, *map(text, counts)] for name, counts in zip(names, matrix, strict=True)]
    return _aligned([["", *names], *rows])


def table(value, key=""):
    """Rows of a list of dicts, a list of lists, a dict or a list: lines of text with aligned columns."""
    if isinstance(value, dict):
        rows = [[_title(name), text(member, str(name))] for name, member in value.items()]
    elif value and all(isinstance(row, dict) for row in value):
        columns = list(dict.fromkeys(key for row in value for key in row))
        head = ["95 % interval" if column.endswith(SUFFIX) else _title(column) for column in columns]
        rows = [head, *([_cell(row.get(column), column) for column in columns] for row in value)]
    else:
        rows = [[text(cell, key) for cell in row] if isinstance(row, list) else [text(row, key)] for row in value]
    return _aligned(rows)


def _cell(value, column):
    """A value of a row; the two ends of an interval in words."""
    if column.endswith(SUFFIX) and isinstance(value, list) and len(value) == 2:
        low, high = (text(end, column.removesuffix(SUFFIX), 3) for end in value)
        return f"{low.removesuffix(' %')} to {high}"
    return text(value, column)


def _aligned(rows):
    """Columns side by side, numbers to the right."""
    count = max(map(len, rows), default=0)
    rows = [row + [""] * (count - len(row)) for row in rows]
    widths = [max(len(row[j]) for row in rows) for j in range(count)]
    numeric = [all(_is_number(row[j]) for row in rows[1:]) and len(rows) > 1 for j in range(count)]
    aligned = (
        [cell.rjust(w) if right else cell.ljust(w) for cell, w, right in zip(row, widths, numeric, strict=True)]
        for row in rows
    )
    return ["  ".join(row).rstrip() for row in aligned]


def _is_number(cell):
    """Whether a cell is a number, or empty."""
    try:
        float(cell.replace(",", "").removesuffix(" %") or 0)
    except ValueError:
        return cell == "-"
    return True
