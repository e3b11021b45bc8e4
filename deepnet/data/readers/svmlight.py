"""Reader of svmlight, the text of LIBSVM: a line a case, `label index:value index:value ... # comment`, the rest 0.

Indices rise along a line. They count from 1, or from 0 in a file where an index 0 occurs or where the model's data did;
the columns are called by them. A reader of our own: scikit-learn's would bring scikit-learn and SciPy to every
installation, takes any width, and says of a wrong line neither its number nor what is wrong.
Source: Joachims 1999, "Making large-scale SVM learning practical"; Chang and Lin 2011, "LIBSVM", README.
"""

import math
import re
from array import array

import numpy as np

from ...errors import DataError
from ...files import shown
from ..checks import LONGEST_LABEL, assemble, check_size, refuse_columns
from ..conventions import refuse_label
from ..dataset import blocks, with_shape
from .dialects import MOST_COLUMNS
from .formats import check_unpacked, reading, unpacked
from .sizes import wanted

LONGEST = 16 << 20  # bytes of a line
OFTEN = 4096  # lines between two looks at the memory
_LINE = re.compile(rb"\s*([^\s:#]+)((?:\s+\d{1,9}:[-+.\dA-Za-z]+)*+)\s*(?:#.*)?", re.DOTALL)
_BLANK = re.compile(rb"\s*(?:#.*)?", re.DOTALL)
_WIDE = (b"\xff\xfe", b"\xfe\xff")


def read(source, options):
    """Dataset of one file: float32 inputs, labels as the text that stands there (+1 as 1)."""
    refuse_columns(source, options)
    refuse_label(source, options)
    with reading(source):
        check_unpacked(source)
        labels, indices, values, counts, rows = _parsed(source, unpacked(source))
    if not labels:
        raise DataError(f"{source} has no cases; give lines such as `1 3:0.5 7:1`")
    _check_rising(source, indices, counts, rows)
    shape, first = _extent(source, indices, counts, rows, options)
    width = math.prod(shape)
    check_size(source, 4 * len(counts) * width)
    inputs, ends = np.zeros((len(counts), width), np.float32), np.concatenate([[0], np.cumsum(counts)])
    for part in blocks(inputs):
        own = slice(ends[part.start], ends[part.stop])
        places = np.repeat(np.arange(part.start, part.stop), counts[part])
        inputs[places, indices[own] - first] = values[own]
    columns = map(str, range(first, first + width))
    return with_shape(
        assemble(source, {"train": (inputs, np.array(labels), str(source))}, columns, first=rows[0]), shape
    )


