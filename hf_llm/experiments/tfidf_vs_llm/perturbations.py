"""Messages as people and spammers spoil them: typing errors and leetspeak, in any strength.

>>> spoil("free prize", "leetspeak", 1.0, seed=0)
'fr33 pr1z3'
>>> spoil("free prize", "typos", 0.0, seed=0)
'free prize'

With the same seed a stronger version spoils the letters that a weaker one spoils, and more.
"""

import numpy as np

KINDS = ("typos", "leetspeak")
LEET = str.maketrans("aeiostAEIOST", "431057431057")  # what still reads as the letter
ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")  # of a keyboard
BESIDE = {
    key: "".join(row[max(0, place - 1) : place] + row[place + 1 : place + 2])
    for row in ROWS
    for place, key in enumerate(row)
}


def spoil(text: str, kind: str, strength: float, seed: int) -> str:
    """Return the text with each of its letters spoilt with probability `strength`; nothing but ASCII letters changes.

    Args:
        kind: `typos` leaves a letter out, types it twice, takes the key beside it, or swaps it with the next one;
            `leetspeak` writes a, e, i, o, s, t as 4, 3, 1, 0, 5, 7.
        strength: From 0 to 1; of leetspeak it counts among the letters that have a digit.
        seed: The same text and seed are spoilt in the same way.
    """
    rng = np.random.default_rng([seed, len(text), sum(text.encode())])
    chances, choices, keys = rng.random(len(text)), rng.integers(4, size=len(text)), rng.integers(2, size=len(text))
    spoilt, swapped = [], False
    for place, letter in enumerate(text):
        if swapped:  # it stands before the letter that it changed places with
            swapped = False
        elif chances[place] >= strength or not (letter.isascii() and letter.isalpha()):
            spoilt.append(letter)
        elif kind == "leetspeak":
            spoilt.append(letter.translate(LEET))
        elif choices[place] == 3 and place + 1 < len(text):
            spoilt.append(text[place + 1] + letter)
            swapped = True
        else:
            spoilt.append(_mistyped(letter, choices[place], keys[place]))
    return "".join(spoilt)


def _mistyped(letter: str, choice: int, side: int) -> str:
    """Return what is typed in place of `letter`: nothing, two of them, or the key at one side of it."""
    if choice == 0:
        return ""
    if choice == 1:
        return 2 * letter
    key = BESIDE[letter.lower()][-side]
    return key.upper() if letter.isupper() else key
