"""Metrics against numbers worked out by hand, known tables, and NumPy."""

import math

import numpy as np
import pytest

from deepnet import evaluation

NAMES = ("a", "b", "c")


@pytest.mark.parametrize(
    ("count", "cases", "low", "high"),
    [
        (0, 10, 0.0, 0.2775327998628892),
        (1, 10, 0.01787621255126785, 0.4041500267743178),
        (5, 10, 0.2365930905125722, 0.7634069094874278),
        (10, 10, 0.7224672001371107, 1.0),
        (15, 50, 0.1910355350, 0.4375035046),
        (81, 263, 0.2552885199, 0.3662095770),  # Newcombe 1998, table I, method 3: 0.2553 to 0.3662
        (15, 148, 0.0623863995, 0.1604872417),  # 0.0624 to 0.1605
        (0, 20, 0.0, 0.1611250814),  # 0.0000 to 0.1611
        (1, 29, 0.0061132142, 0.1717552418),  # 0.0061 to 0.1718
    ],
)
def test_wilson_intervals_that_are_known(count, cases, low, high):
    found = evaluation.wilson(count, cases)
    assert found == pytest.approx([low, high], abs=1e-5)
    mirrored = evaluation.wilson(cases - count, cases)
    assert mirrored == pytest.approx([1 - found[1], 1 - found[0]], abs=1e-12)


def test_wilson_is_where_the_score_test_turns():
    """Its ends solve |p - share| = z sqrt(p (1 - p) / n)."""
    for count, cases in ((140, 10_000), (1, 7), (300, 601)):
        for p in evaluation.wilson(count, cases):
            assert abs(p - count / cases) == pytest.approx(1.959963985 * math.sqrt(p * (1 - p) / cases), rel=1e-6)


def test_mean_with_interval():
    mean, (low, high) = evaluation.mean_with_interval(np.array([1.0, 2.0, 3.0, 4.0]))
    reach = 1.959963985 * math.sqrt(5 / 3) / 2
    assert (mean, low, high) == pytest.approx((2.5, 2.5 - reach, 2.5 + reach))
    assert evaluation.mean_with_interval(np.array([7.0])) == (7.0, [7.0, 7.0])


def test_the_mean_is_summed_in_float64():
    values = np.full(1_000_003, 0.1, np.float32)
    assert evaluation.mean_with_interval(values)[0] == pytest.approx(float(np.float32(0.1)), rel=1e-12)


@pytest.fixture
def classified():
    """Eight cases of three classes: of a two right and one called b; of b two right and two called c; of c one as a."""
    true = np.array([0, 0, 0, 1, 1, 1, 1, 2])
    called = np.array([0, 0, 1, 1, 1, 2, 2, 0])
    outputs = np.full((8, 3), 0.2, np.float32)
    outputs[np.arange(8), called] = 0.6
    losses = -np.log(outputs[np.arange(8), true])
    return evaluation.classification(outputs, true, losses, NAMES, "cross_entropy")


def test_classification_by_hand(classified):
    assert classified["cases"] == 8
    assert classified["wrong"] == 4
    assert classified["error"] == 0.5
    assert classified["confusion"] == [[2, 1, 0], [0, 2, 2], [1, 0, 0]]
    assert classified["classes"] == [
        {"class": "a", "cases": 3, "precision": 2 / 3, "recall": 2 / 3, "f1": 2 / 3},
        {"class": "b", "cases": 4, "precision": 2 / 3, "recall": 1 / 2, "f1": 4 / 7},
        {"class": "c", "cases": 1, "precision": 0.0, "recall": 0.0, "f1": 0.0},
    ]
    assert classified["balanced_error"] == pytest.approx((1 / 3 + 1 / 2 + 1) / 3)
    assert "auc" not in classified
    assert classified["cross_entropy"] == pytest.approx(-(4 * math.log(0.6) + 4 * math.log(0.2)) / 8, rel=1e-6)
    assert classified["error_interval"] == evaluation.wilson(4, 8)


def test_a_class_that_is_never_there_or_never_called_has_no_share():
    outputs = np.eye(3, dtype=np.float32)[[0, 0, 1]]
    found = evaluation.classification(outputs, np.array([0, 0, 0]), np.zeros(3, np.float32), NAMES, "cross_entropy")
    assert [row["precision"] for row in found["classes"]] == [1.0, 0.0, None]
    assert [row["recall"] for row in found["classes"]] == [2 / 3, None, None]
    assert [row["f1"] for row in found["classes"]] == [0.8, 0.0, None]
    assert found["balanced_error"] == pytest.approx(1 / 3), "of the classes that are there"
    assert found["wrong"] == 1


