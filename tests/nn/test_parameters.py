"""Layout: names and shapes on one side, one padded vector on the other."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepnet.nn.parameters import Layout

SIZE = st.integers(1, 70)
SHAPES = st.dictionaries(
    st.text("Wbc.0123456789", min_size=1, max_size=5), st.one_of(st.tuples(SIZE), st.tuples(SIZE, SIZE)), max_size=6
)
DTYPES = st.sampled_from([np.float32, np.float64, np.complex128])


@pytest.mark.promise("properties")
@given(SHAPES)
def test_segments_are_disjoint_and_aligned(shapes):
    layout = Layout.of(shapes)
    assert [s.name for s in layout.segments] == list(shapes)
    assert [s.shape for s in layout.segments] == list(shapes.values())
    edges = [0, *(s.stop for s in layout.segments)]
    assert [s.start for s in layout.segments] == edges[:-1]
    assert all(a < b for a, b in pairwise(edges))
    assert layout.size == edges[-1]
    assert all(edge % 16 == 0 for edge in edges)
    assert layout.count == sum(int(np.prod(shape)) for shape in shapes.values()) <= layout.size


@pytest.mark.promise("properties")
@given(SHAPES, DTYPES)
def test_rows_take_an_odd_number_of_lines(shapes, dtype):
    layout = Layout.of(shapes)
    for view in layout.views(layout.zeros(dtype)).values():
        assert view.dtype == dtype
        assert view.strides[-1] == view.itemsize
        if view.ndim == 2:
            stride = view.strides[0] // view.itemsize
            assert stride > view.shape[1]
            assert stride % 16 == 0
            assert stride // 16 % 2 == 1


@pytest.mark.promise("properties")
@given(SHAPES, DTYPES, st.integers(0, 2**32))
def test_pack_and_unpack(shapes, dtype, seed):
    layout, rng = Layout.of(shapes), np.random.default_rng(seed)
    arrays = {name: rng.normal(size=shape).astype(dtype) for name, shape in shapes.items()}
    theta = layout.pack(arrays, dtype)
    assert theta.shape == (layout.size,)
    assert theta.dtype == dtype
    assert theta.ctypes.data % 64 == 0 or layout.size == 0
    unpacked = layout.unpack(theta)
    assert list(unpacked) == list(shapes)
    for name, array in unpacked.items():
        np.testing.assert_array_equal(array, arrays[name])
        assert array.flags.c_contiguous
        assert not np.shares_memory(array, theta)
    for view in layout.views(theta).values():
        assert np.shares_memory(view, theta)
        view[...] = 0
    assert not theta.any(), "padding is not zero"


@pytest.mark.promise("properties")
@given(SHAPES)
def test_views_do_not_overlap(shapes):
    layout = Layout.of(shapes)
    theta = layout.zeros()
    for number, view in enumerate(layout.views(theta).values(), 1):
        assert not view.any()
        view[...] = number
    for number, view in enumerate(layout.views(theta).values(), 1):
        assert (view == number).all()
    assert np.count_nonzero(theta) == layout.count
