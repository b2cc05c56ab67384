"""MNIST from the Hub, for those who have no IDX files: `ylecun/mnist`, PNGs in parquet.

No revision is pinned: the pixels themselves are compared, by `MNIST_SHA256`, with those of the IDX files.
"""

import numpy as np

from hf_llm.config import UserError, quoted

HUB_MNIST = "ylecun/mnist"

# `ImageData.sha256` of the four IDX files whose hashes are in sources.py
MNIST_SHA256 = "06b0d1f124c4e5fa796686ade41a9b778edacc8622f2195a352ef479ad44fc16"


def read_hub_mnist() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Return ((images, labels), (images, labels)) of training and test, in the order of the data set.

    Images are uint8 (N, 28, 28), labels uint8 (N,). Whether it is MNIST the caller has to compare.

    Raises:
        UserError: When the data set cannot be had or has not the columns of MNIST.
    """
    import datasets  # takes seconds

    try:
        splits = datasets.load_dataset(HUB_MNIST)
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:  # offline, refused, or damaged
        raise UserError(
            f"{HUB_MNIST} could not be loaded from the Hub ({quoted(error, most=300)}); "
            f"take 'mnist' (the IDX files) or 'digits' (embedded)"
        ) from None
    try:
        return _decode(splits["train"]), _decode(splits["test"])
    except (KeyError, TypeError, ValueError, OSError, OverflowError) as error:
        # another column, another size, a PNG that is none, a label that is no byte
        raise UserError(
            f"{HUB_MNIST} is not MNIST as this project knows it ({quoted(repr(error))}); take 'mnist'"
        ) from None


def _decode(split) -> tuple[np.ndarray, np.ndarray]:
    from tqdm.auto import tqdm

    images = np.empty((len(split), 28, 28), np.uint8)
    for place, image in enumerate(tqdm(split["image"], desc="decoding", unit="image", disable=None)):
        images[place] = np.asarray(image)
    return images, np.array(split["label"], np.uint8)
