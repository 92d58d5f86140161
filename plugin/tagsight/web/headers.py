"""Headers of every answer: what a browser may do with it. A policy for our own pages, and one for NiceGUI's."""

from collections.abc import Iterable, Mapping
from typing import Final

COMMON: Final[Mapping[str, str]] = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with `no-referrer` a browser sends forms with `Origin: null`
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Robots-Tag": "noindex",
}

TLS_ONLY: Final[Mapping[str, str]] = {"Strict-Transport-Security": "max-age=31536000"}


def own_policy(host: str, frames: Iterable[str] = ()) -> str:
    """For the faceplate, the sign-in page and data: nothing but our own files, and no script in the page."""
    live = f" ws://{host} wss://{host}" if host else ""  # old browsers do not count these as 'self'
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        f"connect-src 'self'{live}; base-uri 'none'; form-action 'self'; frame-ancestors {ancestors(frames)}"
    )


def nicegui_policy(nonce: str, host: str) -> str:
    """As strict as NiceGUI works with: scripts by nonce, but Vue compiles its templates, and styles stand inline."""
    live = f" ws://{host} wss://{host}" if host else ""
    return (
        f"default-src 'none'; script-src 'self' 'nonce-{nonce}' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
        f"img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'{live}; worker-src 'self' blob:; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


def ancestors(frames: Iterable[str]) -> str:
    """Who may show the page in a frame."""
    return " ".join(frames) or "'none'"
