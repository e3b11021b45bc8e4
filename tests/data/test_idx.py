"""IDX: pairs of files, plain and gzipped, and what is wrong with them."""

import gzip
import struct

import numpy as np
import pytest

from deepnet import data
from deepnet.errors import DataError

IMAGES = np.arange(4 * 3 * 2, dtype=np.uint8).reshape(4, 3, 2)
LABELS = np.array([2, 0, 1, 2], np.uint8)


def encode(array, code=0x08, dtype=">u1", shape=None):
    shape = array.shape if shape is None else shape
    return bytes([0, 0, code, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + array.astype(dtype).tobytes()


def write_pairs(folder, pack=bytes, suffix="", prefix=""):
    for name, images, labels in (("train", IMAGES, LABELS), ("t10k", IMAGES[:2] + 100, LABELS[:2])):
        (folder / f"{prefix}{name}-images-idx3-ubyte{suffix}").write_bytes(pack(encode(images)))
        (folder / f"{prefix}{name}-labels-idx1-ubyte{suffix}").write_bytes(pack(encode(labels)))


@pytest.mark.parametrize("pack,suffix", [(bytes, ""), (gzip.compress, ".gz")])
def test_four_files_by_image_file_folder_and_prefix(tmp_path, pack, suffix):
    write_pairs(tmp_path, pack, suffix, "digits-")
    write_pairs(tmp_path, pack, suffix)
    names = [tmp_path / f"train-images-idx3-ubyte{suffix}", tmp_path, f"{tmp_path}/digits", f"{tmp_path}/digits-"]
    found = [data.load(name, task="classify") for name in names]
    for dataset in found:
        assert list(dataset.splits) == ["train", "test"]
        train, test = dataset.splits["train"], dataset.splits["test"]
        np.testing.assert_array_equal(train.inputs, IMAGES.reshape(4, 6))
        np.testing.assert_array_equal(test.inputs, IMAGES[:2].reshape(2, 6) + 100)
        np.testing.assert_array_equal(train.targets, LABELS)
        np.testing.assert_array_equal(test.targets, LABELS[:2])
        assert train.inputs.dtype == np.uint8
        assert train.inputs.flags.c_contiguous
        assert train.inputs.flags.writeable
        assert train.targets.dtype == np.int64
        assert dataset.shape == (3, 2)
        assert dataset.classes == ("0", "1", "2")
    assert len({dataset.fingerprint for dataset in found}) == 1


@pytest.mark.parametrize(
    "code,dtype", [(0x09, ">i1"), (0x0B, ">i2"), (0x0C, ">i4"), (0x0D, ">f4"), (0x0E, ">f8")], ids=str
)
def test_all_types(tmp_path, code, dtype):
    path = tmp_path / "x.idx"
    path.write_bytes(encode(IMAGES, code, dtype))
    dataset = data.load(path)
    assert dataset.splits["train"].targets is None
    assert dataset.splits["train"].inputs.dtype == np.float32
    np.testing.assert_array_equal(dataset.splits["train"].inputs, IMAGES.reshape(4, 6))


def test_labels_by_option(tmp_path):
    (tmp_path / "x.idx").write_bytes(encode(IMAGES))
    (tmp_path / "y.idx").write_bytes(encode(LABELS))
    dataset = data.load(tmp_path / "x.idx", label=str(tmp_path / "y.idx"), task="classify")
    np.testing.assert_array_equal(dataset.splits["train"].targets, LABELS)
    with pytest.raises(DataError, match="has no labels for train; give --label"):
        data.load(tmp_path / "x.idx", task="classify")


WHOLE = encode(IMAGES)
PACKED = gzip.compress(WHOLE, mtime=0)
FAULTS = {
    "type": (b"\0\0\x07\x03" + WHOLE[4:], "not with an IDX header"),
    "rank 0": (b"\0\0\x08\x00", "rank 0"),
    "rank 255": (b"\0\0\x08\xff" + bytes(1020), "rank 255"),
    "rank 1": (encode(LABELS), "it holds labels; give the file of images"),
    "magic": (b"\1\0\x08\x03" + WHOLE[4:], "not IDX as its name says"),
    "header": (WHOLE[:9], "ends within its header"),
    "short": (WHOLE[:-1], "24 bytes, but holds at most 23"),
    "long": (WHOLE + b"x", "more follow"),
    "declared": (encode(IMAGES, shape=(60000, 28, 28)), r"says shape \(60000, 28, 28\)"),
    "huge": (encode(IMAGES, shape=(2**32 - 1,) * 4), "says shape"),
    "no cases": (encode(IMAGES[:0]), "no cases"),
    "not a number": (encode(np.array([[1.0, np.nan]]), 0x0D, ">f4"), "row 1, column 2 holds nan"),
    "cut gzip": (PACKED[:-9], "damaged gzip"),
    "CRC": (PACKED[:-8] + bytes(4) + PACKED[-4:], "damaged gzip"),
    "gzip short": (gzip.compress(WHOLE[:-1]), "but holds 23"),
    "gzip long": (gzip.compress(WHOLE + b"x"), "more follow"),
    "gzip bomb": (gzip.compress(encode(IMAGES, shape=(2**31, 3, 2))), "holds at most"),
    "empty": (b"", "is empty"),
    "empty gzip": (gzip.compress(b""), "is empty"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults(tmp_path, fault):
    content, words = FAULTS[fault]
    path = tmp_path / "x.idx"
    path.write_bytes(content)
    with pytest.raises(DataError, match=words) as caught:
        data.load(path)
    assert "x.idx" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_counts_of_images_and_labels_differ(tmp_path):
    write_pairs(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(encode(LABELS[:3]))
    with pytest.raises(DataError, match="4 cases but 3 labels"):
        data.load(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(encode(IMAGES))
    with pytest.raises(DataError, match="labels are integers of rank 1"):
        data.load(tmp_path)


def test_folder_without_images(tmp_path):
    with pytest.raises(DataError, match="is a folder without train-images-idx3-ubyte"):
        data.load(tmp_path)
