"""Attributes of HDF5 objects that say what these are, read only where they are a few plain values."""

from ...errors import DataError
from ...files import shown

NUMERIC = {"double": 8, "single": 4, "logical": 1} | {  # MATLAB's classes of numbers, and bytes of one
    f"{sign}int{8 << n}": 1 << n for sign in ("", "u") for n in range(4)
}
_REMEDIES = {
    "sparse": "save full(X)",
    "cell": "save cell2mat(X), or of labels the numbers that [~, ~, y] = unique(y) gives",
    "char": "save the numbers that [~, ~, y] = unique(y, 'rows') gives",
    "struct": "save its fields as arrays of their own",
    "table": "save table2array(X)",
}


def text_attribute(thing, name):
    """The bytes of an attribute that is text of fixed length, else None."""
    from h5py import h5a, h5t

    if not h5a.exists(thing.id, name):
        return None
    attribute = h5a.open(thing.id, name)
    kind = attribute.get_type()
    plain = kind.get_class() == h5t.STRING and not kind.is_variable_str() and kind.get_size() < 1000
    return bytes(thing.attrs[name.decode()]) if plain and attribute.shape == () else None


def shape_attribute(data):
    """The attribute `shape` of a dataset as a tuple, if it is a few plain integers."""
    from h5py import h5a, h5t

    if not h5a.exists(data.id, b"shape"):
        return None
    attribute = h5a.open(data.id, b"shape")
    if attribute.get_type().get_class() != h5t.INTEGER or len(attribute.shape) != 1 or attribute.shape[0] > 3:
        return None
    return tuple(int(n) for n in data.attrs["shape"])


def refuse_matlab(thing, where):
    """DataError where MATLAB says of an object that it is none of numbers."""
    from h5py import h5a

    found = (text_attribute(thing, b"MATLAB_class") or b"double").decode("latin-1")
    refuse_class("sparse" if h5a.exists(thing.id, b"MATLAB_sparse") else found, where)


def refuse_class(name, where):
    """DataError for a class of MATLAB that is none of numbers, with what makes numbers of it."""
    if name not in NUMERIC:
        remedy = _REMEDIES.get(name, "save an array of numbers")
        raise DataError(f"{where} is of MATLAB's class {shown(name)}, not of numbers; {remedy}")
