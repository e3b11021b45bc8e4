"""IDX: pairs of files, plain and gzipped, and what is wrong with them."""

import gzip

import numpy as np
import pytest

from deepnet import data
from deepnet.errors import DataError, OutputError
from tests.hostile import IDX, IMAGES, LABELS, encode, put


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


@pytest.mark.parametrize("fault", IDX)
def test_faults(tmp_path, fault):
    name, content, words = IDX[fault]
    put(tmp_path / name, content)
    with pytest.raises((DataError, OutputError), match=words) as caught:
        data.load(tmp_path / name)
    assert name in str(caught.value)
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
    with pytest.raises(DataError, match=r"is a folder without pictures .* and without train-images-idx3-ubyte"):
        data.load(tmp_path)
