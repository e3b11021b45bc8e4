"""Compiler flags, cache folder and threads: the only `njit` in the house.

Flags are chosen so that the same source gives the same bits on every CPU with FMA: `nsz` and `contract`
change no result with the vector width; `reassoc`, `arcp` and `afn` do, `nnan` and `ninf` would break the
search for diverged weights. One thing `contract` leaves open: which product of a b + c d is fused, or whether
one that is used twice is. Adam's second moment differed by it between AVX2 and AVX-512, and between fresh code and
the same code from the cache; so such sums say `fma`.
`error_model="numpy"` takes the zero-division test out of the loops.
"""

import contextlib
import functools
import hashlib
import os
import pickle
import platform
import stat
import sys
import tempfile
from pathlib import Path

# A waiting thread of the OpenMP layer spins for milliseconds by default. Where another program wants a core, that costs
# up to ten times the run's time; where none does, too short a spin has it fall asleep between two kernels. Measured on
# two cores, 6,000 cases of CD beside two busy processes and a backpropagation step alone, at 1,000 / 4,000 / 20,000
# turns: 0.24 / 0.36 / 0.57 s and 7.0 / 5.8 / 5.9 ms.
os.environ.setdefault("GOMP_SPINCOUNT", "4000")

import llvmlite
import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils, config
from numba.core.ccallback import CFunc
from numba.core.compiler import CompileResult
from numba.core.registry import cpu_target
from numba.core.serialize import dumps
from numba.core.sigutils import normalize_signature
from numba.extending import intrinsic, register_jitable

ENABLED = not config.DISABLE_JIT
_FLOAT32 = np.dtype(np.float32)
FLAGS = {"error_model": "numpy", "fastmath": {"nsz", "contract"}, "nogil": True, "no_cfunc_wrapper": True}


def _cache_folder():
    """The folder of compiled kernels, ours alone (it holds pickles), or None where none can be had.

    Its name is a hash of all that decides the code: the kernel sources (a kernel holds the ones it calls), the
    versions, the CPU. Each start dates it, so that `deepnet warmup` can tell which ones are not used any more.
    """
    digest = hashlib.sha256()
    pages = sorted(Path(__file__).parent.glob("*.py"))
    for page in pages:
        digest.update(page.read_bytes())
    versions = numba.__version__, llvmlite.__version__, np.__version__, sys.implementation.cache_tag
    digest.update(repr((versions, cpu_target.target_context.codegen().magic_tuple())).encode())
    root = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not root.is_absolute():  # then it does not count
        root = Path(os.path.expanduser("~")) / ".cache"
    if not root.is_absolute() or not pages:  # no home; sources that cannot be read
        return None
    folder = root / "deepnet" / digest.hexdigest()[:16]
    try:
        root.mkdir(parents=True, exist_ok=True)
        for part in (folder.parent, folder):
            part.mkdir(mode=0o700, exist_ok=True)
            facts = part.stat()
            if facts.st_uid != os.getuid() or facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                return None
    except OSError:
        return None
    with contextlib.suppress(OSError):
        os.utime(folder)
    return folder


CACHE = _cache_folder() if ENABLED else None
COMPILED: dict[str, bool] = {}  # what this process compiled, by file name, and whether the cache took it


class Store:
    """The compiled forms of one function in the cache folder, a file a signature; in the place of Numba's own cache.

    Numba's lets errors of reading and writing out (numba issue 10434), and at a flipped bit LLVM ends the process. Here
    a file begins with a hash of its name and contents: what is damaged or cannot be read is compiled and written anew,
    what cannot be written is left.
    """

    def __init__(self, function):
        self.cache_path = str(CACHE)
        self._name = function.__name__
        self._place = function.__module__, function.__qualname__, function.__code__.co_firstlineno

    def _path(self, signature):
        digest = hashlib.sha256(repr((self._place, signature)).encode()).hexdigest()
        return CACHE / f"{self._name}-{digest[:24]}.nbc"

    def load_overload(self, signature, context):
        """The compiled function for a signature, or None."""
        context.refresh()
        path = self._path(signature)
        try:
            content = path.read_bytes()
            if content[:32] == _seal(path, content[32:]):
                return CompileResult._rebuild(context, *pickle.loads(content[32:]))
        except Exception:  # whatever it is, compiling anew mends it
            pass
        return None

    def save_overload(self, signature, result):
        """Write a compiled function, if that can be done."""
        path = self._path(signature)
        COMPILED[path.name] = False
        if result.library.has_dynamic_globals:  # addresses of this process
            return
        content = dumps(result._reduce())
        with contextlib.suppress(OSError):
            number, spare = tempfile.mkstemp(dir=CACHE)
            try:
                with open(number, "wb") as stream:
                    stream.write(_seal(path, content) + content)
                os.replace(spare, path)
                COMPILED[path.name] = True
            finally:
                if not COMPILED[path.name]:
                    os.unlink(spare)


