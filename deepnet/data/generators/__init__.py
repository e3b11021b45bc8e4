"""GENERATORS: name -> what makes the Dataset, the same bytes each time, of a function that loads MNIST.

curves               curves
rectangles, convex   shapes
all others           variations, the only ones that MNIST is loaded for
"""

from . import curves, shapes, variations

GENERATORS = {
    "curves": lambda mnist: curves.make(),
    "rectangles": lambda mnist: shapes.rectangles(),
    "convex": lambda mnist: shapes.convex(),
} | {name: lambda mnist, name=name: variations.make(name, mnist()) for name in variations.RULES}
