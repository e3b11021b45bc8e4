"""Commands in children of a process that has imported deepnet and compiled its kernels: starts of 0.1 s.

The children are those of multiprocessing's forkserver. They can be killed at any time, with no harm to others.
"""

import multiprocessing
import os
import sys
import traceback

SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(["tests.warm"])


def start(words, folder, *, limits=(), patches=()):
    """Begin a command line in a child; its streams go to the files out.txt and err.txt beside the folder.

    `limits` are pairs (resource, most), `patches` triples (module, name, value) that the child sets first. The
    process has `pid`, `kill()`, `join(seconds)` and `exitcode`, below 0 for a signal.
    """
    process = SERVER.Process(target=run, args=([str(word) for word in words], str(folder), limits, patches))
    process.start()
    return process


def finish(words, folder, **more):
    """(exit code, stdout, stderr) of a command line in a child."""
    process = start(words, folder, **more)
    process.join(300)
    assert process.exitcode is not None, "it hangs"
    return process.exitcode, *streams(folder)


def streams(folder):
    """What the last child of this folder wrote."""
    texts = []
    for name in ("out", "err"):
        with open(f"{folder}.{name}.txt", encoding="utf-8") as file:
            texts.append(file.read())
    return texts


def run(words, folder, limits, patches):
    """What a child does; it never returns."""
    import importlib
    import resource

    from tests import warm

    assert warm
    from deepnet.__main__ import main

    os.chdir(folder)
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(f"{folder}.{name}.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666), number)
    for module, name, value in patches:
        setattr(importlib.import_module(module), name, value)
    for name, most in limits:
        resource.setrlimit(getattr(resource, name), (most, most))
    code = 99
    try:
        code = main(words)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def nothing(*words):
    """Stands, as a patch, for a check that is to find nothing."""
