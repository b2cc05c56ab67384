"""The images that are always there: scikit-learn's 8×8 digits, brought to the shape of MNIST.

They are 1,797 digits of the UCI set "Optical Recognition of Handwritten Digits" (Alpaydin, Kaynak 1998), and they are
not MNIST: each came from a 32×32 bitmap whose ink was counted in 4×4 blocks. The shuffle gives writers to both
parts, so the test set is easier than digits of people who were never seen.
"""

import numpy as np

TEST_FRACTION = 0.2
ENLARGE, MARGIN = 3, 2  # 8·3 + 2·2 = 28 pixels


def read_digits() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Return ((images, labels), (images, labels)) of training and test: 1,438 and 359 digits.

    Images are uint8 (N, 28, 28), 0 background, 255 ink; labels are integers (N,). The same on every call.
    """
    from sklearn.datasets import load_digits  # takes two seconds, which a reader of MNIST need not wait

    digits = load_digits()
    images = np.rint(digits.images * (255 / 16)).astype(np.uint8)  # (N, 8, 8), counts of 0 to 16
    images = images.repeat(ENLARGE, axis=1).repeat(ENLARGE, axis=2)  # (N, 24, 24)
    images = np.pad(images, [(0, 0), (MARGIN, MARGIN), (MARGIN, MARGIN)])  # (N, 28, 28)

    order = np.random.default_rng(0).permutation(len(images))  # the set comes writer after writer
    images, labels = images[order], digits.target[order]
    cut = len(images) - round(len(images) * TEST_FRACTION)
    return (images[:cut], labels[:cut]), (images[cut:], labels[cut:])
