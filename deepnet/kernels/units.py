"""The elementwise life of units: activation, derivative and sampling, in place.

Functions of a unit's code, a small integer, so that every product is compiled once for all units. Arrays have unit
inner stride; `_t` marks an array stored transposed. Twins take whole arrays of any float type. Source of the
samplers: Hinton 2010, sections 3 and 13; NReLU: Nair and Hinton 2010; of the other units: `nn.units`.

A slope is a function of what the unit has given, a = f(z), but for square, whose slope is a function of its input z.
"""

import numpy as np

from .exp import HALF, ONE, TWO, ZERO, exp, expm1, log, normal_quantile, sigmoid, softplus, tanh
from .jit import call, choose, compiled, fma, inner, lane_sum, native, njit, row_of, vector_at
from .random import GROUP, bits_twin, fill_group, halves, normal_twin

LINEAR, LOGISTIC, RELU, SOFTPLUS, TANH, LEAKY_RELU, HARD_TANH, ELU, SQUARE, SOFTMAX = range(10)
LEAK = np.float32(0.01)
# -Li2(-t) / t on [0, 1]: a Chebyshev fit of ten terms, error below 6e-8.
DILOG = tuple(
    map(
        np.float32,
        (
            0.9999999994485852,
            -0.2499998856997008,
            0.11110716561901883,
            -0.06244647539100289,
            0.03962401169119932,
            -0.026214008964916026,
            0.016245163256699936,
            -0.008131727852941778,
            0.0027149570466904038,
            -0.0004321661410924848,
        ),
    )
)
ZETA2 = np.float32(np.pi**2 / 6)
_UNIT, _EIGHT = np.float32(2**-24), np.uint32(8)


@inner
def activate_row(code, row):
    """row <- f(row)."""
    if code == LOGISTIC:
        for j in range(row.size):
            row[j] = sigmoid(row[j])
    elif code == RELU:
        for j in range(row.size):
            row[j] = choose(row[j] < ZERO, ZERO, row[j])
    elif code == SOFTPLUS:
        for j in range(row.size):
            row[j] = softplus(row[j])
    elif code == TANH:
        for j in range(row.size):
            row[j] = tanh(row[j])
    elif code == LEAKY_RELU:
        for j in range(row.size):
            row[j] = choose(row[j] < ZERO, LEAK * row[j], row[j])
    elif code == HARD_TANH:
        for j in range(row.size):
            row[j] = choose(row[j] < -ONE, -ONE, choose(row[j] > ONE, ONE, row[j]))
    elif code == ELU:
        for j in range(row.size):
            row[j] = choose(row[j] < ZERO, expm1(row[j]), row[j])
    elif code == SQUARE:
        for j in range(row.size):
            row[j] = row[j] * row[j]


@inner
def chain_row(code, a, d):
    """d <- d f'(z), from a = f(z), for square from a = z."""
    if code == LOGISTIC:
        for j in range(d.size):
            d[j] = d[j] * (a[j] * (ONE - a[j]))
    elif code == RELU:
        for j in range(d.size):
            d[j] = d[j] * (ONE if a[j] > ZERO else ZERO)
    elif code == SOFTPLUS:
        for j in range(d.size):
            d[j] = d[j] * (ONE - exp(-a[j]))
    elif code == TANH:
        for j in range(d.size):
            d[j] = d[j] * fma(-a[j], a[j], ONE)
    elif code == LEAKY_RELU:
        for j in range(d.size):
            d[j] = d[j] * (ONE if a[j] > ZERO else LEAK)
    elif code == HARD_TANH:
        for j in range(d.size):
            d[j] = d[j] * (ONE if abs(a[j]) < ONE else ZERO)
    elif code == ELU:
        for j in range(d.size):
            d[j] = d[j] * (ONE if a[j] > ZERO else ONE + a[j])
    elif code == SQUARE:
        for j in range(d.size):
            d[j] = d[j] * (TWO * a[j])


@native(3)
def activate_at(code, row, size):
    """`activate_row` of the vector at an address: one compiled form for all who need it, as it is long."""
    activate_row(code, vector_at(row, size))


@native(4)
def chain_at(code, a, d, size):
    """`chain_row` of the vectors at two addresses."""
    chain_row(code, vector_at(a, size), vector_at(d, size))


