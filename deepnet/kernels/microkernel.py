"""The register block of every matrix product, emitted as LLVM IR for this CPU.

A block is C[0:R, 0:V*L] = sum over k of A[i, k] * B[k, j]: R rows times V vectors of L lanes stay in registers
while k runs; per step V vectors of B are loaded and R elements of A broadcast. B and C need unit inner stride. Each
element is one chain of fused multiply-adds over k in increasing order, begun at zero or at the value in C: its bits
depend on no block shape and no vector width.

One turn of the loop takes ONCE steps, whose elements of A lie side by side. With AVX-512 that is one step
of 28 multiplications, and A may have any two strides. A step of short vectors is over after 12, so that the
instructions around them count: two steps share their addresses and branch, and an A that does not lie so is copied
(`tiles`). On two cores of Zen 3 whose other halves were busy, 27 and 23 instructions a step made 93 to 119 and 129 to
139 GFLOP/s. Vectors that are whole are not masked there, for the same reason.

Where A is mostly zeros a strip takes the block's place: one row at a time and VECTORS vectors, over the steps at which
that row is not zero. Each of its multiplications loads its vector of B, so that it pays from half the zeros on.

Why so, on one core of Zen 4: a plain triple loop keeps no block of C in registers and reaches a third of this. One
function holds all block shapes behind a switch and is compiled once; callers reach it through its address, because
Numba compiles a callee again in every caller.
"""

import functools

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.registry import cpu_target
from numba.extending import intrinsic

from .jit import native

INT, FLOAT, WORD = ir.IntType(64), ir.FloatType(), ir.IntType(32)
LINE = 16  # floats of a cache line
AHEAD = 16  # steps by which rows of B are fetched before they are used
# address and element strides of A (row, turn of the loop), of B (k), of C (row); steps of k; lanes used in the last
# vector; whether the chain begins at C; block shape.
ARGUMENTS = ("a", "a_row", "a_next", "b", "b_k", "c", "c_row", "steps", "tail", "keep", "rows", "vectors")

# addresses of what is not zero and of its steps, row by row, elements from row to row; address and row of the places in
# them at which this piece and the next begin; address and stride of B (k), of C (row); lanes used in the last vector;
# whether the chain begins at C; rows, vectors.
LISTED = (
    "values", "index", "list_row", "starts", "starts_row", "b", "b_k", "c", "c_row", "tail", "keep", "rows", "vectors",
)  # fmt: skip


@functools.cache
def target():
    """(lanes, most rows of a block of one or two vectors) for the instruction set that Numba compiles for."""
    features = cpu_target.target_context.codegen().magic_tuple()[2].split(",")
    if "+avx512f" in features:
        return 16, 14
    if "+avx2" in features:
        return 8, 6
    return 4, 8


VECTORS = 8 if target()[0] == LINE else 12  # of a strip: enough chains to hide the latency of a multiplication
ONCE = 1 if target()[0] == LINE else 2  # steps of one turn of a block's loop


class _Brain(ir.Type):
    """LLVM's bfloat, which llvmlite does not name."""

    def _to_string(self):
        return "bfloat"

    def __eq__(self, other):
        return isinstance(other, _Brain)

    def __hash__(self):
        return hash(_Brain)


def _multiply_float32(builder, left, right, total):
    """total + left right, in each lane."""
    kind = total.type
    fma = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(kind, [kind] * 3), f"llvm.fma.v{kind.count}f32"
    )
    return builder.call(fma, [left, right, total])


def _multiply_bfloat16(builder, left, right, total):
    """total + the two products of the two numbers in each lane's words."""
    pairs = ir.VectorType(_Brain(), 2 * total.type.count)
    dots = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(total.type, [total.type, pairs, pairs]), "llvm.x86.avx512bf16.dpbf16ps.512"
    )
    return builder.call(dots, [total, builder.bitcast(left, pairs), builder.bitcast(right, pairs)])