def _parsed(source, stream):
    """Labels, int32 indices and float32 values of all cases, int64 counts of these, and numbers of the lines."""
    labels, indices, values, counts, rows = [], array("i"), array("f"), array("q"), array("q")
    row = seen = widest = 0
    while line := stream.readline(LONGEST + 1):
        row += 1
        if len(line) > LONGEST:
            raise DataError(f"{source}: row {row} has more than 16 MB; a case is a line")
        if row % OFTEN == 0:
            widest, seen = max(widest, max(indices[seen:], default=0)), len(indices)
            check_size(source, max(24 * len(indices) + 200 * len(labels), 4 * widest * len(labels)))
        line = line.removeprefix(b"\xef\xbb\xbf") if row == 1 else line
        if _BLANK.fullmatch(line):
            continue
        words = _words(source, line, row)
        labels.append(_label(source, words[0], row))
        indices.extend(map(int, words[1::2]))
        try:
            values.extend(map(float, words[2::2]))
        except ValueError:
            raise _fault(source, line, row) from None
        counts.append(len(words) // 2)
        rows.append(row)
    values = np.frombuffer(values, np.float32)
    if not np.isfinite(values).all():
        at = int(np.argmin(np.isfinite(values)))
        where = f"row {_row_of(at, counts, rows)}, index {indices[at]}"
        raise DataError(f"{source}: {where} holds {values[at]}, not a number that float32 can hold; mend or remove it")
    return labels, np.frombuffer(indices, np.int32), values, np.frombuffer(counts, np.int64), rows


def _words(source, line, row):
    """[label, index, value, index, value ...] of a line; DataError for one of another form."""
    found = _LINE.fullmatch(line)
    if found is None:
        raise _fault(source, line, row)
    return [found[1], *found[2].replace(b":", b" ").split()]


def _fault(source, line, row):
    """The DataError that names the first word of a line that is wrong."""
    if row == 1 and line[:2] in _WIDE:
        return DataError(f"{source} is UTF-16 text; save it as UTF-8 (`iconv -f UTF-16 -t UTF-8`)")
    label, *words = line.partition(b"#")[0].split()
    if words[:1] and words[0].startswith(b"qid:"):
        remedy = "deepnet does not learn rankings; leave them out with `sed 's/ qid:[0-9]*//'`"
        return DataError(f"{source}: row {row} has {shown(words[0].decode('latin-1'))}; {remedy}")
    word = next((word for word in words if not _is_pair(word)), label).decode("utf-8", "replace")
    return DataError(f"{source}: row {row} holds '{shown(word)}' where index:value is due; mend or remove it")


def _is_pair(word):
    """Whether a word is an index and a number."""
    index, _, value = word.partition(b":")
    try:
        return float(value) is not None and b"_" not in value and len(index) < 10 and index.isdigit()
    except ValueError:
        return False


def _label(source, word, row):
    """The text of a label, without a plus sign before it."""
    try:
        label = word.decode("utf-8").removeprefix("+")
    except UnicodeDecodeError:
        raise DataError(f"{source}: row {row} is not UTF-8; convert it (`iconv -f LATIN1 -t UTF-8`)") from None
    if "," in label:
        raise DataError(f"{source}: row {row} has the labels {shown(label)}; a case has one, leave one there")
    if len(label) > LONGEST_LABEL:
        raise DataError(f"{source}: row {row} has a label of more than {LONGEST_LABEL} characters; shorten it")
    return label


def _row_of(at, counts, rows):
    """The number of the line that the pair at a place came from."""
    return rows[int(np.searchsorted(np.cumsum(counts), at, side="right"))]


def _check_rising(source, indices, counts, rows):
    """DataError for a line where an index is not above the one before."""
    falls = np.diff(indices) <= 0
    ends = np.cumsum(counts)
    falls[ends[(ends > 0) & (ends < len(indices))] - 1] = False  # from a line to the next
    if falls.any():
        at = int(np.argmax(falls))
        found = f"row {_row_of(at, counts, rows)} has index {indices[at + 1]} after {indices[at]}"
        raise DataError(f"{source}: {found}; indices rise along a line, sort them and keep one of each")


def _extent(source, indices, counts, rows, options):
    """The shape of a case and the index of its first column."""
    known = options.like.columns[:1] if options.like is not None else ()
    first = 0 if known == ("0",) or 0 in indices else 1
    widest = int(indices.max(initial=first)) + 1 - first
    shape = wanted(options) or (widest,)
    width = math.prod(shape)
    at = int(np.argmax(indices)) if widest > min(width, MOST_COLUMNS) else 0
    if widest > MOST_COLUMNS or width > MOST_COLUMNS:
        where = f"row {_row_of(at, counts, rows)} has index {indices[at]}" if widest > MOST_COLUMNS else f"{width}"
        raise DataError(f"{source}: {where}: at most {MOST_COLUMNS:,} columns are possible; number those in use anew")
    if widest > width:
        due = f"--size {options.size}" if options.size is not None else "what it is to be read like"
        raise DataError(
            f"{source}: row {_row_of(at, counts, rows)} has index {indices[at]}, beyond the {width} columns of {due}; "
            "give data of that many, or train with a larger --size"
        )
    return shape, first
