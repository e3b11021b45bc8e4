"""Elementary functions as polynomials that vectorise: exp, expm1, log, log1p, sigmoid, softplus, tanh, normal quantile.

Numba has no vector `exp`, and libm's differs between CPUs; nothing that reaches a file may go through it. All are
scalar float32 functions, meant to be inlined into loops; errors are those of the tests (a few units in the last
place). NaN stays NaN. Range reduction after Cody and Waite (1980); log and tanh polynomials are the Cephes ones
(Moshier 1989); the quantile is Giles (2010), "Approximating the erfinv function", single precision.
"""

import math

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .jit import fma, inner

_f = np.float32
LOG2E, LN2_HIGH, LN2_LOW = _f(1.4426950408889634), _f(0.693359375), _f(-2.12194440e-4)
ONE, HALF, TWO, ZERO = _f(1), _f(0.5), _f(2), _f(0)
EXP_LEAST, EXP_MOST, SMALL = _f(-87.3), _f(88.37), _f(0.34)
E = tuple(
    map(_f, (1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1))
)
L = tuple(
    map(
        _f,
        (
            7.0376836292e-2,
            -1.1514610310e-1,
            1.1676998740e-1,
            -1.2420140846e-1,
            1.4249322787e-1,
            -1.6668057665e-1,
            2.0000714765e-1,
            -2.4999993993e-1,
            3.3333331174e-1,
        ),
    )
)
T = tuple(map(_f, (-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1)))
SQRT_HALF, ROOT2, TINY = _f(0.707106781186547524), _f(1.4142135623730951), _f(1.17549435e-38)
CENTRE = tuple(
    map(
        _f,
        (
            2.81022636e-08,
            3.43273939e-07,
            -3.5233877e-06,
            -4.39150654e-06,
            0.00021858087,
            -0.00125372503,
            -0.00417768164,
            0.246640727,
            1.50140941,
        ),
    )
)
WING = tuple(
    map(
        _f,
        (
            -0.000200214257,
            0.000100950558,
            0.00134934322,
            -0.00367342844,
            0.00573950773,
            -0.0076224613,
            0.00943887047,
            1.00167406,
            2.83297682,
        ),
    )
)
MANTISSA, EXPONENT_ONE, SHIFT = np.int32(0x007FFFFF), np.int32(0x3F800000), np.int32(23)
BIAS = np.int32(127)


@intrinsic
def _float_of_bits(typingctx, bits):
    return types.float32(types.int32), lambda context, builder, _, v: builder.bitcast(v[0], ir.FloatType())


@intrinsic
def _bits_of_float(typingctx, value):
    return types.int32(types.float32), lambda context, builder, _, v: builder.bitcast(v[0], ir.IntType(32))


@intrinsic
def _floor(typingctx, x):
    """The largest whole float32 that is not above x; Numba's own goes through int64, lane by lane without AVX-512."""

    def emit(context, builder, signature, values):
        kind = ir.FunctionType(ir.FloatType(), [ir.FloatType()])
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, "llvm.floor.f32"), values)

    return types.float32(types.float32), emit


@intrinsic
def _whole(typingctx, x):
    """A whole float32 as int32."""
    return types.int32(types.float32), lambda context, builder, _, v: builder.fptosi(v[0], ir.IntType(32))


@inner(inline=True)
def exp(x):
    """e^x, held within the normal numbers: below -87.3 it is 1.2e-38, above 88.37 it is 2.4e38."""
    x = EXP_LEAST if x < EXP_LEAST else x
    x = EXP_MOST if x > EXP_MOST else x
    n = _floor(x * LOG2E + HALF)
    r = x - n * LN2_HIGH - n * LN2_LOW
    p = E[0] * r + E[1]
    p = p * r + E[2]
    p = p * r + E[3]
    p = p * r + E[4]
    p = p * r + E[5]
    p = p * (r * r) + r + ONE
    finite = n if n == n else ZERO
    return p * _float_of_bits(np.int32((_whole(finite) + BIAS) << SHIFT))


