"""How a product is cut: tiles for the threads, panels and strips for the register block, in steps that caches hold.

C (R, J) = A (R, K) B (K, J). A panel is at most PANEL rows, as many as the register block holds; a strip is two
vectors of columns. A tile is a few panels by a few groups of GROUP columns and is filled panel by panel within each
strip. Long sums are cut in pieces of at most CHUNK steps, so that a panel and a strip stay in the nearest caches; a
piece goes on with the chain where the last one left it, and no bit depends on any of these numbers.

Where A's rows lie side by side instead of its steps (the transposed x of `outer`), each step would touch a new page;
such panels are copied once a tile, in the order that the block reads. Measured on one core of an Emerald Rapids server:
`outer` 69-121 GFLOP/s without the copy and without fetching ahead, 113-144 with both; `up` 68-130 and 110-158 (its
ceiling: 174).
"""

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .exp import ZERO
from .jit import call, hold, inner, native, vector_at
from .microkernel import FLOAT, INT, ONCE, VECTORS, target
from .random import GROUP

LANES, PANEL = target()
STRIP = 2 * LANES
WIDTH = (PANEL + 7) // 8 * 8  # rows of a panel that is copied, with those that only fill its vectors
# Most panels and most groups of a tile. Where vectors are short so are panels, and tiles are wider for it. Where W and
# velocity are stepped along whole rows make memory read in order; where A is listed, each part of B in the nearest
# cache should serve many rows.
TALL = (8, 4) if PANEL > 8 else (8, 8)
FLAT = (2, 32) if PANEL > 8 else (4, 32)
THIN = TALL if PANEL > 8 else (32, 2)
CHUNK = 800  # most steps of one piece
PIECE = 64 if PANEL > 8 else 128  # steps of a piece where A is listed: as many rows of B lie in the nearest cache
ROUND = 32  # steps that are copied of each panel before the next, while their lines are near
TILES = 16  # least number of tiles where there is enough to do, so that threads end together
WORTH = 1 << 19  # multiplications from which on threads are worth their hand-over of 5 us
AFTER = 16  # multiplications that cost as much as what follows a product, an element


