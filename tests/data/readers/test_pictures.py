"""Pictures and folders of them: classes, splits, sizes, modes, and what is refused."""

import numpy as np
import pytest
from PIL import Image

from deepnet import data
from deepnet.data.readers import folders
from deepnet.errors import DataError, OutputError, UsageError
from tests.hostile import FOLDERS, PICTURES, drawn, put, tree

GREY = np.arange(12, dtype=np.uint8).reshape(3, 4)
PLACES = ("b/2.png", "b/10.PNG", "a/z.png")


def make(folder, *places, content=None):
    tree(**{place.replace("/", "__"): content or drawn() for place in places})(folder)
    return str(folder)


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "TIFF"])
def test_one(tmp_path, kind, stdin):
    """Also from standard input; a model's shape is taken on."""
    (tmp_path / "x.png").write_bytes(drawn(kind))
    found = data.load(tmp_path / "x.png")
    np.testing.assert_array_equal(found.splits["train"].inputs, GREY.reshape(1, 12))
    assert (found.shape, found.format, found.splits["train"].targets) == ((3, 4), "picture", None)
    stdin(drawn(kind))
    assert data.load("-").fingerprint == found.fingerprint
    assert data.load(tmp_path / "x.png", size="6x8").shape == (6, 8)
    assert data.load(tmp_path / "x.png", like=data.load(tmp_path / "x.png", size="6x8")).shape == (6, 8)


def test_modes(tmp_path):
    for mode, shape in (("L", (3, 4)), ("1", (3, 4)), ("LA", (3, 4)), ("RGB", (3, 4, 3)), ("RGBA", (3, 4, 3)),
                        ("P", (3, 4))):  # fmt: skip
        (tmp_path / "x.png").write_bytes(drawn(mode=mode))
        found = data.load(tmp_path / "x.png")
        assert found.shape == shape, mode
        expected = np.asarray(Image.open(tmp_path / "x.png").convert("RGB" if len(shape) == 3 else "L"))
        np.testing.assert_array_equal(found.splits["train"].inputs, expected.reshape(1, -1))


def test_classes_are_folders(tmp_path):
    """Sorted by class and name; hidden files and other kinds are passed over; those in no class have no label."""
    make(tmp_path / "p", *PLACES, "b/.hidden.png", "b/notes.txt", ".git/x.png")
    found = data.load(tmp_path / "p", task="classify")
    assert found.files == {"train": ("a/z.png", "b/10.PNG", "b/2.png")}
    assert (found.name, found.classes, found.format) == ("p/", ("a", "b"), "folder of pictures")
    np.testing.assert_array_equal(found.splits["train"].targets, [0, 1, 1])
    make(tmp_path / "p", "u.png")
    np.testing.assert_array_equal(data.load(f"{tmp_path}/p/", task="classify").splits["train"].targets, [-1, 0, 1, 1])
    flat = data.load(make(tmp_path / "flat", "2.png", "1.png"))
    assert flat.splits["train"].targets is None
    assert flat.files == {"train": ("1.png", "2.png")}


def test_splits_are_folders(tmp_path):
    make(tmp_path / "p", "train/a/1.png", "train/b/1.png", "test/b/7.png", "val/a/2.png")
    found = data.load(tmp_path / "p", task="classify")
    assert {name: cases.targets.tolist() for name, cases in found.splits.items()} == {"train": [0, 1], "valid": [0],
                                                                                     "test": [1]}  # fmt: skip
    assert found.files["test"] == ("test/b/7.png",)
    make(tmp_path / "q", "train/a/1.png", "test/7.png")
    np.testing.assert_array_equal(data.load(tmp_path / "q", task="classify").splits["test"].targets, [-1])


def test_size(tmp_path):
    put(tmp_path / "p", tree(**{"a__1.png": drawn(), "a__2.png": drawn(size=(8, 6))}))
    found = data.load(tmp_path / "p", size="6x8")
    assert found.splits["train"].inputs.shape == (2, 48)
    np.testing.assert_array_equal(found.splits["train"].inputs[1], np.arange(48))
    palette = Image.fromarray(GREY).convert("RGB").quantize(4)
    palette.putpalette([9, 8, 7] * 4)
    palette.save(tmp_path / "p.png")
    assert data.load(tmp_path / "p.png").shape == (3, 4, 3)
    colour = data.load(make(tmp_path / "c", "1.png", content=drawn(mode="RGB")))
    with pytest.raises(DataError, match=r"1\.png is grey but what they are for in colour"):
        data.load(tmp_path / "p", like=colour)
    with pytest.raises(UsageError, match="--size 28: pictures have HEIGHTxWIDTH"):
        data.load(tmp_path / "p", size="28")
    (tmp_path / "t.csv").write_text("1,2\n")
    for source in (tmp_path / "t.csv", "mnist", "curves"):
        with pytest.raises(UsageError, match="--size 3x4 is for pictures and svmlight"):
            data.load(source, size="3x4")


def test_many(tmp_path, monkeypatch):
    """More than memory may hold lie in a temporary file; more than may be are refused."""
    path = make(tmp_path / "p", *PLACES)
    plain = data.load(path)
    monkeypatch.setattr("deepnet.files.rows.is_large", lambda size: True)
    assert data.load(path).fingerprint == plain.fingerprint
    monkeypatch.setattr(folders, "MOST", 2)
    with pytest.raises(DataError, match="holds more than 2 pictures"):
        data.load(path)


def test_where_no_child_can_be_had(tmp_path, monkeypatch):
    path = make(tmp_path / "p", *PLACES)
    plain = data.load(path)
    monkeypatch.delattr("os.fork")
    assert data.load(path).fingerprint == plain.fingerprint


@pytest.mark.parametrize("fault", [*PICTURES, *FOLDERS])
def test_faults(tmp_path, fault, capfd):
    """libtiff's own words stay out of stderr."""
    name, content, words = (PICTURES | FOLDERS)[fault]
    put(tmp_path / name, content)
    with pytest.raises((DataError, OutputError), match=words):
        data.load(tmp_path / name)
    assert capfd.readouterr() == ("", "")


def test_a_damaged_tiff_is_told_in_one_line(tmp_path, capfd):
    (tmp_path / "x.tif").write_bytes(drawn("TIFF", size=(15, 17), compression="tiff_lzw").replace(b"\x80", b"\x7f"))
    with pytest.raises(DataError, match="a damaged picture"):
        data.load(tmp_path / "x.tif")
    assert capfd.readouterr() == ("", "")
