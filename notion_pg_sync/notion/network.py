"""Why Notion cannot be reached: what httpx says, in words and with what to type. No token comes through."""

from __future__ import annotations

import errno
import shlex
import socket
import ssl
from collections.abc import Iterator

import httpx
from msgspec import Struct

_NO_WAY = (errno.ENETUNREACH, errno.EHOSTUNREACH)

# OpenSSL's numbers of what is wrong with a certificate (X509_STORE_CTX_get_error): it is not yet valid or has expired;
# it is for another name, another address.
_OUT_OF_DATE = (9, 10)
_ANOTHER_HOSTS = (62, 64)


class Explanation(Struct, frozen=True):
    """`sentence` says what is wrong and what to do; `look` is what to type to find out more.

    `lasts`: it stays so until somebody fixes it, so asking again is no use.
    """

    sentence: str
    look: str
    lasts: bool = False


def why_unreachable(error: httpx.TransportError, proxy: httpx.URL | None = None) -> Explanation:
    """What it means that a request, through `proxy`, ended in `error`, which came instead of an answer."""
    url = error.request.url
    host, port = url.host, url.port or (443 if url.scheme == "https" else 80)
    curl = shlex.join(["curl", "-sv", f"{url.scheme}://{host}:{port}/v1/users/me"])
    if proxy is not None and (trouble := _trouble_with_proxy(error, proxy, curl)):
        return trouble
    for cause in _causes(error):
        match cause:
            case ssl.SSLCertVerificationError():
                return Explanation(
                    f"the certificate of {host} cannot be verified ({cause.verify_message.rstrip('.')}): "
                    f"{_advice_on_certificate(cause.verify_code)}.",
                    f"openssl s_client -connect {shlex.quote(f'{host}:{port}')} </dev/null | "
                    "openssl x509 -noout -subject -issuer -dates -ext subjectAltName",
                    lasts=True,
                )
            case ssl.SSLError():
                return Explanation(
                    f"what answers at {host}:{port} does not speak TLS as it should ({cause.reason or 'no reason'}): "
                    "correct NOTION_BASE_URL, or check what is between this host and Notion.",
                    curl,
                )
            case socket.gaierror():
                return Explanation(
                    f"the name of host {host} is not known: check this machine's DNS, or correct NOTION_BASE_URL.",
                    shlex.join(["getent", "hosts", host]),
                )
            case ConnectionRefusedError():
                return Explanation(
                    f"nothing takes connections at {host}:{port}: let this host through the firewall, or correct "
                    "NOTION_BASE_URL.",
                    curl,
                )
            case OSError() if cause.errno in _NO_WAY:
                return Explanation(
                    f"there is no route from this machine to {host}: check its network, and that the firewall lets it "
                    "reach Notion.",
                    curl,
                )
    said = str(error) or type(error).__name__
    return Explanation(
        f"the connection to {host} broke off ({said.rstrip('.')}): check the network, then run the sync again.",
        curl,
    )


def _trouble_with_proxy(error: httpx.TransportError, proxy: httpx.URL, curl: str) -> Explanation | None:
    """What is wrong with the proxy itself, None where it let the request pass. Never with its user and password."""
    if isinstance(error, httpx.ProxyError):
        return Explanation(
            f"the proxy {proxy.host} does not let this host through ({str(error).rstrip('.')}): put the user and "
            "password that it requires into HTTPS_PROXY (http://user:password@host:port), or let this host pass.",
            curl,
            lasts=True,
        )
    if any(isinstance(cause, socket.gaierror | ConnectionRefusedError) for cause in _causes(error)):
        port = proxy.port or (443 if proxy.scheme == "https" else 80)
        return Explanation(
            f"the proxy {proxy.host}:{port} of HTTPS_PROXY takes no connections: correct the variable, or exempt "
            "Notion in NO_PROXY.",
            curl,
        )
    return None


def _advice_on_certificate(number: int) -> str:
    if number in _OUT_OF_DATE:
        return "correct this machine's clock if it is wrong, else ask that host's operator to renew it"
    if number in _ANOTHER_HOSTS:
        return "correct NOTION_BASE_URL, or check what is between this host and Notion"
    return (
        "if a proxy inserts its own certificate, name the file with the certificate of the proxy's authority "
        "in SSL_CERT_FILE"
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """What lies behind an error, the error itself left out; of several attempts, what each met."""
    behind = error.__cause__ or error.__context__
    if isinstance(behind, BaseExceptionGroup):
        for one in behind.exceptions:
            yield one
            yield from _causes(one)
    elif behind is not None:
        yield behind
        yield from _causes(behind)