def _emit_block(builder, multiply, arg, rows, vectors, masked, lanes, done):
    """IR of one block shape, its last vector `masked` or whole; every path ends with a branch to `done`."""
    vector = ir.VectorType(FLOAT, lanes)
    pointer = ir.PointerType(FLOAT)
    four = INT(4)

    def at(base, *offsets):
        for offset in offsets:
            base = builder.add(base, builder.mul(offset, four))
        return base

    def vector_pointer(address):
        return builder.inttoptr(address, ir.PointerType(vector))

    module = builder.module
    suffix = f"v{lanes}f32.p0"
    masks = ir.VectorType(ir.IntType(1), lanes)
    load = cgutils.get_or_insert_function(
        module,
        ir.FunctionType(vector, [ir.PointerType(vector), ir.IntType(32), masks, vector]),
        "llvm.masked.load." + suffix,
    )
    store = cgutils.get_or_insert_function(
        module,
        ir.FunctionType(ir.VoidType(), [vector, ir.PointerType(vector), ir.IntType(32), masks]),
        "llvm.masked.store." + suffix,
    )
    zero = ir.Constant(vector, [0.0] * lanes)
    align = ir.Constant(ir.IntType(32), 4)
    byte = ir.PointerType(ir.IntType(8))
    prefetch = cgutils.get_or_insert_function(
        module, ir.FunctionType(ir.VoidType(), [byte, WORD, WORD, WORD]), "llvm.prefetch.p0"
    )

    def fetch(address, write):
        builder.call(prefetch, [builder.inttoptr(address, byte), WORD(write), WORD(3), WORD(1)])

    narrow = ir.VectorType(ir.IntType(32), lanes)
    tail = builder.trunc(arg["tail"], ir.IntType(32))
    spread = builder.shuffle_vector(
        builder.insert_element(ir.Constant(narrow, ir.Undefined), tail, ir.IntType(32)(0)),
        ir.Constant(narrow, ir.Undefined),
        ir.Constant(narrow, [0] * lanes),
    )
    mask = builder.icmp_unsigned("<", ir.Constant(narrow, list(range(lanes))), spread)

    def get(address, v):
        if masked and v == vectors - 1:
            return builder.call(load, [vector_pointer(address), align, mask, zero])
        return builder.load(vector_pointer(address), align=4)

    def cell(i, v):
        return at(arg["c"], builder.mul(INT(i), arg["c_row"]), INT(v * lanes))

    for i in range(rows):
        for v in range(vectors):
            fetch(cell(i, v), 1)
    step = builder.mul(arg["a_row"], four)
    triple, b_step = builder.mul(step, INT(3)), builder.mul(arg["b_k"], four)
    ahead = builder.mul(b_step, INT(AHEAD))

    def advanced(a, b, sums, steps):
        """The sums after so many steps from the addresses a and b.

        Rows of A are reached as every third row plus 1, 2, 4 or 8 strides, which one instruction can address. With an
        offset of its own for each row there are more offsets than registers, and tall blocks run at half the speed.
        LLVM, which would make each row's address from that of the one before, is not told where the first one is from.
        """
        top = builder.asm(ir.FunctionType(INT, [INT]), "", "=r,0", [a], False)
        bases = [top]
        for _ in range(3, rows, 3):
            bases.append(builder.add(bases[-1], triple))
        for k in range(steps):
            for v in range(0, vectors, LINE // lanes):
                fetch(builder.add(builder.add(b, ahead), INT(4 * v * lanes)), 0)
            right = [get(at(b, INT(v * lanes)), v) for v in range(vectors)]
            new = []
            for i in range(rows):
                base, scale = next((j, c) for c in (0, 1, 2, 4, 8) for j in range(len(bases)) if 3 * j + c == i)
                address = builder.add(bases[base], builder.mul(step, INT(scale))) if scale else bases[base]
                left = builder.load(builder.inttoptr(builder.add(address, INT(4 * k)), pointer), align=4)
                left = builder.shuffle_vector(
                    builder.insert_element(ir.Constant(vector, ir.Undefined), left, ir.IntType(32)(0)),
                    ir.Constant(vector, ir.Undefined),
                    ir.Constant(narrow, [0] * lanes),
                )
                new += [multiply(builder, left, right[v], sums[i * vectors + v]) for v in range(vectors)]
            sums, b = new, builder.add(b, b_step)
        return sums

    def loop(name, a, b, a_step, count, sums, steps):
        """`count` times so many steps, none perhaps; the addresses and sums after them."""
        begin, body, end = builder.block, *(builder.append_basic_block(name + part) for part in ("", " end"))
        builder.cbranch(builder.icmp_signed(">", count, INT(0)), body, end)
        builder.position_at_end(body)
        nodes = [builder.phi(given.type) for given in (count, a, b, *sums)]
        left, here, row, *held = nodes
        after = advanced(here, row, held, steps)
        fewer = builder.sub(left, INT(1))
        nexts = fewer, builder.add(here, a_step), builder.add(row, builder.mul(b_step, INT(steps))), *after
        for node, first, following in zip(nodes, (count, a, b, *sums), nexts, strict=True):
            node.add_incoming(first, begin)
            node.add_incoming(following, body)
        builder.cbranch(builder.icmp_signed(">", fewer, INT(0)), body, end)
        builder.position_at_end(end)
        ends = [builder.phi(given.type) for given in (a, b, *sums)]
        for node, first, following in zip(ends, (a, b, *sums), nexts[1:], strict=True):
            node.add_incoming(first, begin)
            node.add_incoming(following, body)
        return ends[0], ends[1], ends[2:]

    begin, resume, ready = builder.block, builder.append_basic_block("resume"), builder.append_basic_block("ready")
    builder.cbranch(builder.icmp_signed("!=", arg["keep"], INT(0)), resume, ready)
    builder.position_at_end(resume)
    kept = [get(cell(i, v), v) for i in range(rows) for v in range(vectors)]
    builder.branch(ready)
    builder.position_at_end(ready)
    sums = [builder.phi(vector) for _ in range(rows * vectors)]
    for node, value in zip(sums, kept, strict=True):
        node.add_incoming(zero, begin)
        node.add_incoming(value, resume)
    count, rest = (divide(arg["steps"], INT(ONCE)) for divide in (builder.udiv, builder.urem))
    a, b, new = loop("loop", arg["a"], arg["b"], builder.mul(arg["a_next"], four), count, sums, ONCE)
    if ONCE > 1:
        _, _, new = loop("rest", a, b, four, rest, new, 1)
    for i in range(rows):
        for v in range(vectors):
            value, address = new[i * vectors + v], vector_pointer(cell(i, v))
            if masked and v == vectors - 1:
                builder.call(store, [value, address, align, mask])
            else:
                builder.store(value, address, align=4)
    builder.branch(done)


def _emit(multiply):
    """IR of all block shapes behind a switch."""
    lanes, most = target()

    def emit(context, builder, signature, values):
        arg = dict(zip(ARGUMENTS, cgutils.unpack_tuple(builder, values[0]), strict=True))
        done = builder.append_basic_block("done")
        # A mask costs nothing with AVX-512: there every last vector has one.
        some = INT(1) if lanes == LINE else builder.zext(builder.icmp_signed("<", arg["tail"], INT(lanes)), INT)
        code = builder.add(builder.mul(arg["rows"], INT(8)), builder.add(builder.mul(arg["vectors"], INT(2)), some))
        switch = builder.switch(code, done)
        for masked in (True,) if lanes == LINE else (True, False):
            for vectors in (1, 2):
                for rows in range(1, most + 1):
                    block = builder.append_basic_block(f"block_{rows}x{vectors}")
                    switch.add_case(INT(rows * 8 + vectors * 2 + masked), block)
                    builder.position_at_end(block)
                    _emit_block(builder, multiply, arg, rows, vectors, masked, lanes, done)
        builder.position_at_end(done)
        return context.get_dummy_value()

    return emit


def _emit_strip(builder, multiply, arg, vectors, lanes, done):
    """IR of a strip of that many vectors: row after row, each over the steps it lists."""
    vector, narrow = ir.VectorType(FLOAT, lanes), ir.VectorType(WORD, lanes)
    masks, pointer, four = ir.VectorType(ir.IntType(1), lanes), ir.PointerType(vector), INT(4)
    suffix, align = f"v{lanes}f32.p0", ir.Constant(WORD, 4)
    load = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(vector, [pointer, WORD, masks, vector]), "llvm.masked.load." + suffix
    )
    store = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(ir.VoidType(), [vector, pointer, WORD, masks]), "llvm.masked.store." + suffix
    )
    zero = ir.Constant(vector, [0.0] * lanes)

    def everywhere(value, kind):
        one = builder.insert_element(ir.Constant(kind, ir.Undefined), value, WORD(0))
        return builder.shuffle_vector(one, ir.Constant(kind, ir.Undefined), ir.Constant(narrow, [0] * lanes))

    def at(base, offset, stride=None):
        return builder.add(base, builder.mul(builder.mul(offset, stride) if stride else offset, four))

    def word(address):
        return builder.sext(builder.load(builder.inttoptr(address, ir.PointerType(WORD)), align=4), INT)

    def lane(base, v):
        return builder.inttoptr(builder.add(base, INT(4 * lanes * v)), pointer)

    def get(base, v):
        if v == vectors - 1:
            return builder.call(load, [lane(base, v), align, mask, zero])
        return builder.load(lane(base, v), align=4)

    tail = everywhere(builder.trunc(arg["tail"], WORD), narrow)
    mask = builder.icmp_unsigned("<", ir.Constant(narrow, list(range(lanes))), tail)
    begin = builder.block
    row, resume, ready, loop, write = (
        builder.append_basic_block(name) for name in ("row", "resume", "ready", "loop", "write")
    )
    builder.branch(row)
    builder.position_at_end(row)
    i = builder.phi(INT)
    i.add_incoming(INT(0), begin)
    piece = at(arg["starts"], i, arg["starts_row"])
    first, last = word(piece), word(builder.add(piece, four))
    values, index = at(arg["values"], i, arg["list_row"]), at(arg["index"], i, arg["list_row"])
    c = at(arg["c"], i, arg["c_row"])
    builder.cbranch(builder.icmp_signed("!=", arg["keep"], INT(0)), resume, ready)
    builder.position_at_end(resume)
    kept = [get(c, v) for v in range(vectors)]
    builder.branch(ready)
    builder.position_at_end(ready)
    start = [builder.phi(vector) for _ in range(vectors)]
    for node, value in zip(start, kept, strict=True):
        node.add_incoming(zero, row)
        node.add_incoming(value, resume)
    builder.cbranch(builder.icmp_signed("<", first, last), loop, write)
    builder.position_at_end(loop)
    t = builder.phi(INT)
    t.add_incoming(first, ready)
    sums = [builder.phi(vector) for _ in range(vectors)]
    b = at(arg["b"], word(at(index, t)), arg["b_k"])
    left = everywhere(builder.load(builder.inttoptr(at(values, t), ir.PointerType(FLOAT)), align=4), vector)
    new = [multiply(builder, left, get(b, v), sums[v]) for v in range(vectors)]
    following = builder.add(t, INT(1))
    t.add_incoming(following, loop)
    for node, value, again in zip(sums, start, new, strict=True):
        node.add_incoming(value, ready)
        node.add_incoming(again, loop)
    builder.cbranch(builder.icmp_signed("<", following, last), loop, write)
    builder.position_at_end(write)
    ends = [builder.phi(vector) for _ in range(vectors)]
    for v, (node, value, again) in enumerate(zip(ends, start, new, strict=True)):
        node.add_incoming(value, ready)
        node.add_incoming(again, loop)
        if v == vectors - 1:
            builder.call(store, [node, lane(c, v), align, mask])
    for v in range(vectors - 1):
        builder.store(ends[v], lane(c, v), align=4)
    below = builder.add(i, INT(1))
    i.add_incoming(below, write)
    builder.cbranch(builder.icmp_signed("<", below, arg["rows"]), row, done)


