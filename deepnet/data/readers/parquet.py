"""Reader of Parquet tables, through pyarrow: columns of numbers, booleans and texts, as a CSV would have them.

The file is held in memory as it is, looked through by a child first, and unpacked batch by batch.
"""

from collections import Counter

import numpy as np

from ...errors import DataError, DeepnetError
from ...extras import extra
from ...files import probe, shown
from ..checks import check_size
from . import mixed
from .cells import label, number
from .dialects import MOST_COLUMNS
from .formats import fill, most_unpacked, reading
from .table import plan

ROWS = 1 << 16  # that are unpacked at a time
LONGEST = 16 << 20  # bytes of a text, or members of a list, in what the file says about itself
_TRUTHS = {True: "true", False: "false", None: ""}


def read(source, options):
    """Dataset of one table: numbers as inputs, or the units of mixed columns; text or numbers as labels."""
    pyarrow, _ = _pyarrow(), extra("pyarrow.parquet", "table")  # before a child needs them
    pyarrow.set_memory_pool(pyarrow.system_memory_pool())  # others reserve more address space than a child has
    content = np.empty(source.size, np.uint8)
    with reading(source):
        content = content[: fill(source.stream, content)]
    try:
        probe(lambda: _open(content), source.size, str(source))
        file = _open(content)
        _check(source, file)
        probe(lambda: [None for _ in _batches(content, file.schema_arrow.names)], _unpacked(file), str(source))
        return mixed.whole(source, _read(source, options, content, file))
    except DeepnetError:
        raise
    except (pyarrow.ArrowException, OSError, ValueError, LookupError, TypeError, NotImplementedError) as problem:
        reason = shown(str(problem).splitlines()[0] if str(problem) else type(problem).__name__)
        raise DataError(f"{source} is a damaged Parquet file ({reason}); fetch or save it again") from None


def _pyarrow():
    """The library, where it is there."""
    return extra("pyarrow", "table")


def _open(content):
    """The file, of which only what it says about itself is read."""
    bounds = {"thrift_string_size_limit": LONGEST, "thrift_container_size_limit": LONGEST}
    parquet = extra("pyarrow.parquet", "table")
    return parquet.ParquetFile(
        _pyarrow().py_buffer(content), pre_buffer=False, page_checksum_verification=True, **bounds
    )


def _unpacked(file):
    """Bytes that the file says its columns unpack to."""
    groups = (file.metadata.row_group(n) for n in range(file.metadata.num_row_groups))
    return sum(group.total_byte_size for group in groups)


def _check(source, file):
    """DataError or OutputError for a file that says it holds more than may be."""
    rows, width = file.metadata.num_rows, len(file.schema_arrow)
    size = max(_unpacked(file), 4 * rows * width)
    if width > MOST_COLUMNS:
        raise DataError(f"{source} has {width} columns; at most {MOST_COLUMNS} are read")
    if size > most_unpacked(source.size):
        raise DataError(f"{source} says that it unpacks to {size} bytes; save it as HDF5 if that is right")
    check_size(source, 3 * size)


def _batches(content, names):
    """Batches of these columns, unpacked by this thread alone."""
    yield from _open(content).iter_batches(ROWS, columns=names, use_threads=False)


def _read(source, options, content, file):
    """The Dataset, batch by batch."""
    names, kinds = tuple(file.schema_arrow.names), file.schema_arrow.types  # each a list anew
    table = plan(source, {}, names, len(names), options)
    wanted, twins = [*table.inputs, *table.labels, *table.weights], Counter(names)
    for n in wanted:
        if twins[names[n]] > 1:
            raise DataError(f"{source}: {twins[names[n]]} columns are named '{shown(names[n])}'")
        _check_type(source, table, n, kinds[n])
    columns, rows, targets, texts, weights = mixed.builders(source, table), 0, [], [], []
    for batch in _batches(content, list(dict.fromkeys(names[n] for n in wanted))):
        where = range(rows + 1, rows + 1 + len(batch))
        rows += len(batch)
        given = dict(zip(batch.schema.names, batch.columns, strict=True))
        found = {n: given[names[n]] for n in wanted}
        mixed.add(source, table, columns, found, where, _add)
        for n in table.texts:
            texts += [label(source, table, cell, row, n) for cell, row in zip(_texts(found[n]), where, strict=True)]
        if table.numeric and table.labels:
            targets.append(np.stack([_targets(source, table, found[n], n, where) for n in table.labels], axis=1))
        weights += [_targets(source, table, found[n], n, where) for n in table.weights]
        check_size(source, sum(column.size for column in columns))
    mixed.check_rows(source, table, rows)
    labels = np.concatenate(targets) if targets else mixed.label_array(source, texts)
    counts = np.concatenate(weights) if weights else None
    return mixed.dataset_of(source, table, [column.finish() for column in columns], labels, counts, 1)


def _check_type(source, table, n, kind):
    """DataError for a column of neither numbers nor booleans nor texts."""
    types = _pyarrow().types
    inner = kind.value_type if types.is_dictionary(kind) else kind
    known = (types.is_integer, types.is_floating, types.is_decimal, types.is_boolean, types.is_string,
             types.is_large_string, types.is_null)  # fmt: skip
    if not any(is_kind(inner) for is_kind in known):
        raise DataError(
            f"{source}: {table.named(n)} holds {shown(kind)}, neither numbers nor texts; leave it out with --ignore "
            f"'{shown(table.header[n])}'"
        )


def _add(column, array, rows):
    """The cells of a batch to a column: numbers as they are, unless they are names; all else as text."""
    if _is_text(array.type) or column.free:
        column.add(_texts(array), rows)
    else:
        numbers = _numbers(array)
        column.add_numbers(numbers, numbers, rows)


def _is_text(kind):
    """Whether a column is not made of numbers."""
    types = _pyarrow().types
    kind = kind.value_type if types.is_dictionary(kind) else kind
    return types.is_boolean(kind) or types.is_string(kind) or types.is_large_string(kind)


def _plain(array):
    """An array without a dictionary."""
    return array.dictionary_decode() if hasattr(array, "dictionary_decode") else array


def _numbers(array):
    """float64 (N,) of an array of numbers, NaN for what is missing."""
    return _plain(array).cast(_pyarrow().float64(), safe=False).to_numpy(zero_copy_only=False)


def _texts(array):
    """The cells as a CSV would have them, "" for what is missing."""
    array = _plain(array)
    if _pyarrow().types.is_boolean(array.type):
        return [_TRUTHS[cell] for cell in array.to_pylist()]
    return ["" if cell is None else str(cell) for cell in array.to_pylist()]


def _targets(source, table, array, n, rows):
    """float32 (N,) of numbers to be predicted, NaN for none."""
    if not _is_text(array.type):
        return _numbers(array).astype(np.float32)
    cells = zip(_texts(array), rows, strict=True)
    return np.array([number(source, table, cell, row, n) for cell, row in cells], np.float32)
