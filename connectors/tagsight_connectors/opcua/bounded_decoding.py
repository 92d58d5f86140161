"""asyncua's decoder, bounded: no array longer than the bytes left, and a budget of decoded elements.

Why a patch: asyncua 2.1 reads an array's length and loops, without looking at the bytes that are left. An element of
type Null has no bytes, so the five bytes `c0 c0 16 00 14` (335 million of them) hold the event loop for minutes, and
everything else of the process with it. The two functions replaced here are the only ones that make arrays; they are
private, so `test_bounded_decoding.py` pins what we rely on.

The patch holds for the whole process: what a server sends to our client is decoded under the same bound.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, Final

from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua import ua_binary

from tagsight_connectors.opcua.limits import DECODED_ELEMENTS, MATRIX_ELEMENTS

Decoder = Callable[[Any], Any]

_remaining: ContextVar[list[int] | None] = ContextVar("elements that may still be decoded", default=None)


@contextmanager
def decoding_budget(elements: int = DECODED_ELEMENTS) -> Iterator[None]:
    """Inside, at most `elements` array elements that become Python objects are decoded, then BadDecodingError."""
    token = _remaining.set([elements])
    try:
        yield
    finally:
        _remaining.reset(token)


def install_bounds() -> None:
    """Bound asyncua's decoder in this process; calling again changes nothing."""
    if getattr(ua_binary._create_list_deserializer, "bounded", False):  # noqa: SLF001 - see the module
        return
    for name in ("_create_list_deserializer", "_create_uatype_array_deserializer"):
        setattr(ua_binary, name, _bounded(getattr(ua_binary, name)))
    for name in ("_create_dataclass_deserializer", "_create_type_deserializer", "_create_uatype_deserializer"):
        getattr(ua_binary, name).cache_clear()  # they hold decoders made before
    ua_binary.MAX_RESHAPE_ELEMENTS = MATRIX_ELEMENTS


def _bounded(make: Callable[[Any], Decoder]) -> Callable[[Any], Decoder]:
    @cache
    def make_bounded(element_type: Any) -> Decoder:
        decode = make(element_type)
        size = _fixed_size(element_type)

        def decode_bounded(data: Any) -> Any:
            _check_length(data, size)
            return decode(data)

        return decode_bounded

    make_bounded.bounded = True  # type: ignore[attr-defined]
    return make_bounded


LENGTH_PREFIX: Final = 4


def _fixed_size(element_type: Any) -> int:
    """Bytes of one element of a primitive array (decoded in one call, hence cheap), else 0."""
    name = getattr(element_type, "name", "") or getattr(element_type, "__name__", "")
    primitive = getattr(ua_binary.Primitives1, name, None)
    return int(primitive.size) if primitive is not None else 0


def _check_length(data: Any, size: int) -> None:
    if not isinstance(data, Buffer) or len(data) < LENGTH_PREFIX:
        return  # asyncua says "not enough data" itself
    length = int.from_bytes(data.copy(LENGTH_PREFIX).read(LENGTH_PREFIX), "little", signed=True)
    if length * max(size, 1) > len(data) - LENGTH_PREFIX:
        raise ua.UaStatusCodeError(ua.StatusCodes.BadDecodingError)
    remaining = _remaining.get()
    if remaining is None or size or length < 0:
        return
    remaining[0] -= length
    if remaining[0] < 0:
        raise ua.UaStatusCodeError(ua.StatusCodes.BadEncodingLimitsExceeded)
