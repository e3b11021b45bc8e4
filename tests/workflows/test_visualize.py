"""visualize: a picture a kind, for every kind of model, with the same bits each time."""

from pathlib import Path

import pytest

from deepnet import workflows

PNG = b"\x89PNG\r\n\x1a\n"
KINDS = {
    "stack": {"filters", "history", "reconstructions", "codes", "summary"},
    "net": {"filters", "history", "confusion", "codes", "summary"},
    "coder": {"filters", "history", "reconstructions", "codes", "summary"},
    "house_net": {"filters", "history", "codes", "summary"},
    "flower_net": {"filters", "history", "confusion", "codes", "summary"},
}
LABELS = {"house_net": "price", "flower_net": "kind, as told"}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_that_a_model_allows(name, request, call, tmp_path):
    model = request.getfixturevalue(name)
    source = {"house_net": "houses", "flower_net": "flowers"}.get(name, "digits")
    words = ["--label", LABELS[name]] if name in LABELS else []
    done = call("visualize", model, request.getfixturevalue(source), *words, "-o", f"{tmp_path}/pictures/")
    assert done.code == 0, done.err
    assert {Path(line).stem for line in done.out.split()} == KINDS[name]
    assert sorted(path.stem for path in (tmp_path / "pictures").iterdir()) == sorted(KINDS[name])
    for path in (tmp_path / "pictures").iterdir():
        assert path.read_bytes().startswith(PNG)


def test_without_data_what_needs_none(net, call, tmp_path):
    done = call("visualize", net, "-o", f"{tmp_path}/p/")
    assert {Path(line).stem for line in done.out.split()} == {"filters", "history", "summary"}


@pytest.mark.parametrize(("suffix", "start"), [("png", PNG), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_a_file_of_each_type_with_one_result(suffix, start, net, call, tmp_path):
    for name in ("a", "b"):
        assert call("visualize", net, "-o", tmp_path / f"{name}.{suffix}", "--kind", "history").code == 0
    made = (tmp_path / f"a.{suffix}").read_bytes()
    assert made.startswith(start)
    assert (tmp_path / f"b.{suffix}").read_bytes() == made


def test_pictures_are_not_overwritten_unasked(net, call, tmp_path):
    words = ["visualize", net, "-o", f"{tmp_path}/p/", "--kind", "summary,history"]
    assert call(*words).code == 0
    done = call(*words)
    assert done.code == 2
    assert "--force" in done.err
    assert call(*words, "--force").code == 0


def test_a_model_that_was_cut_can_be_seen(digits, cut, call, tmp_path):
    """Before its first epoch is over, and in the second layer."""
    for minibatches in (2, 7):
        path = tmp_path / f"{minibatches}.h5"
        list(workflows.pretrain(digits, str(path), layers=(12, 6), epochs=(1,), stop=cut(minibatches)))
        done = call("visualize", path, "-o", f"{tmp_path}/{minibatches}/")
        assert done.code == 0, done.err
        assert "filters" in done.out