def test_regression_by_hand():
    """Two targets: gaps 1, -1, 2, 0 and 0, 0, 0, 2 in their own units."""
    targets = np.array([[10.0, 0.0], [20.0, 2.0], [30.0, 4.0], [40.0, 6.0]], np.float32)
    outputs = targets + np.array([[1, 0], [-1, 0], [2, 0], [0, 2]], np.float32)
    found = evaluation.regression(outputs, targets)
    assert found["cases"] == 4
    assert found["rmse"] == pytest.approx(math.sqrt(10 / 8))
    assert found["mae"] == pytest.approx(6 / 8)
    assert found["r2"] == pytest.approx(1 - 10 / (500 + 20))
    assert found["rmse_interval"][0] <= found["rmse"] <= found["rmse_interval"][1]
    assert found["mae_interval"][0] <= found["mae"] <= found["mae_interval"][1]


def test_regression_by_target():
    """Each one's figures are those of it alone; one target has no table of them."""
    draw = np.random.default_rng(2)
    targets = draw.normal(0, [1, 50, 1], (40, 3)).astype(np.float32)
    outputs = targets + draw.normal(0, [0.5, 1, 3], (40, 3)).astype(np.float32)
    found = evaluation.regression(outputs, targets, ("a", "b", "c"))
    for n, row in enumerate(found["targets"]):
        alone = evaluation.regression(outputs[:, n : n + 1], targets[:, n : n + 1])
        assert "targets" not in alone
        assert row == {"target": "abc"[n]} | {name: value for name, value in alone.items() if name != "cases"}
    assert [row["r2"] > 0.5 for row in found["targets"]] == [True, True, False]
    assert [row["target"] for row in evaluation.regression(outputs, targets)["targets"]] == ["1", "2", "3"]


def test_figures_are_scikit_learn_s():
    """With ties, classes that are not there or never called, and targets of several sizes."""
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed")
    draw = np.random.default_rng(6)
    for classes in (2, 4):
        outputs = draw.integers(0, 5, (60, classes)).astype(np.float32)
        true, called = draw.integers(0, 2, 60), outputs.argmax(axis=1)
        names = tuple("abcd"[:classes])
        found = evaluation.classification(outputs, true, np.zeros(60, np.float32), names, "hinge")
        wanted = metrics.f1_score(true, called, labels=range(classes), average=None, zero_division=0)
        assert [row["f1"] or 0 for row in found["classes"]] == pytest.approx(wanted)
        assert found["balanced_error"] == pytest.approx(
            1 - metrics.recall_score(true, called, labels=[0, 1], average="macro")
        )
        if classes == 2:
            assert found["auc"] == pytest.approx(metrics.roc_auc_score(true, outputs[:, 1] - outputs[:, 0]), rel=1e-12)
    outputs, targets = draw.normal(size=(30, 1)), draw.normal(size=(30, 1))
    found = evaluation.regression(outputs, targets)
    assert found["r2"] == pytest.approx(metrics.r2_score(targets, outputs))
    assert found["mae"] == pytest.approx(metrics.mean_absolute_error(targets, outputs))
    assert found["rmse"] ** 2 == pytest.approx(metrics.mean_squared_error(targets, outputs))


def test_sure_cases_are_still_in_order():
    """Two probabilities that float32 rounds to 1 differ by what is left of the other class; one class has no area."""
    outputs = np.array([[1e-12, 1], [1e-10, 1], [1e-8, 1], [1, 0]], np.float32)
    losses = np.zeros(4, np.float32)
    found = evaluation.classification(outputs, np.array([1, 0, 1, 0]), losses, ("a", "b"), "cross_entropy")
    assert found["auc"] == 0.75
    assert found["auc_interval"][0] <= 0.75 <= found["auc_interval"][1]
    assert "auc" not in evaluation.classification(outputs, np.zeros(4, int), losses, ("a", "b"), "cross_entropy")


def test_intervals_cover_what_is_true():
    """Of a mean of shares and of R2, about as often as they say."""
    draw, shares, cases, hits = np.random.default_rng(3), np.array([0.05, 0.3, 0.5]), np.array([200, 40, 25]), [0, 0]
    for _ in range(400):
        low, high = evaluation.mean_of_shares(draw.binomial(cases, shares), cases)[1]
        hits[0] += low <= shares.mean() <= high
        targets = draw.normal(0, 2, (150, 1))
        low, high = evaluation.regression(targets + draw.normal(0, 1, (150, 1)), targets)["r2_interval"]
        hits[1] += low <= 0.75 <= high
    assert all(0.92 <= count / 400 <= 0.98 for count in hits)


