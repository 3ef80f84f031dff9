"""The records of a page as the bytes that came, so that a page can be regrouped without being written anew."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec

from ado_assets.ado.errors import UnexpectedAnswer


def split(body: bytes, key: str) -> list[bytes]:
    """
    Return the bytes of each element of the list ``body[key]``, in order, exactly as received.

    Raises:
        UnexpectedAnswer: *body* is not an object that holds a list under *key*.
    """
    return [bytes(record) for record in _find(body, key, list[msgspec.Raw])]


def raw(body: bytes, key: str) -> bytes:
    """
    Return the bytes of ``body[key]``, whatever it is.

    Raises:
        UnexpectedAnswer: *body* is not an object with a property *key*.
    """
    return bytes(_find(body, key, msgspec.Raw))


def _find(body: bytes, key: str, shape: Any) -> Any:
    try:
        return _decoder(key, shape).decode(body).found
    except msgspec.DecodeError as error:
        raise UnexpectedAnswer(f"the answer is no object with {key!r} as expected: {error}") from error


@lru_cache(maxsize=64)
def _decoder(key: str, shape: Any) -> msgspec.json.Decoder[Any]:
    page = msgspec.defstruct("Page", [("found", shape)], rename={"found": key})
    return msgspec.json.Decoder(page)