@inner(inline=True)
def expm1(x):
    """e^x - 1, true to small x, where the difference would cancel: there the polynomial of exp stands alone."""
    p = E[0] * x + E[1]
    p = p * x + E[2]
    p = p * x + E[3]
    p = p * x + E[4]
    p = p * x + E[5]
    near = fma(p, x * x, x)
    return near if abs(x) < SMALL else exp(x) - ONE


@inner(inline=True)
def _log_parts(x):
    """(m - 1, exponent) with x = m 2^exponent and m within [sqrt(1/2), sqrt 2)."""
    bits = _bits_of_float(x)
    m = _float_of_bits(np.int32((bits & MANTISSA) | EXPONENT_ONE))
    e = _f(np.int32((bits >> SHIFT) - BIAS))
    large = m >= ROOT2
    return (m * HALF if large else m) - ONE, (e + ONE if large else e)


@inner(inline=True)
def log(x):
    """Natural logarithm of a positive normal number; smaller ones count as 1.2e-38."""
    f, e = _log_parts(TINY if x < TINY else x)
    p = L[0] * f + L[1]
    p = p * f + L[2]
    p = p * f + L[3]
    p = p * f + L[4]
    p = p * f + L[5]
    p = p * f + L[6]
    p = p * f + L[7]
    p = p * f + L[8]
    z = f * f
    y = fma(f * z, p, e * LN2_LOW) - HALF * z
    result = f + y + e * LN2_HIGH
    return result if x == x else x


@inner(inline=True)
def log1p(u):
    """log(1 + u) for u in [0, 1e30], true to small u: the rounding of 1 + u is put back."""
    w = ONE + u
    return log(w) + (u - (w - ONE)) / w


@inner(inline=True)
def sigmoid(x):
    """1 / (1 + e^-x)."""
    return ONE / (ONE + exp(-x))


@inner(inline=True)
def softplus(x):
    """log(1 + e^x)."""
    return (x if x > ZERO else ZERO) + log1p(exp(-abs(x)))


@inner(inline=True)
def tanh(x):
    """Hyperbolic tangent: a polynomial near 0, where the quotient would cancel."""
    z = x * x
    p = T[0] * z + T[1]
    p = p * z + T[2]
    p = p * z + T[3]
    p = p * z + T[4]
    near = p * z * x + x
    size = abs(x)
    far = ONE - TWO / (exp(size + size) + ONE)
    return near if size < _f(0.625) else (far if x > ZERO else -far)


@inner(inline=True)
def normal_quantile(bits):
    """The normal deviate of a 32-bit draw.

    Sqrt(2) erfinv(2u - 1) with u = (bits >> 8) 2^-24 + 2^-25, so |value| < 5.5.
    """
    x = _f(np.int32(np.int32(bits >> np.uint32(8)) - np.int32(1 << 23))) * _f(2**-23) + _f(2**-24)
    w = -log((ONE - x) * (ONE + x))
    c = w - _f(2.5)
    centre = CENTRE[0] * c + CENTRE[1]
    centre = centre * c + CENTRE[2]
    centre = centre * c + CENTRE[3]
    centre = centre * c + CENTRE[4]
    centre = centre * c + CENTRE[5]
    centre = centre * c + CENTRE[6]
    centre = centre * c + CENTRE[7]
    centre = centre * c + CENTRE[8]
    d = _f(math.sqrt(w)) - _f(3)
    wing = WING[0] * d + WING[1]
    wing = wing * d + WING[2]
    wing = wing * d + WING[3]
    wing = wing * d + WING[4]
    wing = wing * d + WING[5]
    wing = wing * d + WING[6]
    wing = wing * d + WING[7]
    wing = wing * d + WING[8]
    return ROOT2 * x * (centre if w < _f(5) else wing)