def test_a_mean_of_shares_at_the_ends():
    assert evaluation.mean_of_shares(np.array([3]), np.array([10])) == (0.3, pytest.approx(evaluation.wilson(3, 10)))
    mean, (low, high) = evaluation.mean_of_shares(np.array([0, 0]), np.array([5, 50]))
    assert (mean, low) == (0, 0)
    assert 0 < high < evaluation.wilson(0, 5)[1]
    mean, (low, high) = evaluation.mean_of_shares(np.array([5, 50]), np.array([5, 50]))
    assert (mean, high) == (1, 1)
    assert low < 1


def test_regression_of_targets_without_spread_has_no_r2():
    targets = np.full((5, 1), 3.0, np.float32)
    found = evaluation.regression(targets + 1, targets)
    assert (found["r2"], found["r2_interval"]) == (None, None)


def test_a_constant_at_the_mean_has_r2_of_0():
    targets = np.arange(10.0, dtype=np.float32)[:, None]
    assert evaluation.regression(np.full((10, 1), 4.5, np.float32), targets)["r2"] == pytest.approx(0, abs=1e-12)


def fitted(x, components, sizes):
    """PCA fed with blocks of these sizes."""
    pca, first = evaluation.PCA(x.shape[1], components), 0
    for size in sizes:
        pca.add(x[first : first + size].astype(np.float32))
        first += size
    assert first == len(x)
    return pca.fit()


@pytest.mark.parametrize("components", [1, 3, 6])
def test_pca_is_that_of_the_svd(components):
    draw = np.random.default_rng(0)
    x = (draw.normal(0, [5, 3, 2, 1, 0.5, 0.1], (200, 6)) @ draw.normal(0, 1, (6, 6)) + 3).astype(np.float32)
    pca = fitted(x, components, (120, 50, 30))
    mean = x.mean(axis=0, dtype=np.float64)
    u, s, vt = np.linalg.svd(x - mean, full_matrices=False)
    assert np.allclose(pca.mean, mean)
    expected = (u * s)[:, :components]
    codes = pca.codes(x)
    assert np.allclose(np.abs(codes), np.abs(expected), atol=1e-6)
    assert np.allclose(pca.variances, s[:components] ** 2 / len(x))
    assert (pca.basis[np.abs(pca.basis).argmax(axis=0), np.arange(components)] > 0).all()
    assert np.allclose(pca.reconstruct(x), mean + expected @ vt[:components], atol=1e-6)
    assert np.allclose(pca.basis.T @ pca.basis, np.eye(components), atol=1e-12)


def test_pca_does_not_depend_on_blocks():
    x = np.random.default_rng(1).normal(0, 1, (90, 5)).astype(np.float32)
    one, other = fitted(x, 2, (90,)), fitted(x, 2, (1, 40, 49))
    assert np.allclose(one.reconstruct(x), other.reconstruct(x), atol=1e-9)


def test_pca_of_more_components_than_columns_is_the_data():
    x = np.random.default_rng(2).normal(0, 1, (50, 4)).astype(np.float32)
    pca = fitted(x, 100, (50,))
    assert pca.codes(x).shape == (50, 4)
    assert np.allclose(pca.reconstruct(x), x, atol=1e-6)


def test_pca_of_columns_far_from_zero():
    """A mean of a thousand deviations must not drown the variance."""
    draw = np.random.default_rng(3)
    x = (draw.normal(0, [3, 1, 0.2], (500, 3)) + 3000).astype(np.float32)
    pca = fitted(x, 1, (500,))
    centred = x - x.mean(axis=0, dtype=np.float64)
    s, vt = np.linalg.svd(centred, full_matrices=False)[1:]
    assert abs(float(pca.basis[:, 0] @ vt[0])) == pytest.approx(1, abs=1e-6)
    assert ((pca.reconstruct(x) - x) ** 2).sum() == pytest.approx((s[1:] ** 2).sum(), rel=1e-6)


def one_by_one(codes, labels):
    """The neighbour error, case by case and difference by difference."""
    codes, wrong = np.asarray(codes, np.float64), 0
    for i, own in enumerate(codes):
        distances = ((codes - own) ** 2).sum(axis=1)
        distances[i] = np.inf
        wrong += labels[distances.argmin()] != labels[i]
    return wrong / len(codes)


