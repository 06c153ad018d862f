"""Which URLs may be requested, and where their requests are sent.

URLs are always *real* ones (`https://n.news.naver.com/…`): these are throttled, recorded and displayed. With a stand-in
for Naver, every request is sent to the stand-in's address instead, with the real host in the `Host` header.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection

import httpx

from schemas.errors import AddressError, BadInput

_PORTS = {"http": 80, "https": 443}


class Routing:
    """`hosts` is the complete list of allowed hosts; `naver` is the stand-in's address, e.g. `http://127.0.0.1:8080`."""

    def __init__(self, hosts: Collection[str], naver: str | None) -> None:
        self._hosts = frozenset(hosts)
        self._standin = _standin(naver) if naver else None

    def check(self, url: str) -> httpx.URL:
        """The URL, normalised and without its fragment. Raises AddressError if it may not be requested."""
        return self._checked(url, _parsed(url))

    def redirected(self, current: httpx.URL, location: str) -> httpx.URL:
        """The target of a redirect from `current`. A redirect to the stand-in stays on the real host.

        Raises AddressError if the target may not be requested.
        """
        target = current.join(_parsed(location))
        if self._standin and target.netloc == self._standin.netloc:
            target = current.copy_with(raw_path=target.raw_path)
        return self._checked(location, target)

    def destination(self, address: httpx.URL) -> httpx.URL:
        """The URL to which the request for a real URL is sent."""
        if self._standin is None:
            return address
        return self._standin.copy_with(raw_path=address.raw_path)

    def connections(self, address: httpx.URL) -> tuple[tuple[str, int], list[tuple[str, int]]]:
        """Host and port to which requests for this URL go, and those to which requests for all other hosts go."""
        if self._standin is not None:
            return _connection(self._standin), []
        return _connection(address), [(host, _PORTS["https"]) for host in sorted(self._hosts - {address.host})]

    def keeps_secrets(self, address: httpx.URL) -> bool:
        """Whether an API key may be sent with a request for this URL: over TLS, or within this machine."""
        return _is_loopback(self._standin.host) if self._standin else address.scheme == "https"

    def _checked(self, url: str, address: httpx.URL) -> httpx.URL:
        if address.scheme not in ("http", "https"):
            raise AddressError(url, "its scheme is neither http nor https")
        if address.userinfo:
            raise AddressError(url, "it contains a user name or a password")
        if address.host not in self._hosts:
            raise AddressError(url, f"{address.host!r} is not a Naver host that seogo knows")
        if address.port is not None:  # httpx drops the default port of a scheme
            raise AddressError(url, f"Naver does not use port {address.port}")
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
        raise BadInput(f"naver: {naver!r} is not a URL ({error}): use one such as http://127.0.0.1:8080") from error
    if url.scheme not in ("http", "https") or not url.host or url.userinfo or url.raw_path not in (b"", b"/"):
        raise BadInput(f"naver: {naver!r} must consist of scheme, host and port, such as http://127.0.0.1:8080")
    return url


def _connection(url: httpx.URL) -> tuple[str, int]:
    return url.host, url.port or _PORTS[url.scheme]


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
