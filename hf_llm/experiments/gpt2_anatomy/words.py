"""Three classes of words that a small BPE of Tiny Shakespeare has as tokens of their own; each is written by hand.

A word that can be of two classes ("her", "that", "like") is in none. Nouns are too few in a vocabulary so small.
"""

WORD_CLASSES = {
    "pronoun": "I me my you your he him his she we us our it they them their thou thee thy ye who what which",
    "verb": "is am are was were be been have hath had do did shall will would should can could may must know say speak "
            "come go let make see give take think tell love",
    "connective": "to of in with for on by from at up upon and but or if than as when where then not so",
}  # fmt: skip