@pytest.mark.parametrize("kind", ["normal", "grid", "far", "equal", "one value", "float32"])
@pytest.mark.parametrize("shape", [(2, 1), (300, 2), (700, 5)])
def test_neighbour_error_is_that_of_plain_differences(kind, shape):
    """Also with many ties, far from zero, where products alone would lose the differences."""
    rng = np.random.default_rng(0)
    codes = {
        "normal": rng.normal(size=shape),
        "grid": rng.integers(0, 3, shape),
        "far": 1e7 + rng.random(shape),
        "equal": np.zeros(shape),
        "one value": np.where(np.arange(shape[1]), 0.0, rng.random(shape)),
        "float32": 1 / (1 + np.exp(-20 * rng.normal(size=shape))).astype(np.float32),
    }[kind]
    labels = rng.integers(0, 4, shape[0])
    assert evaluation.neighbour_error(codes, labels) == one_by_one(codes, labels)


def test_neighbour_error_by_hand():
    codes = np.array([[0.0], [1.0], [2.5], [10.0], [10.0], [10.0]])
    assert evaluation.neighbour_error(codes, np.array(["a", "a", "b", "b", "c", "b"])) == 0.5
    assert evaluation.neighbour_error(codes[:2], np.array([1, 1])) == 0


def test_no_error_begins_at_0():
    low, high = evaluation.wilson(0, 100)
    assert low == 0
    assert high == pytest.approx(0.0370, abs=1e-4)


def test_roc_auc_is_a_count_of_pairs():
    """Against counting all pairs, with ties; order does not matter; ends and middle."""
    rng = np.random.default_rng(0)
    for levels in (2, 5, 1000):
        scores, positive = rng.integers(0, levels, 80) / 7, rng.random(80) < 0.3
        scores = scores + positive * rng.integers(0, 3, 80)
        one, other = scores[positive][:, None], scores[~positive][None]
        expected = ((one > other) + 0.5 * (one == other)).mean()
        area, (low, high) = evaluation.roc_auc(scores, positive)
        assert area == pytest.approx(expected, rel=1e-12)
        assert 0 <= low < area < high <= 1
        assert evaluation.roc_auc(-scores, positive)[0] == pytest.approx(1 - expected, rel=1e-12)
        order = rng.permutation(80)
        assert evaluation.roc_auc(scores[order], positive[order])[0] == pytest.approx(area, rel=1e-12)
    apart = np.array([False, False, True])
    assert evaluation.roc_auc(np.array([0.0, 1.0, 2.0]), apart)[0] == 1
    assert evaluation.roc_auc(np.array([2.0, 1.0, 0.0]), apart)[0] == 0
    assert evaluation.roc_auc(np.zeros(3), apart)[0] == 0.5


def test_the_interval_of_an_area_covers_it():
    """Hanley and McNeil's interval of normal scores holds the true area about as often as it says."""
    rng, truth, hits = np.random.default_rng(1), 0.8413447, 0  # Phi(sqrt 2 / sqrt 2)
    for _ in range(300):
        scores, positive = rng.normal(size=150), np.arange(150) < 50
        scores[positive] += np.sqrt(2)
        low, high = evaluation.roc_auc(scores, positive)[1]
        hits += low <= truth <= high
    assert 0.9 <= hits / 300 <= 0.99


@pytest.mark.parametrize(
    ("freedom", "t"),
    [(1, 12.7062047), (2, 4.30265273), (3, 3.18244631), (4, 2.77644511), (9, 2.26215716), (30, 2.04227246)],
)
def test_student_at_the_tables_five_per_cent(freedom, t):
    """Quantiles as tables print them (Abramowitz and Stegun 1964, table 26.10)."""
    assert evaluation.student(t, freedom) == pytest.approx(0.05, abs=1e-9)
    assert evaluation.student(-t, freedom) == evaluation.student(t, freedom)
    assert evaluation.student(0.0, freedom) == 1
    assert 0 <= evaluation.student(1e9, freedom) < 1e-8


def test_few_draws():
    values = np.array([1.0, 2, 3, 4, 5])
    mean, (low, high) = evaluation.mean_of_draws(values)
    assert mean == 3
    assert (high - mean, mean - low) == pytest.approx([2.77644511 * np.sqrt(2.5 / 5)] * 2, rel=1e-8)
    assert evaluation.paired_draws(values, values) == 1
    assert evaluation.paired_draws(values, values + 1) == 0
    assert evaluation.paired_draws(values, 0 * values) == pytest.approx(evaluation.student(3 / np.sqrt(0.5), 4))
    assert evaluation.mean_of_draws(np.array([2.0, 2.0])) == (2.0, [2.0, 2.0])