def _seal(path, content):
    return hashlib.sha256(path.name.encode() + content).digest()


def _keep(compiled, function):
    """Give a kernel its place in the cache; for functions of other pages the folder's name does not vouch."""
    if CACHE is not None and function.__module__.rpartition(".")[0] == __package__ and not function.__closure__:
        compiled._cache = Store(function)
    return compiled


def _type_of(value):
    """Numba's type of an argument, where a float32 matrix is one of any strides.

    Most are: their rows are padded. One whose width needs no padding, or of one row, is contiguous to NumPy, and each
    kernel would be compiled anew for it.
    """
    kind = numba.typeof(value)
    if isinstance(kind, types.Array) and kind.ndim == 2 and kind.dtype == types.float32:
        return kind.copy(layout="A")
    return kind


def njit(function=None, *, parallel=False):
    """Compile on first call with the house's flags; without a JIT the function stays as it is."""
    if function is None:
        return lambda f: njit(f, parallel=parallel)
    compiled = _keep(numba.njit(function, parallel=parallel, **FLAGS), function)
    if ENABLED:
        compiled.typeof_pyval = _type_of
    return compiled


def inner(function=None, *, inline=False):
    """Compile as a part of the kernels that call it; to Python the function stays as it is.

    It has no entry for Python, which takes longer to compile than many a body. `inline` is for scalar functions, which
    must lie inside their caller's loop for it to vectorise.
    """
    if function is None:
        return lambda f: inner(f, inline=inline)
    return register_jitable(forceinline=inline, **FLAGS)(function)


@intrinsic
def _fused(typingctx, a, b, c):
    return types.float32(types.float32, types.float32, types.float32), lambda context, builder, _, v: builder.fma(*v)


@inner(inline=True)
def fma(a, b, c):
    """The float32 a b + c with one rounding: for sums of two products, of which the compiler could fuse either."""
    return _fused(a, b, c)


@intrinsic
def choose(typingctx, where, a, b):
    """The float32 a where a condition holds, else b.

    For what a loop stores in place: where b is what lies there LLVM makes a store of some lanes, which AVX2 does at a
    tenth of the speed, unless b is frozen.
    """

    def emit(context, builder, signature, values):
        where, a, b = values
        frozen = ir.instructions.Instruction(builder.block, b.type, "freeze", [b])
        builder._insert(frozen)
        return builder.select(where, a, frozen)

    return types.float32(types.boolean, types.float32, types.float32), emit


@intrinsic
def _swap_mode(typingctx, bits, replace):
    """The old MXCSR; the new one is `bits`, added to the old one unless `replace`."""

    def emit(context, builder, signature, values):
        bits, replace = values
        if platform.machine() not in ("x86_64", "AMD64"):
            return bits
        word = ir.IntType(32)
        slot = cgutils.alloca_once(builder, word)
        kind = ir.FunctionType(ir.VoidType(), [ir.PointerType(word)])
        builder.call(cgutils.get_or_insert_function(builder.module, kind, "llvm.x86.sse.stmxcsr"), [slot])
        old = builder.load(slot)
        builder.store(builder.select(replace, bits, builder.or_(old, bits)), slot)
        builder.call(cgutils.get_or_insert_function(builder.module, kind, "llvm.x86.sse.ldmxcsr"), [slot])
        return old

    return types.int32(types.int32, types.boolean), emit


@inner(inline=True)
def flush():
    """From here on numbers below 1.2e-38 count as zero, on this thread; returns what `restore` takes to undo it.

    A saturated unit or a velocity at rest makes such numbers, and each costs an Intel core 150 cycles: CD steps took
    44 ms instead of 1.5.
    """
    return _swap_mode(np.int32(0x8040), False)


@inner(inline=True)
def restore(mode):
    """Undo `flush`."""
    _swap_mode(mode, True)


class Native:
    """A function compiled once and called through its address, because Numba compiles a callee again in every caller.

    It takes `integers` int64 and returns nothing.
    """

    def __init__(self, function, integers):
        self.function = function
        self.signature = types.void(*[types.int64] * integers)

    @functools.cached_property
    def address(self):
        """Where its code begins; compiled, or read from the cache, when first asked for."""
        options = {name: value for name, value in FLAGS.items() if name in ("error_model", "fastmath")}
        self._kept = _keep(CFunc(self.function, normalize_signature(self.signature), {}, options), self.function)
        self._kept.compile()
        return self._kept.address


