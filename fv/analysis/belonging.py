"""Whether a face on the photo of a document is on the document. Pure.

Who holds somebody else's passport beside their own face has two faces on the photo, of which the larger and better one
is their own: it would match the selfie. So a face counts where a portrait can be, measured by the machine-readable
zone: above its upper line, between its ends, and small. It is no proof: a face can be printed there, or held there.
"""

import numpy as np

from fv.analysis.images import Quad

#: In lengths of the upper line, which is 112 mm on a passport and 76 mm on a card (9303-3 §4.3). Portraits are at most
#: 35 x 45 mm, and the box of a face two thirds of that wide: 0.2 on a passport, 0.3 on a card. Its middle lies at most
#: 0.5 above the line. A line may be seen without its ends, so all is a third more.
LARGEST = 0.4
HIGHEST = 0.7
BESIDE = 0.15


def is_on_document(box: tuple[int, int, int, int], line: Quad) -> bool:
    """`box`: of the face, left, top, right, bottom. `line`: corners of the upper line of the zone, as it is read.

    Both in pixels of the same photo.
    """
    left, top, right, bottom = box
    start, end, _, below = (corner.astype(float) for corner in line)
    length, height = float(np.hypot(*(end - start))), float(np.hypot(*(below - start)))
    if not length or not height:
        return False
    middle = np.array(((left + right) / 2, (top + bottom) / 2)) - start
    along = float(middle @ (end - start)) / length**2
    above = -float(middle @ (below - start)) / (height * length)
    size = max(right - left, bottom - top) / length
    return size <= LARGEST and -BESIDE <= along <= 1 + BESIDE and 0 <= above <= HIGHEST
