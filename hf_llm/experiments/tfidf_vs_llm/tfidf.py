"""The traditional side: TF-IDF, then a linear support vector machine, both as scikit-learn has them.

tf-idf(t, d) = count of t in d · (ln((1 + N) / (1 + texts with t)) + 1), each text scaled to length 1. The machine draws
the plane between the classes with the widest margin; errors in a class weigh as much as the class is rare.

Nothing here imports torch: a process that serves these models does without it.
"""

import re
from collections.abc import Callable

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import LinearSVC


def digits_as_zero(text: str) -> str:
    """Return the text in lower case, with 0 for every digit.

    >>> digits_as_zero("Call 0871!")
    'call 0000!'
    """
    return re.sub(r"\d", "0", text.lower())


def tfidf_words(longest: int = 2) -> Pipeline:
    """Return the classic: words in lower case, up to `longest` in a row; punctuation and single letters go."""
    return make_pipeline(TfidfVectorizer(ngram_range=(1, longest)), linear_svm())


def tfidf_chars(preprocessor: Callable[[str], str] = digits_as_zero) -> Pipeline:
    """Return what somebody builds who has seen spam: 1 to 5 characters in a row within words, every digit a 0.

    So 08712460324 and 09061701461 share pieces, and so do "prize" and "prizes". With `str.lower` digits stay as they
    are, which shows how much is due to each of the two.
    """
    counter = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 5), preprocessor=preprocessor)
    return make_pipeline(counter, linear_svm())


def linear_svm() -> LinearSVC:
    return LinearSVC(class_weight="balanced", random_state=0)


def word_weights(model: Pipeline) -> dict[str, float]:
    """Return the weight of every word in a fitted `tfidf_words`: above 0 it speaks for the second class."""
    counter, machine = model[0], model[-1]
    return dict(zip(counter.get_feature_names_out(), machine.coef_[0]))
