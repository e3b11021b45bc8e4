"""Random numbers from a counter: Philox4x32-10 (Salmon, Moraes, Dror and Shaw 2011, section 3.3).

A draw is a function of a key and a position, never of what was drawn before, so it does not depend on who
computes it, when, or on how many threads. A key is an integer below 2^64, made from the seed by `fold`:
purpose, layer, epoch, minibatch. Within a key, unit j of row r takes word (j % 64) // 16 of the block whose
counter is (16 (j // 64) + j % 16, r, draw, 0): sixteen neighbours lie in sixteen blocks, so that the rounds
run in vector registers. Ten rounds cost 0.5 ns a draw on one core of Zen 4, under 1 % of a CD step, so the
shorter Philox4x32-7 is not worth its thinner margin.

Axes: R rows, J units.
"""

import numpy as np

from .exp import normal_quantile
from .jit import ENABLED, inner, njit

ROUNDS = 10
LANES = 16
GROUP = 4 * LANES  # units that share a run of blocks; products cut their tiles at multiples of it
# What a key is for; the first word folded into the seed.
ORDER, SAMPLE, INITIALIZE, SPLIT, NOISE, PROBE, LABELS, DECODER, LANDSCAPE, SIGNS = range(10)
SHIFTS = 1  # the draw under a minibatch's own key that moves its images; `fold` makes the keys of its layers by draw 0

_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = np.uint32(0x9E3779B9), np.uint32(0xBB67AE85)
_LOW, _HALF, _EIGHT, _SIGN = np.uint64(0xFFFFFFFF), np.uint64(32), np.uint32(8), np.uint32(31)
_UNIT = np.float32(2**-24)


def halves(key):
    """The key as two uint32 words, low first, as the compiled functions take it."""
    return np.uint32(key & 0xFFFFFFFF), np.uint32(key >> 32)


def philox(counter, key):
    """Philox4x32-10 of four uint32 counter words (arrays that broadcast) under one key: four uint32 arrays."""
    c0, c1, c2, c3 = (np.asarray(word, np.uint32) for word in counter)
    k0, k1 = halves(key)
    with np.errstate(over="ignore"):
        for _ in range(ROUNDS):
            low, high = _M0 * c0.astype(np.uint64), _M1 * c2.astype(np.uint64)
            c0, c1, c2, c3 = (
                (high >> _HALF).astype(np.uint32) ^ c1 ^ k0,
                (high & _LOW).astype(np.uint32),
                (low >> _HALF).astype(np.uint32) ^ c3 ^ k1,
                (low & _LOW).astype(np.uint32),
            )
            k0, k1 = k0 + _W0, k1 + _W1
    return c0, c1, c2, c3


@inner(inline=True)
def block(c0, c1, c2, c3, k0, k1):
    """One Philox4x32-10 block: four uint32 words in, four out."""
    for _ in range(ROUNDS):
        low = _M0 * np.uint64(c0)
        high = _M1 * np.uint64(c2)
        c0 = np.uint32(high >> _HALF) ^ c1 ^ k0
        c2 = np.uint32(low >> _HALF) ^ c3 ^ k1
        c1 = np.uint32(high)
        c3 = np.uint32(low)
        k0 = np.uint32(k0 + _W0)
        k1 = np.uint32(k1 + _W1)
    return c0, c1, c2, c3


@inner
def fill_group(k0, k1, draw, row, group, out):
    """The GROUP raw draws of one row's units 64 group .. 64 group + 63."""
    for lane in range(LANES):
        words = block(np.uint32(group * LANES + lane), np.uint32(row), np.uint32(draw), np.uint32(0), k0, k1)
        out[lane], out[LANES + lane], out[2 * LANES + lane], out[3 * LANES + lane] = words


@njit
def _fold(key, word):
    none = np.uint32(0)
    low, high = np.uint32(word & _LOW), np.uint32(word >> _HALF)
    new = block(low, high, none, none, np.uint32(key & _LOW), np.uint32(key >> _HALF))
    return np.uint64(new[0]) | np.uint64(new[1]) << _HALF


@njit
def _fill(k0, k1, draw, out):
    group = np.empty(GROUP, np.uint32)
    for r in range(out.shape[0]):
        for g in range((out.shape[1] + GROUP - 1) // GROUP):
            fill_group(k0, k1, draw, r, g, group)
            for j in range(g * GROUP, min((g + 1) * GROUP, out.shape[1])):
                out[r, j] = group[j - g * GROUP]


@njit
def _fill_normal(bits, out):
    for r in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[r, j] = normal_quantile(bits[r, j])


def fold(key, *words):
    """A new key from a key and integers below 2^64, in this order: the branch of a tree of keys."""
    for word in words:
        if ENABLED:
            key = int(_fold(np.uint64(key), np.uint64(word)))
        else:
            new = philox((*halves(word), 0, 0), key)
            key = int(new[0]) | int(new[1]) << 32
    return key


def bits_twin(key, draw, rows, units):
    """uint32 (R, J): the raw draws of rows 0..R-1 and units 0..J-1."""
    j = np.arange(units)
    counter = (j // GROUP * LANES + j % LANES).astype(np.uint32)
    words = philox((counter[None, :], np.arange(rows, dtype=np.uint32)[:, None], draw, 0), key)
    return np.choose(j % GROUP // LANES, [np.broadcast_to(word, (rows, units)) for word in words])


def bits(key, draw, rows, units):
    """uint32 (R, J): the raw draws of rows 0..R-1 and units 0..J-1 under one key and draw number."""
    if not ENABLED:
        return bits_twin(key, draw, rows, units)
    out = np.empty((rows, units), np.uint32)
    _fill(*halves(key), draw, out)
    return out


def uniform(key, draw, rows, units):
    """float32 (R, J) in [0, 1): multiples of 2^-24."""
    return (bits(key, draw, rows, units) >> _EIGHT).astype(np.float32) * _UNIT


def signs(key, draw, rows, units):
    """float32 (R, J): 1 or -1."""
    return np.float32(1) - np.float32(2) * (bits(key, draw, rows, units) >> _SIGN)


def shifts(key, rows, most):
    """int64 (R, 2): whole numbers from -most to most, all alike."""
    draws = bits(key, SHIFTS, rows, 2).astype(np.uint64)
    return (draws * np.uint64(2 * most + 1) >> _HALF).astype(np.int64) - most


def normal_twin(draws):
    """Normal deviates of raw draws by the standard library's quantile function, float64."""
    from statistics import NormalDist

    u = ((draws >> _EIGHT) + 0.5) * 2.0**-24
    return np.vectorize(NormalDist().inv_cdf, otypes=[float])(u)


def normal(key, draw, rows, units):
    """float32 (R, J) from the standard normal law, by its quantile function, |value| < 5.5."""
    if not ENABLED:
        return normal_twin(bits(key, draw, rows, units)).astype(np.float32)
    out = np.empty((rows, units), np.float32)
    _fill_normal(bits(key, draw, rows, units), out)
    return out


def permutation(key, count):
    """int64 (count,): the rows 0..count-1 in an order that depends on the key alone.

    Rows are sorted by their draw; the row itself breaks ties, so every sorting algorithm agrees.
    """
    draws = bits(key, 0, 1, count)[0].astype(np.uint64)
    return (np.sort(draws << _HALF | np.arange(count, dtype=np.uint64)) & _LOW).astype(np.int64)
