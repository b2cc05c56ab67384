"""Showing tokens to people: the bytes behind a byte-level token, with white space made visible."""

_PRINTABLE = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
_HIDDEN = [byte for byte in range(256) if byte not in _PRINTABLE]
# GPT-2 writes each byte as one visible character: itself where it has a shape, else U+0100 and following
_BYTE = {chr(byte): byte for byte in _PRINTABLE} | {chr(256 + i): byte for i, byte in enumerate(_HIDDEN)}
_SHAPES = {" ": "␣", "\n": "⏎", "\t": "⇥"}


def token_bytes(token: str) -> bytes:
    """Return the bytes that a token in ByteLevel's alphabet stands for.

    >>> token_bytes("ĠcafÃ©").decode()
    ' café'
    """
    return bytes(_BYTE[character] for character in token)


def readable(content: bytes) -> str:
    """Return bytes as text whose white space shows; a part of a character appears as its bytes.

    >>> readable(b" caf\\xc3\\xa9\\n"), readable(b"\\xc3")
    ('␣café⏎', '\\\\xc3')
    """
    text = content.decode("utf-8", errors="backslashreplace")
    return "".join(
        _SHAPES.get(character) or (character if character.isprintable() else ascii(character)[1:-1])
        for character in text
    )
