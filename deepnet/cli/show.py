"""A result as lines of text: single values a line each, and with `verbose` what is larger as tables.

`name` and `name_interval` (two numbers) share a line. Tables are plain text aligned by spaces, so that they look the
same on a terminal and in a pipe.
"""

SUFFIX = "_interval"
FEW = 12


def lines(facts, verbose=False):
    """The lines that show a dict of plain values."""
    short = {key: text for key, value in facts.items() if (text := _short(key, value, facts)) is not None}
    width = max(map(len, map(_title, short)), default=0)
    shown = [f"{_title(key):<{width}}  {text}".rstrip() for key, text in short.items()]
    if verbose:
        for key, value in facts.items():
            if value is not None and key not in short and not _partner(key, facts):
                shown += ["", _title(key), *("  " + line for line in table(value))]
    return shown


def _title(key):
    """A key in words."""
    return key.replace("_", " ")


def _partner(key, facts):
    """Whether a key is the interval of another one, which shows it."""
    return key.endswith(SUFFIX) and key.removesuffix(SUFFIX) in facts


def _short(key, value, facts):
    """A value as text that fits a line, or None where it wants a table or has none to show."""
    if value is None or _partner(key, facts):
        return None
    if isinstance(value, list):
        few = len(value) <= FEW and not any(isinstance(member, list | dict) for member in value)
        return ", ".join(map(text, value)) if few else None
    if isinstance(value, dict):
        return None
    interval = facts.get(key + SUFFIX)
    if isinstance(interval, list) and len(interval) == 2:
        return f"{text(value)}  (95 % interval {text(interval[0])} to {text(interval[1])})"
    return text(value)


def text(value):
    """A single value as a person reads it: thousands with commas, six digits of a fraction."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        return ", ".join(map(text, value))
    if isinstance(value, dict):
        return ", ".join(f"{_title(key)} {text(member)}" for key, member in value.items())
    return "-" if value is None else str(value)


def table(value):
    """Rows of a list of dicts, a list of lists, a dict or a list: lines of text with aligned columns."""
    if isinstance(value, dict):
        rows = [[_title(str(key)), text(member)] for key, member in value.items()]
    elif value and all(isinstance(row, dict) for row in value):
        columns = list(dict.fromkeys(key for row in value for key in row))
        rows = [[_title(column) for column in columns], *([text(row.get(c)) for c in columns] for row in value)]
    else:
        rows = [[text(cell) for cell in row] if isinstance(row, list) else [text(row)] for row in value]
    return _aligned(rows)


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
        float(cell.replace(",", "") or 0)
    except ValueError:
        return cell == "-"
    return True
