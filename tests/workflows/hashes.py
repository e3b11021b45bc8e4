"""Every kind of run, whole, and the hash of its file; test_cpus.py runs it in processes that compile for other CPUs.

`python -m tests.workflows.hashes FILES FOLDER`: FILES is a JSON object of the paths that the kinds name. Prints a JSON
object, of the lanes of a register and of a hash for each kind.
"""

import hashlib
import json
import sys
from pathlib import Path

from deepnet.kernels import microkernel
from tests.workflows.runs import KINDS, begun, strict


def main(files, folder):
    """The hash of each kind's file."""
    strict()
    found = {}
    for name, (command, settings) in KINDS.items():
        path = Path(folder, "a.h5")
        for record in begun(command, settings, json.loads(files), output=str(path)):
            last = record
        assert last.outcome in ("finished", "early stop"), (name, last.outcome)
        found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        path.unlink()
    sys.stdout.write(json.dumps({"lanes": microkernel.target()[0], "hashes": found}))


if __name__ == "__main__":
    main(*sys.argv[1:])
