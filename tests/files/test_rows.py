import os

import numpy as np
import pytest

from deepnet.errors import DataError, OutputError
from deepnet.files import memory, rows

X = np.arange(60, dtype=np.float32).reshape(12, 5)


@pytest.fixture
def stored(tmp_path):
    """X behind 7 bytes of something else, as Rows."""
    path = tmp_path / "x"
    path.write_bytes(b"header " + X.tobytes())
    with open(path, "rb") as file:
        return rows.Rows.of(file.fileno(), 7, X.shape, X.dtype)


SELECTIONS = (
    slice(None),
    slice(3, 7),
    slice(2, None, 3),
    np.array([5, 2, 2, 11, 0, 1]),
    [4],
    [],
    X[:, 0] % 2 == 0,
)


@pytest.mark.parametrize("chosen", SELECTIONS, ids=str)
def test_rows_are_those_of_the_array(stored, chosen):
    expected = X[np.array(chosen, int) if isinstance(chosen, list) else chosen]
    np.testing.assert_array_equal(stored[chosen], expected)
    assert stored[chosen].dtype == X.dtype
    later = stored.at(chosen)
    assert (len(later), later.shape) == (len(expected), expected.shape)
    for again in SELECTIONS[:3]:
        np.testing.assert_array_equal(later[again], expected[again])
        np.testing.assert_array_equal(later.at(again)[:], expected[again])


def test_a_block_holds_the_rows_at_their_places(stored):
    wanted = np.array([7, 1, 1])
    for inputs in (X, stored):
        found, places = rows.block(inputs, wanted)
        np.testing.assert_array_equal(found[places], X[wanted])
    np.testing.assert_array_equal(rows.taken(X, wanted), rows.taken(stored, wanted)[:])


def test_a_row_that_is_not_there(stored):
    for wrong in ([12], [-1], np.array([0, 99])):
        with pytest.raises(IndexError):
            stored[wrong]


def test_a_file_that_is_cut_while_it_is_read(stored, tmp_path):
    os.truncate(tmp_path / "x", 7 + X.nbytes - 1)
    np.testing.assert_array_equal(stored[:11], X[:11])
    with pytest.raises(DataError, match="cut while they were read"):
        stored[[0, 11]]


def test_its_descriptor_is_closed_with_the_last_who_holds_it(tmp_path):
    (tmp_path / "x").write_bytes(X.tobytes())
    with open(tmp_path / "x", "rb") as file:
        stored = rows.Rows.of(file.fileno(), 0, X.shape, X.dtype)
    number, later = stored._file.number, stored.at(slice(2))
    del stored
    np.testing.assert_array_equal(later[:], X[:2])
    del later
    with pytest.raises(OSError):
        os.fstat(number)


def test_scratch_is_an_array_where_it_is_small():
    assert isinstance(rows.scratch((3, 2)), np.ndarray)


@pytest.fixture
def little(monkeypatch):
    """A machine where a few bytes are much."""
    monkeypatch.setattr(memory, "free_memory", lambda root: 100)
    monkeypatch.setattr(memory, "resident", lambda root: (0, 0))
    monkeypatch.setattr(memory, "_in_memory", lambda folder, root: False)


def test_scratch_is_a_temporary_file_where_it_is_large(little, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    made = rows.scratch((12, 5))
    assert isinstance(made, rows.Rows)
    assert list(tmp_path.iterdir()) == []
    for part in (slice(0, 5), slice(5, 12)):
        made[part] = X[part]
    np.testing.assert_array_equal(made[:], X)
    made[np.array([3, 4])] = np.asfortranarray(X[:2])
    np.testing.assert_array_equal(made[[3, 4]], X[:2])


def test_no_room_for_temporary_files(little, tmp_path, monkeypatch):
    """TMPDIR and all that stands in for it missing, too small beforehand, full while it is written."""
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr("tempfile._candidate_tempdir_list", lambda: [str(tmp_path / "none")])
    with pytest.raises(OutputError, match="no folder for it is there; TMPDIR names"):
        rows.scratch((12, 5))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with pytest.raises(OutputError, match="TMPDIR names"):
        rows.scratch((12, 5))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    made = rows.scratch((12, 5))
    monkeypatch.setattr(memory, "free_disk", lambda folder: 239)
    with pytest.raises(OutputError, match=r"the data would take up to .* MB of disk, and .* has .* MB; TMPDIR names"):
        rows.scratch((12, 5), np.float32, "the data")

    def full(*words):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(OutputError, match="disk is full"):
        made[:5] = X[:5]
