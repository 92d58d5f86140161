"""Long answers sealed chunk by chunk, so that the client opens the first while the next is encrypted.

asyncua 2.1 seals a whole message before it sends a byte. Private fields are used; `test_chunk_sealing.py` pins them.
"""

from collections.abc import Iterator
from typing import Final

from asyncua.common.connection import MessageChunk, SecureConnection

LAST_NUMBER: Final = 2**32


def sealed(connection: SecureConnection, message: bytes, request: int) -> Iterator[bytes]:
    """The chunks of one message, to be sent in this order, before those of any other."""
    token = connection.security_token
    for chunk in MessageChunk.message_to_chunks(
        connection.security_policy,
        message,
        connection._limits.max_send_buffer,  # noqa: SLF001 - see the module
        channel_id=token.ChannelId,
        request_id=request,
        token_id=token.TokenId,
    ):
        number = connection._sequence_number + 1  # noqa: SLF001 - see the module
        connection._sequence_number = number if number < LAST_NUMBER else 1  # noqa: SLF001 - see the module
        chunk.SequenceHeader.SequenceNumber = connection._sequence_number  # noqa: SLF001 - see the module
        yield chunk.to_binary()
