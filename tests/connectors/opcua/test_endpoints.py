"""Which endpoint is taken, and which never is."""

from itertools import permutations

import pytest
from asyncua import ua
from hypothesis import given
from hypothesis import strategies as st

from tagsight_connectors.connection import MessageSecurity
from tagsight_connectors.errors import AccessRefused
from tagsight_connectors.opcua.endpoints import check_nothing_hidden, choose_endpoint, security_of

NONE, SIGN, BOTH = (
    ua.MessageSecurityMode.None_,
    ua.MessageSecurityMode.Sign,
    ua.MessageSecurityMode.SignAndEncrypt,
)
GOOD = ("Aes256_Sha256_RsaPss", "Basic256Sha256", "Aes128_Sha256_RsaOaep")
BROKEN = ("Basic128Rsa15", "Basic256", "None", "SomethingNew")
URL = "opc.tcp://scada01:4840"


def endpoint(policy: str, mode: ua.MessageSecurityMode, url: str = URL) -> ua.EndpointDescription:
    uri = f"http://opcfoundation.org/UA/SecurityPolicy#{policy}"
    return ua.EndpointDescription(EndpointUrl=url, SecurityPolicyUri=uri, SecurityMode=mode)


ALL = [endpoint(policy, mode) for policy in GOOD for mode in (SIGN, BOTH)]


def test_the_strongest_policy_that_encrypts_is_taken_in_whatever_order_they_are_offered() -> None:
    for few in permutations([endpoint(policy, BOTH) for policy in GOOD]):
        chosen = choose_endpoint([endpoint("Basic256Sha256", SIGN), *few], URL, MessageSecurity.SIGN)
        assert security_of(chosen) == "Aes256_Sha256_RsaPss SignAndEncrypt"


def test_encryption_goes_before_a_stronger_policy() -> None:
    offered = [endpoint("Aes256_Sha256_RsaPss", SIGN), endpoint("Aes128_Sha256_RsaOaep", BOTH)]
    assert choose_endpoint(offered, URL, MessageSecurity.SIGN).SecurityMode == BOTH


@pytest.mark.parametrize("policy", BROKEN)
def test_a_broken_policy_is_never_taken(policy: str) -> None:
    with pytest.raises(AccessRefused, match="no endpoint"):
        choose_endpoint([endpoint(policy, mode) for mode in (NONE, SIGN, BOTH)], URL, MessageSecurity.SIGN)


@pytest.mark.parametrize("policy", GOOD)
def test_signing_alone_is_taken_only_where_it_is_set(policy: str) -> None:
    offered = [endpoint(policy, SIGN)]
    assert choose_endpoint(offered, URL, MessageSecurity.SIGN) is offered[0]
    with pytest.raises(AccessRefused, match="it offers some that sign only"):
        choose_endpoint(offered, URL, MessageSecurity.SIGN_AND_ENCRYPT)


def test_an_endpoint_for_another_transport_is_not_taken() -> None:
    with pytest.raises(AccessRefused):
        choose_endpoint([endpoint("Basic256Sha256", BOTH, "https://scada01")], URL, MessageSecurity.SIGN)


@given(
    offered=st.lists(st.builds(endpoint, st.sampled_from(GOOD + BROKEN), st.sampled_from((NONE, SIGN, BOTH)))),
    security=st.sampled_from((MessageSecurity.SIGN_AND_ENCRYPT, MessageSecurity.SIGN)),
)
def test_whatever_is_offered_nothing_below_the_setting_is_taken(
    offered: list[ua.EndpointDescription], security: MessageSecurity
) -> None:
    try:
        chosen = choose_endpoint(offered, URL, security)
    except AccessRefused:
        return
    policy, mode = security_of(chosen).split()
    assert policy in GOOD
    assert mode == "SignAndEncrypt" or security is MessageSecurity.SIGN
    check_nothing_hidden(chosen, offered, URL, security)


@pytest.mark.parametrize("used", ALL[:-1], ids=security_of)
def test_an_endpoint_that_discovery_hid_is_noticed(used: ua.EndpointDescription) -> None:
    if used is choose_endpoint(ALL, URL, MessageSecurity.SIGN):
        check_nothing_hidden(used, ALL, URL, MessageSecurity.SIGN)
        return
    with pytest.raises(AccessRefused, match="better security than its answer to discovery"):
        check_nothing_hidden(used, ALL, URL, MessageSecurity.SIGN)