def native(integers):
    """Decorator that makes a `Native`."""
    return lambda function: Native(function, integers)


@intrinsic
def call(typingctx, address, arguments):
    """Call the `Native` at `address` with a tuple of int64 numbers."""

    def emit(context, builder, signature, values):
        kinds = [context.get_value_type(t) for t in signature.args[1].types]
        kind = ir.FunctionType(ir.VoidType(), kinds)
        builder.call(builder.inttoptr(values[0], ir.PointerType(kind)), cgutils.unpack_tuple(builder, values[1]))
        return context.get_dummy_value()

    return types.void(types.int64, arguments), emit


@inner(inline=True)
def bits_of(value):
    """A float32 as an integer that `float_of` takes back."""
    return np.int64(np.float32(value).view(np.int32))


@inner(inline=True)
def float_of(bits):
    """The float32 of these bits."""
    return np.int32(bits).view(np.float32)


@inner
def matrix_at(address, rows, row, columns):
    """The float32 matrix (rows, columns) at an address, `row` elements from row to row."""
    return numba.carray(_pointer(address), (rows, row))[:, :columns]


@inner
def vector_at(address, size):
    """The float32 vector (size,) at an address."""
    return numba.carray(_pointer(address), (size,))


@inner
def numbers_at(address, size):
    """The int64 vector (size,) at an address."""
    return numba.carray(_long_pointer(address), (size,))


@inner
def doubles_at(address, size):
    """The float64 vector (size,) at an address."""
    return numba.carray(_double_pointer(address), (size,))


@inner
def words_at(address, size):
    """The int32 vector (size,) at an address."""
    return numba.carray(_word_pointer(address), (size,))


@intrinsic
def hold(typingctx, array):
    """Keep an array until here: Numba frees it after its last use and does not see that its address is in use."""
    return types.void(array), lambda context, builder, _, values: context.get_dummy_value()


def _pointer_to(kind, word):
    def pointer(typingctx, address):
        def emit(context, builder, signature, values):
            return builder.inttoptr(values[0], ir.PointerType(word))

        return types.CPointer(kind)(types.int64), emit

    return intrinsic(pointer)


_pointer = _pointer_to(types.float32, ir.FloatType())
_double_pointer = _pointer_to(types.float64, ir.DoubleType())
_long_pointer = _pointer_to(types.int64, ir.IntType(64))
_word_pointer = _pointer_to(types.int32, ir.IntType(32))


@inner(inline=True)
def row_of(array, i, j0, j1):
    """Row i of a float32 matrix, columns j0..j1, as an array that is known to be contiguous and to begin at 0.

    Loops over it vectorise; over a strided view, or from an unknown first index, they would not.
    """
    return numba.carray(_pointer(array.ctypes.data + i * array.strides[0] + j0 * 4), (j1 - j0,))


@njit
def lane_sum(row):
    """The sum of a contiguous float32 row in sixteen interleaved chains, added in order.

    One result on every CPU, and it vectorises.
    """
    lanes = np.zeros(16, np.float32)
    whole = row.size // 16
    for k in range(whole):
        part = row[k * 16 : k * 16 + 16]
        for j in range(16):
            lanes[j] += part[j]
    for j in range(row.size - 16 * whole):
        lanes[j] += row[16 * whole + j]
    total = np.float32(0)
    for j in range(16):
        total += lanes[j]
    return total


def warm():
    """True where compiled kernels lie in the cache already, so that the first call will be quick."""
    return CACHE is not None and any(CACHE.glob("*.nbc"))


def compiled(array):
    """Whether this array goes to the compiled form of a kernel (float32) or to its twin (all else)."""
    return ENABLED and array.dtype == _FLOAT32  # to a type instead of a dtype it would take ten times as long


def set_threads(count):
    """Use `count` threads, at least 1, at most `most_threads`. Results do not depend on it."""
    numba.set_num_threads(max(1, min(count, most_threads())))


def most_threads():
    """The number of threads that Numba was started with."""
    return config.NUMBA_NUM_THREADS


def threads():
    """The number of threads in use."""
    return numba.get_num_threads()


def layer():
    """Numba's threading layer, omp, tbb or workqueue; None before the first parallel kernel has run."""
    try:
        return numba.threading_layer()
    except ValueError:
        return None
