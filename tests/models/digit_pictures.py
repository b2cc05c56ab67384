"""Pictures of digits as people take them, made from MNIST's own: paper, light, pens, places, frames, file formats.

Each kind is a function from a digit, uint8 (28, 28), white on black, and a random generator to a PIL image.
"""

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

Kind = Callable[[np.ndarray, np.random.Generator], Image.Image]
SIZE = 140  # pixels of the digit with MNIST's margin, in the larger pictures


def ink_of(digit: np.ndarray, size: int = SIZE) -> np.ndarray:
    """Return a digit enlarged, 0 to 1, (size, size)."""
    return np.asarray(Image.fromarray(digit).resize((size, size), Image.Resampling.BICUBIC)) / 255


def put(ink: np.ndarray, height: int, width: int, top: int, left: int) -> np.ndarray:
    """Return an empty page (height, width) with the ink on it."""
    page = np.zeros((height, width))
    page[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return page


def on_paper(ink: np.ndarray, paper: np.ndarray | float = 250, pen: float = 20) -> Image.Image:
    return picture(paper + (pen - paper) * ink)


def picture(levels: np.ndarray) -> Image.Image:
    return Image.fromarray(np.rint(levels).clip(0, 255).astype(np.uint8))


def cropped(ink: np.ndarray) -> np.ndarray:
    rows, columns = np.flatnonzero((ink > 0.1).any(1)), np.flatnonzero((ink > 0.1).any(0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def drawn_with(digit: np.ndarray, pen: float, size: int = SIZE) -> np.ndarray:
    """Return the digit drawn along the middle of its strokes, `pen` of MNIST's pixels wide (Zhang and Suen 1984)."""
    mask = np.pad(ink_of(digit, size) > 0.5, 1)
    changed = True
    while changed:
        changed = False
        for first in (True, False):
            north, south, west, east = mask[:-2, 1:-1], mask[2:, 1:-1], mask[1:-1, :-2], mask[1:-1, 2:]
            ring = [north, mask[:-2, 2:], east, mask[2:, 2:], south, mask[2:, :-2], west, mask[:-2, :-2]]
            count = sum(each.astype(int) for each in ring)
            begins = sum((~one & two).astype(int) for one, two in zip(ring, [*ring[1:], ring[0]]))
            open_sides = (
                ~(north & east & south) & ~(east & south & west)
                if first
                else ~(north & east & west) & ~(north & south & west)
            )
            gone = mask[1:-1, 1:-1] & (count >= 2) & (count <= 6) & (begins == 1) & open_sides
            changed |= gone.any()
            mask[1:-1, 1:-1] &= ~gone
    line = Image.new("L", (size, size))
    reach = pen * size / 28 / 2
    for y, x in np.argwhere(mask[1:-1, 1:-1]):
        ImageDraw.Draw(line).ellipse([x - reach, y - reach, x + reach, y + reach], fill=255)
    return np.asarray(line) / 255


def lamp(height: int, width: int) -> np.ndarray:
    """Return paper that is 230 bright at the left and 120 at the right."""
    return np.broadcast_to(np.linspace(230, 120, width), (height, width))


def framed(page: Image.Image, margin: int, turn: float = 0) -> Image.Image:
    """Return a sheet of paper that lies on something dark."""
    frame = Image.new("L", (page.width + 2 * margin, page.height + 2 * margin), 40)
    turned, mask = page.rotate(turn, expand=True), Image.new("L", page.size, 255).rotate(turn, expand=True)
    frame.paste(turned, ((frame.width - turned.width) // 2, (frame.height - turned.height) // 2), mask)
    return frame


def as_jpeg(image: Image.Image, **options) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=70, **options)
    return Image.open(file)


def photo(digit: np.ndarray, random: np.random.Generator) -> Image.Image:
    """Return a portrait from a phone: dim, unevenly lit, somewhat blurred, noisy, the digit anywhere on the page."""
    size = int(random.integers(150, 250))
    ink = put(ink_of(digit, size), 640, 480, int(random.integers(20, 620 - size)), int(random.integers(20, 460 - size)))
    y, x = np.mgrid[:1:640j, :1:480j]
    turn = random.uniform(0, 2 * np.pi)
    paper = random.uniform(190, 235) - random.uniform(20, 80) * (x * np.cos(turn) + y * np.sin(turn))
    blurred = np.asarray(picture(paper * (1 - 0.75 * ink)).filter(ImageFilter.GaussianBlur(1.5)))
    return as_jpeg(picture(blurred + random.normal(0, 5, blurred.shape)))


def lit_by_a_lens(digit: np.ndarray, random: np.random.Generator) -> Image.Image:
    y, x = np.mgrid[-1 : 1 : SIZE * 1j, -1 : 1 : SIZE * 1j]
    return picture((235 - 75 * (x**2 + y**2)) * (1 - 0.8 * ink_of(digit)))


def ruled(digit: np.ndarray, random: np.random.Generator) -> Image.Image:
    paper = np.full((200, 200), 240.0)
    paper[20::25] = paper[:, 15::25] = 205
    return on_paper(put(ink_of(digit), 200, 200, 30, 30), paper, 35)


def dusty(digit: np.ndarray, random: np.random.Generator) -> Image.Image:
    page = np.array(on_paper(ink_of(digit)))
    for y, x in random.integers(0, SIZE - 3, (10, 2)):
        page[y : y + 3, x : x + 3] = 60
    return Image.fromarray(page)


def coloured(ink: np.ndarray, paper: tuple[int, ...], pen: tuple[int, ...]) -> Image.Image:
    return picture(np.array(paper) + (np.array(pen) - np.array(paper)) * ink[..., None])


def thickened(ink: np.ndarray) -> np.ndarray:
    return np.asarray(picture(255 * ink).filter(ImageFilter.MaxFilter(7))) / 255


def see_through(ink: np.ndarray, pen: tuple[int, int, int]) -> Image.Image:
    drawing = Image.new("RGBA", ink.shape[::-1], (*pen, 0))
    drawing.putalpha(picture(255 * ink))
    return drawing


def sideways(digit: np.ndarray, random: np.random.Generator) -> Image.Image:
    """Return a photo as a phone stores it: lying, with a note in EXIF of how to turn it."""
    lying = on_paper(put(ink_of(digit), 260, 200, 60, 30), 240, 30).rotate(90, expand=True)
    exif = lying.getexif()
    exif[0x0112] = 6  # turn it to the right
    return as_jpeg(lying, exif=exif)


HALF = 14
# what people have reported
REPORTED: dict[str, Kind] = {
    "paper 200, ink 40": lambda digit, _: on_paper(digit / 255, 200, 40),
    "paper 200, ink 40, large": lambda digit, _: on_paper(ink_of(digit), 200, 40),
    "shadow from 230 to 120": lambda digit, _: on_paper(ink_of(digit), lamp(SIZE, SIZE), 40),
    "shadow from 230 to 120, small": lambda digit, _: on_paper(digit / 255, lamp(28, 28), 40),
    "portrait photo": photo,
    "portrait, lying in its file": sideways,
    "cropped to the ink": lambda digit, _: on_paper(cropped(ink_of(digit))),
    "cropped to the ink, small": lambda digit, _: on_paper(cropped(digit / 255)),
    "half size": lambda digit, _: on_paper(put(ink_of(digit, SIZE // 2), SIZE, SIZE, 35, 35)),
    "half size, small": lambda digit, _: picture(255 * put(ink_of(digit, HALF), 28, 28, 7, 7)),
    "in a corner": lambda digit, _: on_paper(put(ink_of(digit, 70), 200, 200, 125, 4)),
    "in a corner, small": lambda digit, _: picture(255 * put(cropped(digit / 255), 28, 28, 0, 0)),
    "white paper in a dark frame": lambda digit, _: framed(on_paper(ink_of(digit)), 30),
    "white paper in a dark frame, small": lambda digit, _: framed(on_paper(digit / 255), 4),
    "16 bits": lambda digit, _: Image.fromarray(65535 - (60000 * ink_of(digit)).astype(np.uint16)),
    "transparent": lambda digit, _: see_through(ink_of(digit), (0, 0, 0)),
}
THIN: dict[str, Kind] = {
    "thin pen": lambda digit, _: on_paper(drawn_with(digit, 1)),
    "very thin pen": lambda digit, _: on_paper(drawn_with(digit, 0.5)),
    "transparent, thin pen": lambda digit, _: see_through(drawn_with(digit, 1), (0, 0, 0)),
    "pencil": lambda digit, random: on_paper(drawn_with(digit, 1), 235 + random.normal(0, 3, (SIZE, SIZE)), 150),
}
# their relatives
OTHERS: dict[str, Kind] = {
    "dim paper seen through a lens": lit_by_a_lens,
    "a sheet that lies askew": lambda digit, random: framed(on_paper(ink_of(digit)), 60, random.uniform(-12, 12)),
    "a desk at one side": lambda digit, _: picture(
        np.hstack([np.full((SIZE, 50), 60), np.asarray(on_paper(ink_of(digit)))])
    ),
    "ruled paper": ruled,
    "dust": dusty,
    "chalk": lambda digit, random: picture(60 + 160 * ink_of(digit) + random.normal(0, 6, (SIZE, SIZE))),
    "felt pen": lambda digit, _: on_paper(thickened(ink_of(digit))),
    "blue ink on yellow paper": lambda digit, _: coloured(ink_of(digit), (250, 235, 120), (40, 50, 180)),
    "red ink": lambda digit, _: coloured(ink_of(digit), (245, 245, 245), (220, 40, 40)),
    "white ink, transparent": lambda digit, _: see_through(ink_of(digit), (255, 255, 255)),
    "12 bits in 16": lambda digit, _: Image.fromarray((4000 - 3600 * ink_of(digit)).astype(np.uint16)),
    "one bit": lambda digit, _: Image.fromarray(ink_of(digit) < 0.5),
    "CMYK": lambda digit, _: on_paper(ink_of(digit)).convert("CMYK"),
    "palette": lambda digit, _: on_paper(ink_of(digit)).convert("RGB").convert("P"),
}  # fmt: skip


def blanks(random: np.random.Generator) -> dict[str, Image.Image]:
    """Return pictures with no digit on them."""
    nothing = np.zeros((28, 28), np.uint8)
    bare = {name: make(nothing, random) for name, make in {
        "photo": photo, "lens": lit_by_a_lens, "chalk": OTHERS["chalk"], "desk": OTHERS["a desk at one side"],
        "frame": REPORTED["white paper in a dark frame"], "askew": OTHERS["a sheet that lies askew"],
        "shadow": REPORTED["shadow from 230 to 120"],
    }.items()}  # fmt: skip
    lines = np.full((200, 200), 240.0)
    lines[20::40] = 120
    return bare | {
        "white": Image.new("RGB", (300, 200), "white"), "black": Image.new("L", (28, 28)),
        "grey": Image.new("L", (28, 28), 200), "transparent": Image.new("RGBA", (50, 50)),
        "one pixel": Image.new("L", (1, 1), 3), "strip": Image.new("L", (60_000, 1)),
        "noise": picture(200 + random.normal(0, 6, (300, 200))),
        "small noise": picture(200 + random.normal(0, 4, (28, 28))),
        "lines": picture(lines),
    }  # fmt: skip


def several(digits: list[np.ndarray], gap: int, stacked: bool = False) -> Image.Image:
    """Return digits beside each other, or one above another, `gap` pixels between their ink, on unevenly lit paper."""
    inks = [cropped(ink_of(digit)) for digit in digits]
    widest = max(ink.shape[int(stacked)] for ink in inks)
    parts = []
    for ink in inks:
        missing = widest - ink.shape[int(stacked)]
        aside, along = (missing // 2, missing - missing // 2), (gap, 0)
        parts.append(np.pad(ink, (along, aside) if stacked else (aside, along)))
    page = np.pad(np.concatenate(parts, axis=0 if stacked else 1), 20)
    return on_paper(page, lamp(*page.shape), 30)
