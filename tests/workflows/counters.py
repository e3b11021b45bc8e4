"""A run without a JIT in which every counter that Philox is given is written down; test_counters.py looks at them.

`python -m tests.workflows.counters FILES FOLDER KIND...`: prints a JSON object, for each kind of run how many counters
were drawn from, how many of them more than once, and how many were folded into a key as well.
"""

import json
import sys
from pathlib import Path

import numpy as np

from deepnet.kernels import random
from tests.workflows.runs import KINDS, begun

FOLDED, DRAWN = set(), []
_plain = random.philox


def _noted(counter, key):
    """Philox, its arguments written down: scalars come from `fold`, arrays are draws."""
    words = np.broadcast_arrays(*(np.asarray(word, np.uint32) for word in counter))
    rows = np.unique(np.stack([word.ravel() for word in words], axis=1), axis=0)
    if words[0].ndim:
        DRAWN.append((key, rows))
    else:
        FOLDED.add((key, *map(int, rows[0])))
    return _plain(counter, key)


def main(files, folder, *kinds):
    """Run each kind and count."""
    random.philox = _noted
    told = {}
    for kind in kinds:
        FOLDED.clear()
        DRAWN.clear()
        command, settings = KINDS[kind]
        list(begun(command, settings, json.loads(files), output=str(Path(folder, "a.h5")), force=True))
        every = [(key, *row) for key, rows in DRAWN for row in rows.tolist()]
        told[kind] = {"drawn": len(every), "twice": len(every) - len(set(every)), "folded": len(set(every) & FOLDED)}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
