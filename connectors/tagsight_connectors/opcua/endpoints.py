"""Which endpoint of a server is used: the best that it offers, and nothing below what the setting allows.

Discovery passes unsecured, so whoever sits on the line may leave the better endpoints out of the answer. What that
leaves is refused unless the setting allows it, and the server's own list, which comes again through the secured
channel, is compared: an endpoint that is better than the one in use was hidden.
"""

from collections.abc import Sequence
from typing import Final

from asyncua import ua
from asyncua.crypto import security_policies as foreign

from tagsight_connectors.connection import MessageSecurity
from tagsight_connectors.errors import AccessRefused

POLICIES: Final = {
    policy.URI: policy
    for policy in (
        foreign.SecurityPolicyAes256Sha256RsaPss,
        foreign.SecurityPolicyBasic256Sha256,
        foreign.SecurityPolicyAes128Sha256RsaOaep,
    )
}
"""What we speak, the strongest first. The older Basic128Rsa15 and Basic256 are broken and never taken."""

NO_POLICY: Final = "http://opcfoundation.org/UA/SecurityPolicy#None"

MODES: Final = {
    MessageSecurity.SIGN_AND_ENCRYPT: (ua.MessageSecurityMode.SignAndEncrypt,),
    MessageSecurity.SIGN: (ua.MessageSecurityMode.SignAndEncrypt, ua.MessageSecurityMode.Sign),
}
"""By setting, the best first."""

_ORDER: Final = list(POLICIES)


def choose_endpoint(
    endpoints: Sequence[ua.EndpointDescription], url: str, security: MessageSecurity
) -> ua.EndpointDescription:
    """The best endpoint that the setting allows: encryption before signing, then the strongest policy."""
    allowed = [each for each in endpoints if _rank(each, security) is not None]
    if allowed:
        return min(allowed, key=lambda each: _rank(each, security) or ())
    signs = any(_rank(each, MessageSecurity.SIGN) is not None for each in endpoints)
    only = " (it offers some that sign only)" if signs else ""
    raise AccessRefused(
        what=f"connection to {url}",
        cause=f"the server offers no endpoint with {' or '.join(map(_mode, MODES[security]))} and one of the policies "
        f"{', '.join(map(policy_name, POLICIES))}{only}",
        mend="Switch one of them on in the historian.",
    )


def check_nothing_hidden(
    used: ua.EndpointDescription, told: Sequence[ua.EndpointDescription], url: str, security: MessageSecurity
) -> None:
    """Raise if `told`, the list of the secured channel, has a better endpoint than the one in use."""
    ranks = [rank for each in told if (rank := _rank(each, security)) is not None]
    mine = _rank(used, security)
    if mine is not None and any(rank < mine for rank in ranks):
        raise AccessRefused(
            what=f"connection to {url}",
            cause="the server offers better security than its answer to discovery said: somebody may have changed it",
            mend="Find out what lies between TagSight and the historian.",
        )


def security_of(endpoint: ua.EndpointDescription | None) -> str:
    """Policy and mode in words; None: no security."""
    return f"{policy_name(endpoint.SecurityPolicyUri)} {_mode(endpoint.SecurityMode)}" if endpoint else "None"


def policy_name(uri: str) -> str:
    """What engineers call a policy."""
    return uri.rpartition("#")[2]


def _mode(mode: ua.MessageSecurityMode) -> str:
    return str(mode.name)


def _rank(endpoint: ua.EndpointDescription, security: MessageSecurity) -> tuple[int, int] | None:
    """The smaller, the better; None: not allowed."""
    modes = MODES[security]
    if not (endpoint.EndpointUrl or "").startswith("opc.tcp://"):
        return None
    if endpoint.SecurityMode not in modes or endpoint.SecurityPolicyUri not in POLICIES:
        return None
    return modes.index(endpoint.SecurityMode), _ORDER.index(endpoint.SecurityPolicyUri)
