"""Single cells of a CSV table: the number or the label in one, or the sentence on what is wrong with it."""

import numpy as np

from ...errors import DataError
from ...files import shown
from ..checks import LONGEST_LABEL
from ..columns import LARGEST, is_missing


class Mixed(Exception):
    """An input is no number, and the table may hold others."""


def number(source, table, cell, row, column):
    """The finite number in a cell, NaN in a missing one of the labels; Mixed where inputs may be of other kinds."""
    if column in table.labels and is_missing(cell):
        return np.nan
    try:
        value = float(cell) if "_" not in cell else None
    except ValueError:
        value = None
    if value is not None and abs(value) <= LARGEST:
        return value
    named = table.named(column)
    if table.learns and column in table.inputs and (value is None or value != value):
        raise Mixed
    if not cell.strip():
        raise DataError(f"{source}: row {row}, {named} is empty; fill it in or leave the column out with --ignore")
    if value is not None:
        raise DataError(f"{source}: row {row}, {named} holds {shown(cell)}, not a finite float32; mend or remove it")
    if table.labels == (column,):
        held = f"{source}: row {row}, {named} holds '{shown(cell)}' where a number is due"
        raise DataError(f"{held}; mend it, or for classes give --task classify")
    position = shown(table.header[column]) if table.header and table.header[column] else column + 1
    choice = "" if table.labels else f"--label '{position}' if that is the label, "
    raise DataError(
        f"{source}: row {row}, {named} holds '{shown(cell)}' where a number is due; mend it, or give "
        f"{choice}--ignore '{position}' to leave the column out"
    )


def label(source, table, cell, row, column):
    """The text of a label, empty for none, not too long."""
    if len(cell.strip()) <= LONGEST_LABEL:
        return cell.strip()
    fault = f"has a label of more than {LONGEST_LABEL} characters"
    raise DataError(f"{source}: row {row}, {table.named(column)} {fault}; mend or remove that row")
