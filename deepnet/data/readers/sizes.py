"""The shape of a case where the format leaves it open: as a user or a model says."""

import re

from ...errors import UsageError
from ...files import shown

_SIZE = re.compile(r"[1-9]\d{0,5}(?:[xX][1-9]\d{0,5})?", re.ASCII)


def wanted(options):
    """The shape that a case is to have, () where nothing says it; UsageError for a size that is none."""
    if options.size is None:
        return tuple(options.like.shape) if options.like is not None else ()
    if _SIZE.fullmatch(options.size) is None:
        raise UsageError(f"--size {shown(options.size)}: write HEIGHTxWIDTH of pictures, as in 28x28, or columns, 784")
    return tuple(map(int, options.size.lower().split("x")))
