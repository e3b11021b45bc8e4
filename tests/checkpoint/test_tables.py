"""Fields of a table in a model file: written and read back, and refused where they are no fields."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepnet import checkpoint
from deepnet.checkpoint import tables
from deepnet.errors import ModelError
from deepnet.nn.fields import Field, names
from tests.checkpoint.test_decoding import normalized, saved
from tests.test_checkpoint import agree

FIELDS = (Field("a", "number", (), 0.1, True), Field("c", "category", ("x", "y", "ü")))
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
FILL = st.floats(-1e38, 1e38)
FIELD = (
    st.builds(Field, TEXT, st.just("number"), st.just(()), FILL, st.booleans())
    | st.builds(Field, TEXT, st.just("flag"), st.lists(TEXT, min_size=1, max_size=2, unique=True).map(tuple), FILL,
                st.booleans())
    | st.builds(Field, TEXT, st.just("category"), st.lists(TEXT, min_size=3, max_size=5, unique=True).map(tuple))
)  # fmt: skip


@given(st.lists(FIELD, min_size=1, max_size=4).map(tuple))
def test_fields_are_read_back(fields):
    text = tables.dump(fields).tobytes()
    assert tables.parse(text, len(names(fields)), "m.h5") == fields


def test_of_a_model(tmp_path):
    model = normalized(columns=names(FIELDS), fields=FIELDS)
    found = checkpoint.load(saved(model, tmp_path))
    agree(found, model)
    assert found.preparation.fields == FIELDS
    assert found.preparation.units == (("linear", 1), ("logistic", 1), ("softmax", 3))
    with pytest.raises(ModelError, match="fields that do not fill its 5 columns"):
        checkpoint.load(saved(normalized(fields=FIELDS[:1]), tmp_path))
    assert checkpoint.load(saved(normalized(), tmp_path)).preparation.units == ()


def row(**changes):
    return {"name": "a", "kind": "number", "values": [], "fill": 0.0, "missing": False} | changes


@pytest.mark.parametrize(
    "content",
    [
        {}, {"fields": {}}, {"fields": []}, {"fields": ["a"]}, {"fields": [row(more=1)]}, {"fields": [row(name=1)]},
        {"fields": [row(kind="date")]}, {"fields": [row(values=["x"])]}, {"fields": [row(fill=1e300)]},
        {"fields": [row(fill=0)]}, {"fields": [row(missing=1)]}, {"fields": [row(kind="flag")]},
        {"fields": [row(kind="flag", values=["x", "x"])]}, {"fields": [row(kind="flag", values=["x", 1])]},
        {"fields": [row(kind="flag", values=list("xyz"))]}, {"fields": [row(kind="category", values=list("xy"))]},
        {"fields": [row(kind="category", values=list("xyz"), fill=1.0)]},
        {"fields": [row(kind="category", values=list("xyz"), missing=True)]}, {"fields": [row(), row()]},
        {"fields": [row(kind=["flag"])]}, {"fields": [row(values="xy", kind="flag")]}, {"fields": None},
    ],
)  # fmt: skip
def test_other_contents_are_refused(content):
    with pytest.raises(ModelError, match=r"m\.h5"):
        tables.parse(json.dumps(content).encode(), 1, "m.h5")


def test_bounds(tmp_path):
    with pytest.raises(ModelError, match="at most 4194304 are read"):
        tables.parse(b" " * (4 << 20) + b"{}", 1, "m.h5")
    with pytest.raises(ModelError, match="nested more than"):
        tables.parse(b"[" * 100_000, 1, "m.h5")
    wide = tuple(Field("x" * 20, "category", tuple(f"{n}" * 10 for n in range(100))) for _ in range(300))
    assert tables.parse(tables.dump(wide).tobytes(), 30_000, "m.h5") == wide
    assert np.frombuffer(tables.dump(FIELDS), np.uint8).dtype == np.uint8