@inner
def sample_row(code, row, k0, k1, draw, i, j0, states):
    """row, the inputs z of case i and units j0.., becomes their mean; states gets draws, a row of the same units.

    Logistic Bernoulli, linear N(z, 1), relu max(0, z + N(0, sigmoid(z))) with mean softplus(z). j0 is a multiple of
    GROUP.
    """
    draws = np.empty(GROUP, np.uint32)
    if code == LOGISTIC:
        for j in range(row.size):
            row[j] = sigmoid(row[j])
    for g in range((row.size + GROUP - 1) // GROUP):
        fill_group(k0, k1, draw, i, j0 // GROUP + g, draws)
        part = row[g * GROUP : min((g + 1) * GROUP, row.size)]
        state = states[g * GROUP : min((g + 1) * GROUP, row.size)]
        if code == LOGISTIC:
            for j in range(part.size):
                state[j] = ONE if np.float32(draws[j] >> _EIGHT) * _UNIT < part[j] else ZERO
        elif code == LINEAR:
            for j in range(part.size):
                state[j] = part[j] + normal_quantile(draws[j])
        else:
            for j in range(part.size):
                noisy = part[j] + np.float32(np.sqrt(sigmoid(part[j]))) * normal_quantile(draws[j])
                state[j] = ZERO if noisy < ZERO else noisy
    if code == RELU:
        for j in range(row.size):
            row[j] = softplus(row[j])


@native(9)
def sample_at(code, row, size, k0, k1, draw, i, j0, states):
    """`sample_row` of the vectors at two addresses."""
    sample_row(code, vector_at(row, size), np.uint32(k0), np.uint32(k1), draw, i, j0, vector_at(states, size))


@njit
def _sample(address, code, z, k0, k1, draw, states_t):
    states = np.empty(z.shape[1], np.float32)
    for i in range(z.shape[0]):
        row = np.int64(z.ctypes.data) + i * z.strides[0]
        call(address, (code, row, states.size, k0, k1, draw, i, 0, np.int64(states.ctypes.data)))
        for j in range(states.size):
            states_t[j, i] = states[j]


@njit
def _activate(address, code, c):
    for i in range(c.shape[0]):
        call(address, (code, np.int64(c.ctypes.data) + i * c.strides[0], c.shape[1]))


@njit
def _chain(address, code, a, d):
    for i in range(a.shape[0]):
        value, slope = np.int64(a.ctypes.data) + i * a.strides[0], np.int64(d.ctypes.data) + i * d.strides[0]
        call(address, (code, value, slope, a.shape[1]))


@njit
def _softmax(z, out):
    for i in range(z.shape[0]):
        given, row = row_of(z, i, 0, z.shape[1]), row_of(out, i, 0, z.shape[1])
        top = given[0]
        for j in range(row.size):
            top = given[j] if given[j] > top else top
        for j in range(row.size):
            row[j] = exp(given[j] - top)
        total = ZERO
        for j in range(row.size):
            total += row[j]
        for j in range(row.size):
            row[j] = row[j] / total


@njit
def _softmax_chain(a, d):
    for i in range(a.shape[0]):
        value, row = row_of(a, i, 0, a.shape[1]), row_of(d, i, 0, a.shape[1])
        inner = ZERO
        for j in range(row.size):
            inner += value[j] * row[j]
        for j in range(row.size):
            row[j] = value[j] * (row[j] - inner)


@njit
def _sample_softmax(mean, k0, k1, draw, states_t):
    draws = np.empty(GROUP, np.uint32)
    for i in range(mean.shape[0]):
        fill_group(k0, k1, draw, i, 0, draws)
        u = np.float32(draws[0] >> _EIGHT) * _UNIT
        below = ZERO
        chosen = -1
        for j in range(mean.shape[1]):
            below += mean[i, j]
            states_t[j, i] = ZERO
            if chosen < 0 and u < below:
                chosen = j
        states_t[chosen if chosen >= 0 else mean.shape[1] - 1, i] = ONE


@inner(inline=True)
def dilog(x):
    """-Li2(-e^x), the integral of softplus from -inf to x.

    The sum of log(1 + e^(x - i + 1/2)) over the copies of an NReLU.
    """
    t = exp(-abs(x))
    p = DILOG[9]
    for k in range(9):
        p = p * t + DILOG[8 - k]
    return fma(-p, t, fma(HALF * x, x, ZETA2)) if x > ZERO else p * t


@njit
def _log_partition(code, z, out):
    terms = np.empty(z.shape[1], np.float32)
    for i in range(z.shape[0]):
        row = row_of(z, i, 0, z.shape[1])
        top = row[0]
        if code == LOGISTIC:
            for j in range(row.size):
                terms[j] = softplus(row[j])
        elif code == LINEAR:
            for j in range(row.size):
                terms[j] = HALF * row[j] * row[j]
        elif code == RELU:
            for j in range(row.size):
                terms[j] = dilog(row[j])
        else:
            for j in range(row.size):
                top = row[j] if row[j] > top else top
            for j in range(row.size):
                terms[j] = exp(row[j] - top)
        total = lane_sum(terms)
        out[i] = top + log(total) if code == SOFTMAX else total


def dilog_twin(x):
    """-Li2(-e^x) by Gauss-Legendre quadrature of log(1 + t s) / s over [0, 1], t = e^-|x|, and its reflection."""
    nodes, weights = np.polynomial.legendre.leggauss(60)
    s, t = (nodes + 1) / 2, np.exp(-np.abs(x))
    low = (np.log1p(t[..., None] * s) * (weights / (2 * s))).sum(axis=-1)
    return np.where(x > 0, np.pi**2 / 6 + x * x / 2 - low, low)


def activate_twin(code, z):
    """f(z), an array of z's type."""
    if code == LOGISTIC:
        with np.errstate(over="ignore"):
            return 1 / (1 + np.exp(-z))
    if code == RELU:
        return np.where(z.real < 0, 0, z)
    if code == SOFTPLUS:
        return np.where(z.real > 0, z, 0) + np.log1p(np.exp(-np.where(z.real > 0, z, -z)))
    if code == LEAKY_RELU:
        return np.where(z.real < 0, 0.01 * z, z)
    if code == HARD_TANH:
        return np.where(z.real < -1, -1, np.where(z.real > 1, 1, z))
    if code == ELU:
        return np.where(z.real < 0, np.expm1(np.where(z.real < 0, z, 0)), z)
    if code == SQUARE:
        return z * z
    return np.tanh(z) if code == TANH else z


def slope_twin(code, a):
    """f'(z) from a = f(z), for square from a = z, an array of a's type."""
    if code == LOGISTIC:
        return a * (1 - a)
    if code == RELU:
        return np.where(a.real > 0, 1, 0).astype(a.dtype)
    if code == SOFTPLUS:
        return -np.expm1(-a)
    if code == LEAKY_RELU:
        return np.where(a.real > 0, 1, 0.01).astype(a.dtype)
    if code == HARD_TANH:
        return np.where(np.abs(a.real) < 1, 1, 0).astype(a.dtype)
    if code == ELU:
        return np.where(a.real > 0, 1, 1 + a)
    if code == SQUARE:
        return 2 * a
    return 1 - a * a if code == TANH else np.ones_like(a)


def sample_twin(code, z, key, draw):
    """(mean, states) of units whose input is z (R, J)."""
    draws = bits_twin(key, draw, *z.shape)
    if code == LOGISTIC:
        mean = activate_twin(LOGISTIC, z)
        return mean, ((draws >> _EIGHT) * 2.0**-24 < mean).astype(z.dtype)
    noise = normal_twin(draws)
    if code == LINEAR:
        return z, (z + noise).astype(z.dtype)
    states = np.maximum(0, z + np.sqrt(activate_twin(LOGISTIC, z)) * noise)
    return activate_twin(SOFTPLUS, z), states.astype(z.dtype)


def activate(code, c):
    """c <- f(c), in place, (R, J)."""
    if compiled(c):
        _activate(activate_at.address, code, c)
    else:
        c[...] = activate_twin(code, c)


def chain(code, a, d):
    """d <- d * f'(z), in place, given a = f(z), for square a = z; both (R, J)."""
    if compiled(d):
        _chain(chain_at.address, code, a, d)
    else:
        d *= slope_twin(code, a)


def sample(code, z, key, draw, states_t):
    """z (R, J), the units' input, becomes their mean; states_t (J, R) <- draws from them (see `sample_row`)."""
    if compiled(z):
        _sample(sample_at.address, code, z, *map(int, halves(key)), draw, states_t)
    else:
        z[...], states = sample_twin(code, z, key, draw)
        states_t[...] = states.T


def softmax(z, out):
    """out <- e^z / sum e^z along each row, (R, J); z and out may be one array."""
    if compiled(out):
        _softmax(z, out)
    else:
        power = np.exp(z - z.real.max(axis=1, keepdims=True))
        out[...] = power / power.sum(axis=1, keepdims=True)


def softmax_chain(a, d):
    """d <- a (d - a.d) along each row, (R, J): the derivative of softmax, in place."""
    if compiled(d):
        _softmax_chain(a, d)
    else:
        d[...] = a * (d - (a * d).sum(axis=1, keepdims=True))


def sample_softmax(mean, key, draw, states_t):
    """states_t (J, R) <- one unit of each row of mean (R, J) set to 1, chosen with the row's probabilities."""
    if compiled(mean):
        _sample_softmax(mean, *halves(key), draw, states_t)
    else:
        u = (bits_twin(key, draw, mean.shape[0], 1) >> _EIGHT) * 2.0**-24
        chosen = np.minimum((np.cumsum(mean, axis=1) <= u).sum(axis=1), mean.shape[1] - 1)
        states_t[...] = np.arange(mean.shape[1])[:, None] == chosen


def log_partition(code, z, out):
    """out (R,) <- log of the sum (or integral) over the states of a row's units with inputs z (R, J), less constants.

    Logistic sum log(1 + e^z), linear sum z^2 / 2, relu sum -Li2(-e^z), softmax log sum e^z.
    """
    if compiled(z):
        _log_partition(code, z, out)
    elif code == SOFTMAX:
        top = z.max(axis=1)
        out[...] = top + np.log(np.exp(z - top[:, None]).sum(axis=1))
    elif code == RELU:
        out[...] = dilog_twin(z).sum(axis=1)
    else:
        out[...] = (activate_twin(SOFTPLUS, z) if code == LOGISTIC else z * z / 2).sum(axis=1)
