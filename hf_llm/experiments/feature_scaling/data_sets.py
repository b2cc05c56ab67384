"""Real tables of scikit-learn, raw as they come from the file and standardised."""

import numpy as np
import sklearn.datasets

SHARE = 0.8  # of the rows, drawn by the seed
DATA_SETS = ("diabetes", "wine", "breast_cancer")
VERSIONS = ("raw", "standardised")


def read_table(name: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the features (n, d) as they are in the file, and the target (n,) with mean 0 and deviation 1."""
    options = {"scaled": False} if name == "diabetes" else {}
    features, target = getattr(sklearn.datasets, f"load_{name}")(return_X_y=True, **options)
    rows = np.random.default_rng(seed).permutation(len(target))[: round(SHARE * len(target))]
    features, target = features[rows], target[rows].astype(np.float64)
    return features, (target - target.mean()) / target.std()


def standardise(features: np.ndarray) -> np.ndarray:
    """Return the features with mean 0 and deviation 1, column by column."""
    return (features - features.mean(axis=0)) / features.std(axis=0)