@inner
def grid(rows, columns, steps, high, wide):
    """(tiles down, tiles across) of a product: one if it is small, else of at most `high` panels by `wide` groups.

    Columns are cut where the parts are nearly alike: of 100 in groups of 64 one thread would have four vectors, the
    other three.
    """
    panels, groups = (rows + PANEL - 1) // PANEL, (columns + GROUP - 1) // GROUP
    if rows * columns * (steps + AFTER) < WORTH:
        return 1, 1
    down, across = (panels + high - 1) // high, (groups + wide - 1) // wide
    while down * across < TILES and (down < panels or across < groups):
        parts = min(groups, 2 * across)
        even = (groups + parts - 1) // parts * GROUP * parts * 8 <= columns * 9
        if across < groups and (down == panels or (even and panels // down <= high // 2)):
            across = parts
        else:
            down = min(panels, 2 * down)
    if down * across % 2 and down < panels:
        down += 1
    return down, across


@inner
def edges(t, down, across, rows, columns):
    """First and last panel, first and last column of tile t; neighbours in t share their columns of B."""
    panels, groups = (rows + PANEL - 1) // PANEL, (columns + GROUP - 1) // GROUP
    y, x = t % down, t // down
    j0, j1 = groups * x // across * GROUP, groups * (x + 1) // across * GROUP
    return panels * y // down, panels * (y + 1) // down, j0, min(j1, columns)


@inner
def row_edge(p, rows):
    """The first row of panel p."""
    return rows * p // ((rows + PANEL - 1) // PANEL)


@intrinsic
def _take(typingctx, source, step, steps, count, target):
    """ONCE vectors at address `target` <- `count` floats at `source` and zeros, of each of at most ONCE steps in turn.

    `step` is in bytes.
    """
    narrow = ir.IntType(32)
    vector, places, masks = (ir.VectorType(kind, WIDTH) for kind in (FLOAT, narrow, ir.IntType(1)))
    pointer, every = ir.PointerType(vector), ir.Constant(places, [0] * WIDTH)

    def emit(context, builder, signature, values):
        source, step, steps, count, target = values
        load = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(vector, [pointer, narrow, masks, vector]),
            f"llvm.masked.load.v{WIDTH}f32.p0",
        )
        rows = []
        for k in range(ONCE):
            some = builder.select(builder.icmp_signed(">", steps, INT(k)), builder.trunc(count, narrow), narrow(0))
            some = builder.insert_element(ir.Constant(places, ir.Undefined), some, narrow(0))
            some = builder.shuffle_vector(some, ir.Constant(places, ir.Undefined), every)
            mask = builder.icmp_signed("<", ir.Constant(places, list(range(WIDTH))), some)
            place = builder.inttoptr(builder.add(source, builder.mul(step, INT(k))), pointer)
            rows.append(builder.call(load, [place, narrow(4), mask, ir.Constant(vector, [0.0] * WIDTH)]))
        if ONCE == 2:
            turns = [[half + n // 2 + WIDTH * (n % 2) for n in range(WIDTH)] for half in (0, WIDTH // 2)]
            rows = [builder.shuffle_vector(*rows, ir.Constant(places, turn)) for turn in turns]
        for k, row in enumerate(rows):
            place = builder.inttoptr(builder.add(target, INT(4 * WIDTH * k)), pointer)
            builder.store(row, place, align=4)
        return context.get_dummy_value()

    return types.void(*[types.int64] * 5), emit


@inner
def _pack(a, a_row, a_k, steps, first, last, rows, out, room):
    """Panels first..last, each in `room` elements at out: for ONCE steps its rows in turn, of each row those steps.

    WIDTH rows are written, whatever a panel has.
    """
    top = row_edge(first, rows)
    for k0 in range(0, steps, ROUND):
        below = top
        for p in range(first, last):
            i, below = below, row_edge(p + 1, rows)
            for k in range(k0, min(k0 + ROUND, steps), ONCE):
                source, place = a + (k * a_k + (i - top) * a_row) * 4, out + ((p - first) * room + k * WIDTH) * 4
                if a_row == 1:
                    _take(source, a_k * 4, steps - k, below - i, place)
                else:
                    for n in range((below - i) * min(ONCE, steps - k)):
                        row, step = n % (below - i), n // (below - i)
                        given = vector_at(source + (step * a_k + row * a_row) * 4, 1)
                        vector_at(place + (row * ONCE + step) * 4, 1)[0] = given[0]


@native(18)
def fill(
    block, a, a_row, a_k, steps, b, b_row, index, starts, starts_row, keep,
    first, last, j0, j1, rows, c, c_row,
):  # fmt: skip
    """Panels first..last of C, columns j0..j1: C = (C if keep) + A B; `index` and `starts` are not looked at.

    Arrays are addresses and element strides; c is the address of the tile's first row and column.
    """
    top, high = row_edge(first, rows), last - first
    copied, pieces = a_k != 1 and (a_row == 1 or ONCE > 1), (steps + CHUNK - 1) // CHUNK
    longest = (steps + pieces - 1) // pieces if copied and pieces else 0
    room = np.empty((high, (longest + ONCE - 1) // ONCE * ONCE * WIDTH), np.float32)
    held = np.int64(room.ctypes.data)
    if steps == 0 and keep == 0:
        for i in range(row_edge(last, rows) - top):
            vector_at(c + i * c_row * 4, j1 - j0)[:] = ZERO
    for piece in range(pieces):
        s0, s1 = steps * piece // pieces, steps * (piece + 1) // pieces
        if copied:
            _pack(a + (top * a_row + s0 * a_k) * 4, a_row, a_k, s1 - s0, first, last, rows, held, room.shape[1])
        for j in range(j0, j1, STRIP):
            wide = min(2, (j1 - j + LANES - 1) // LANES)
            tail, below = min(LANES, j1 - j - (wide - 1) * LANES), top
            for p in range(high):
                i0, below = below, row_edge(first + p + 1, rows)
                call(
                    block,
                    (
                        held + p * room.shape[1] * 4 if copied else a + (i0 * a_row + s0 * a_k) * 4,
                        ONCE if copied else a_row,
                        ONCE * WIDTH if copied else ONCE * a_k,
                        b + (s0 * b_row + j) * 4,
                        b_row,
                        c + ((i0 - top) * c_row + j - j0) * 4,
                        c_row,
                        s1 - s0,
                        tail,
                        1 if piece else keep,
                        below - i0,
                        wide,
                    ),
                )
    hold(room)


@native(18)
def fill_listed(
    strip, a, a_row, a_k, steps, b, b_row, index, starts, starts_row, keep,
    first, last, j0, j1, rows, c, c_row,
):  # fmt: skip
    """The same where a row of A holds only what is not zero, `index` its steps, `starts` where each PIECE begins."""
    top, end = row_edge(first, rows), row_edge(last, rows)
    vectors = (j1 - j0 + LANES - 1) // LANES
    strips = (vectors + VECTORS - 1) // VECTORS
    for n in range(strips):
        j = j0 + vectors * n // strips * LANES
        wide = vectors * (n + 1) // strips - vectors * n // strips
        width = min(wide * LANES, j1 - j)
        for piece in range(max(1, (steps + PIECE - 1) // PIECE)):
            call(
                strip,
                (
                    a + top * a_row * 4, index + top * a_row * 4, a_row,
                    starts + (top * starts_row + piece) * 4, starts_row,
                    b + j * 4, b_row, c + (j - j0) * 4, c_row,
                    width - (wide - 1) * LANES, 1 if piece else keep, end - top, wide,
                ),
            )  # fmt: skip
