"""Fields: the order, the names and the units of what stands for the columns of a table."""

from deepnet.nn.fields import KINDS, Field, names, places, units

FIELDS = (
    Field("colour", "category", ("blue", "green", "red")),
    Field("age", "number", (), 41.5, True),
    Field("smoker", "flag", ("no", "yes"), 0.25),
    Field("", "number"),
    Field("left", "flag", ("0", "1"), 0.5, True),
    Field("town", "category", ("A", "B", "C", "D")),
)


def test_names_in_the_order_of_units():
    assert names(FIELDS) == (
        *("age", "column 4", "smoker=yes", "left", "age missing", "left missing"),
        *("colour=blue", "colour=green", "colour=red", "town=A", "town=B", "town=C", "town=D"),
    )


def test_units_are_runs_in_the_same_order():
    assert units(FIELDS) == (("linear", 2), ("logistic", 4), ("softmax", 3), ("softmax", 4))
    assert units(FIELDS[:1]) == (("softmax", 3),)
    assert units(FIELDS[1:2]) == (("linear", 1), ("logistic", 1))
    assert units(()) == ()
    for count in range(len(FIELDS)):
        some = FIELDS[:count]
        assert sum(width for _, width in units(some)) == len(names(some)) == len(list(places(some)))


def test_a_flag_of_one_value_is_named_by_it():
    assert names((Field("a", "flag", ("x",)),)) == ("a=x",)
    assert {field.kind for field in FIELDS} == set(KINDS)
