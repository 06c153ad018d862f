"""Which addresses may be asked, and where the wire leads.

An address is a *real* one (`https://n.news.naver.com/…`): that is what is paced, recorded and shown. With a stand-in
for Naver every request goes to the stand-in's address instead, with the real host in the `Host` header.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection

import httpx

from schemas.errors import AddressError, BadInput


class Routing:
    """`hosts` are the only ones that may be asked; `naver` is the stand-in's address, such as `http://127.0.0.1:8080`."""

    def __init__(self, hosts: Collection[str], naver: str | None) -> None:
        self._hosts = frozenset(hosts)
        self._standin = _standin(naver) if naver else None

    def check(self, url: str) -> httpx.URL:
        """The address, normalised and without a fragment. Raises AddressError for one that may not be asked."""
        return self._checked(url, _parsed(url))

    def redirected(self, current: httpx.URL, location: str) -> httpx.URL:
        """Where an answer of `current` sends us. A redirect to the stand-in stays on the host that it stands in for.

        Raises AddressError for a target that may not be asked."""
        target = current.join(_parsed(location))
        if self._standin and target.netloc == self._standin.netloc:
            target = current.copy_with(raw_path=target.raw_path)
        return self._checked(location, target)

    def wire(self, address: httpx.URL) -> httpx.URL:
        """Where the request for a real address is sent."""
        if self._standin is None:
            return address
        return self._standin.copy_with(raw_path=address.raw_path)

    def keeps_secrets(self, address: httpx.URL) -> bool:
        """Whether a key may go with a request for this address: over TLS to its own host, or within this machine."""
        return _is_loopback(self._standin.host) if self._standin else address.scheme == "https"

    def _checked(self, url: str, address: httpx.URL) -> httpx.URL:
        if address.scheme not in ("http", "https"):
            raise AddressError(url, "only http and https are asked")
        if address.userinfo:
            raise AddressError(url, "a user name or password has no place in it")
        if address.host not in self._hosts:
            raise AddressError(url, f"{address.host!r} is not a host of Naver that seogo knows")
        if address.port is not None:  # httpx drops the scheme's own port
            raise AddressError(url, f"port {address.port} is not where Naver answers")
        return address.copy_with(fragment=None) if address.fragment else address


def _parsed(url: str) -> httpx.URL:
    try:
        return httpx.URL(url)
    except httpx.InvalidURL as error:
        raise AddressError(url, str(error)) from error


def _standin(naver: str) -> httpx.URL:
    try:
        url = httpx.URL(naver)
    except httpx.InvalidURL as error:
        raise BadInput(f"naver: {naver!r} is not an address ({error}); write http://127.0.0.1:8080") from error
    if url.scheme not in ("http", "https") or not url.host or url.userinfo or url.raw_path not in (b"", b"/"):
        raise BadInput(f"naver: {naver!r} must be a scheme, a host and a port, such as http://127.0.0.1:8080")
    return url


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
