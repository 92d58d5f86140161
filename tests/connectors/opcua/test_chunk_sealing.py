"""Answers cut into chunks by us are messages that asyncua opens."""

import pytest
from asyncua import ua
from asyncua.common.connection import SecureConnection, TransportLimits
from asyncua.common.utils import Buffer
from asyncua.crypto.security_policies import SecurityPolicyNone
from asyncua.ua.ua_binary import header_from_binary

from tagsight_connectors.opcua.chunk_sealing import LAST_NUMBER, sealed


def connection() -> SecureConnection:
    limits = TransportLimits(max_recv_buffer=8_192, max_send_buffer=8_192)
    return SecureConnection(SecurityPolicyNone(), limits)


def opened(receiver: SecureConnection, chunk: bytes) -> ua.Message | None:
    buffer = Buffer(chunk)
    return receiver.receive_from_header_and_body(header_from_binary(buffer), buffer)


@pytest.mark.parametrize("size", [1, 8_168, 8_169, 100_000], ids=["one byte", "one chunk", "one more", "many"])
def test_the_chunks_of_a_message_are_opened_as_the_message(size: int) -> None:
    sender, receiver, message = connection(), connection(), bytes(range(256)) * (size // 256 + 1)
    for request in (7, 8):
        *before, last = [opened(receiver, chunk) for chunk in sealed(sender, message[:size], request)]
        assert before == [None] * len(before)
        assert last is not None
        assert (bytes(last.body()), last.request_id()) == (message[:size], request)


def test_asyncuas_own_messages_go_on_with_the_sequence() -> None:
    sender, receiver = connection(), connection()
    chunks = [*sealed(sender, bytes(20_000), 1), sender.message_to_binary(b"after", request_id=2)]
    assert [opened(receiver, chunk) is None for chunk in chunks] == [True, True, False, False]


def test_the_sequence_begins_again_before_it_leaves_four_bytes() -> None:
    sender, receiver = connection(), connection()
    sender._sequence_number = LAST_NUMBER - 2
    assert [opened(receiver, chunk) is None for chunk in sealed(sender, bytes(20_000), 1)] == [True, True, False]
    assert sender._sequence_number == 2
