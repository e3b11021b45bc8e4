"""Reader of pictures, one or a folder of them: grey or colour as they are stored, of one size or brought to one.

Pillow decodes them, of KINDS alone, in a child of this program whose results this one sees: a crafted file ends the
child. Of a film it is the first picture; what a camera says of the way it was held is not heeded.
Source: Pillow's handbook, "Image file formats".
"""

import contextlib
import math
import mmap
import warnings
from dataclasses import replace

import numpy as np

from ...errors import DataError, DeepnetError, UsageError
from ...files import probe, shown
from ...files.rows import Rows, scratch
from ..checks import assemble, refuse_columns
from ..conventions import refuse_label
from .folders import Picture, listed
from .sizes import wanted

KINDS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")
MOST_PIXELS = 32 << 20  # of a picture as it is stored
SLOW, EACH = 16, 128 << 10  # decoding takes as long as a look at so much more, and at so many bytes for a picture
LONGEST = 4000  # bytes of a sentence
_MODES = {"1": 1, "L": 1, "LA": 1, "P": 3, "PA": 3, "RGB": 3, "RGBA": 3, "CMYK": 3, "YCbCr": 3}  # Pillow's: bands
_WORDS = {1: "grey", 3: "in colour"}


def read_one(source, options):
    """Dataset of one picture, without a label."""
    content = source.stream.read()
    return _read(source, options, {"train": [Picture(source.path, str(source), "", len(content), content)]})


def read_folder(source, options):
    """Dataset of a folder of pictures, with the names of the files; its own name ends in a slash."""
    splits = listed(source.path)
    files = {name: tuple(picture.name for picture in own) for name, own in splits.items()}
    found = _read(source, options, splits)
    return replace(found, name=f"{found.name}/", files=files)


def _read(source, options, splits):
    """The Dataset of {split: pictures}."""
    import PIL.TiffImagePlugin  # with the next one, what Pillow has not at hand when it starts; before a child needs it
    import PIL.WebPImagePlugin  # noqa: F401
    from PIL import Image

    Image.preinit()
    refuse_columns(source, options)
    refuse_label(source, options)
    every = [picture for own in splits.values() for picture in own]
    shape, resized, model = _form(options, every[0], source)
    rooms = {name: _room((len(own), *shape)) for name, own in splits.items()}

    def decode():
        for name, own in splits.items():
            for n, picture in enumerate(own):
                rooms[name][n : n + 1] = _pixels(picture, shape, resized, model or shown(every[0].path))[None]

    _apart(decode, every, source)
    labels = {name: [picture.label for picture in own] for name, own in splits.items()}
    known = any(map(any, labels.values()))
    return assemble(
        source, {name: (rooms[name], np.array(labels[name]) if known else None, str(source)) for name in splits}
    )


def _form(options, first, source):
    """(shape of all pictures, whether they are brought to it, what says whether they are grey, if not the first)."""
    shape, bands = wanted(options), 0
    if options.size is not None and len(shape) != 2:
        raise UsageError(f"--size {options.size}: pictures have HEIGHTxWIDTH, such as 28x28")
    if len(shape) == 2 or shape[2:] == (3,):
        bands = 0 if options.size is not None else 3 if len(shape) == 3 else 1
    else:
        shape = ()
    found = _shared((3,), np.int64)

    def look():
        with _opened(first) as image:
            found[:] = image.height, image.width, _bands(image)

    if not (shape and bands):
        _apart(look, [first], source)
    bands, size = bands or int(found[2]), shape[:2] or tuple(found[:2].tolist())
    return (*size, 3) if bands == 3 else size, bool(shape), "" if options.size or not shape else "what they are for"


def _room(shape):
    """Bytes, or Rows of a temporary file, that this program and its children write to and see alike."""
    rows = scratch(shape, np.uint8, "the pictures")
    return rows if isinstance(rows, Rows) else _shared(shape, np.uint8)


def _shared(shape, dtype):
    """Zeros that this program and its children see alike."""
    return np.frombuffer(mmap.mmap(-1, math.prod(shape) * np.dtype(dtype).itemsize), dtype).reshape(shape)


def _bands(image):
    """1 of a grey picture, also of one whose palette is grey, 3 of one in colour."""
    if image.mode != "P":
        return _MODES[image.mode]
    palette = np.reshape(image.getpalette("RGB"), (-1, 3))
    return 1 if (palette == palette[:, :1]).all() else 3


def _apart(walk, pictures, source):
    """Have a child do the work and raise what is wrong with the data here; do it here where no child can be had.

    libtiff writes its own words to stderr, so that nothing is tried here again that failed there.
    """
    size, said = sum(picture.size for picture in pictures), mmap.mmap(-1, 1 + LONGEST)

    def told():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's, of what is odd
            try:
                walk()
            except DataError as problem:
                text = str(problem).encode()[:LONGEST]
                said[1 : 1 + len(text)] = text
        said[0] = 1

    probe(told, size, str(source), work=SLOW * size + EACH * len(pictures))
    if not said[0]:
        told()
    if text := said[1:].rstrip(b"\0"):
        raise DataError(text.decode("utf-8", "ignore"))


@contextlib.contextmanager
def _opened(picture):
    """A picture whose pixels are not decoded yet; DataError for what Pillow raises then and later.

    Its parsers let through whatever they meet (Pillow's issue 9814).
    """
    from PIL import Image, UnidentifiedImageError

    where = shown(picture.path)
    try:
        with picture.open() as stream:
            image = Image.open(stream, formats=KINDS)
            if image.width * image.height > MOST_PIXELS:
                raise Image.DecompressionBombError
            if image.mode not in _MODES:
                raise DataError(f"{where} has pixels of mode {image.mode}; save it with 8 bits, grey or RGB")
            yield image
    except Image.DecompressionBombError:
        raise DataError(f"{where} has more than {MOST_PIXELS:,} pixels; make it smaller") from None
    except (DeepnetError, MemoryError):
        raise
    except Exception as problem:
        said = "no header" if isinstance(problem, UnidentifiedImageError) else shown(problem) or type(problem).__name__
        raise DataError(f"{where} is a damaged picture ({said}); save it again or take it away") from None


def _pixels(picture, shape, resized, first):
    """uint8 (height, width) or (height, width, 3) of a picture; DataError where it is unlike the others."""
    from PIL import Image

    where, (height, width), bands = shown(picture.path), shape[:2], 3 if len(shape) == 3 else 1
    with _opened(picture) as image:
        own = _bands(image)
        if own != bands and (image.mode != "P" or own == 3):  # a grey palette may be shown in colour
            found, due = _WORDS[own], _WORDS[bands]
            raise DataError(f"{where} is {found} but {first} {due}; save all alike (`mogrify -colorspace gray`)")
        if image.size != (width, height) and not resized:
            raise DataError(
                f"{where} is {image.height}x{image.width} but {first} {height}x{width}, height x width; "
                f"give --size {height}x{width} to have all of one size"
            )
        may = "A" in image.mode or "transparency" in image.info
        if may and image.convert("RGBA").getchannel("A").getextrema()[0] < 255:
            raise DataError(f"{where} has transparent parts; fill them (`mogrify -background white -flatten`)")
        image = image.convert("RGB" if bands == 3 else "L")
        if image.size != (width, height):
            image = image.resize((width, height), Image.Resampling.BILINEAR)
        return np.asarray(image)