def _emit_strips(multiply):
    """IR of all widths of a strip behind a switch."""

    def emit(context, builder, signature, values):
        arg = dict(zip(LISTED, cgutils.unpack_tuple(builder, values[0]), strict=True))
        done = builder.append_basic_block("done")
        switch = builder.switch(arg["vectors"], done)
        for vectors in range(1, VECTORS + 1):
            block = builder.append_basic_block(f"strip_{vectors}")
            switch.add_case(INT(vectors), block)
            builder.position_at_end(block)
            _emit_strip(builder, multiply, arg, vectors, target()[0], done)
        builder.position_at_end(done)
        return context.get_dummy_value()

    return emit


@intrinsic
def _block(typingctx, arguments):
    return types.void(arguments), _emit(_multiply_float32)


@intrinsic
def _block_bfloat16(typingctx, arguments):
    return types.void(arguments), _emit(_multiply_bfloat16)


@intrinsic
def _strip(typingctx, arguments):
    return types.void(arguments), _emit_strips(_multiply_float32)


@intrinsic
def _strip_bfloat16(typingctx, arguments):
    return types.void(arguments), _emit_strips(_multiply_bfloat16)


@native(len(ARGUMENTS))
def block(a, a_row, a_next, b, b_k, c, c_row, steps, tail, keep, rows, vectors):
    """The register block, of any shape."""
    _block((a, a_row, a_next, b, b_k, c, c_row, steps, tail, keep, rows, vectors))


@native(len(ARGUMENTS))
def block_bfloat16(a, a_row, a_next, b, b_k, c, c_row, steps, tail, keep, rows, vectors):
    """The same where each element of A and B is a word of two bfloat16 numbers, on CPUs that multiply them."""
    _block_bfloat16((a, a_row, a_next, b, b_k, c, c_row, steps, tail, keep, rows, vectors))


@native(len(LISTED))
def strip(values, index, list_row, starts, starts_row, b, b_k, c, c_row, tail, keep, rows, vectors):
    """Rows of C over the steps that each of them lists, any width up to VECTORS vectors."""
    _strip((values, index, list_row, starts, starts_row, b, b_k, c, c_row, tail, keep, rows, vectors))


@native(len(LISTED))
def strip_bfloat16(values, index, list_row, starts, starts_row, b, b_k, c, c_row, tail, keep, rows, vectors):
    """The same for words of two bfloat16 numbers."""
    _strip_bfloat16((values, index, list_row, starts, starts_row, b, b_k, c, c_row, tail, keep, rows, vectors))
