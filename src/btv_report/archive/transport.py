"""
Sessions that are honest and patient: TLS verified, every request with time-outs, redirects that lose no secret.

A session is made for one chain of requests and closed after it, so that nothing (a Range header, a cookie) leaks into the next.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool

from btv_report._version import __version__
from btv_report.answer_states import AnswerState
from btv_report.archive.addresses import is_loopback, public_url
from btv_report.archive.limits import Limits
from btv_report.errors import FetchError, LocalEnvironmentError

USER_AGENT = f"btv-report/{__version__} (TESS vetting dossiers; python-requests/{requests.__version__})"
_GENUINE = "requests.sessions"


class TimeoutAdapter(HTTPAdapter):
    """
    Gives time-outs to every request that has none (astroquery's have none), and all of an answer's headers one deadline.

    A read time-out starts anew with every byte, so a server that sends headers a byte at a time would never meet it.
    """

    def __init__(self, limits: Limits, answer_deadline_s: float) -> None:
        self.timeouts = (limits.connect_timeout_s, limits.read_timeout_s)
        self.answer_deadline_s = answer_deadline_s
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make pools whose connections watch the deadline."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {
            scheme: type(
                pool.__name__, (pool,), {"ConnectionCls": _watched(pool.ConnectionCls, self.answer_deadline_s)}
            )
            for scheme, pool in (("http", HTTPConnectionPool), ("https", HTTPSConnectionPool))
        }

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        """Send with time-outs."""
        if options.get("timeout") is None:
            options["timeout"] = self.timeouts
        return super().send(request, *args, **options)


def _watched(connection: type[Any], deadline_s: float) -> type[Any]:
    """A kind of connection that is shut when an answer's headers are not there after a deadline."""

    def getresponse(self: Any) -> Any:
        timer = threading.Timer(deadline_s, _shut, (self.sock,))
        timer.daemon = True
        timer.start()
        try:
            return connection.getresponse(self)
        finally:
            timer.cancel()

    return type(connection.__name__, (connection,), {"getresponse": getresponse})


def _shut(sock: Any) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


class HonestSession(requests.Session):
    """
    A session that verifies TLS, follows few redirects, and none that leaves https or carries a cookie to another host.

    Parameters
    ----------
    limits : time-outs and hops
    answer_deadline_s : for the headers of one answer; that of a table when None
    """

    def __init__(self, limits: Limits = Limits(), answer_deadline_s: float | None = None) -> None:  # noqa: B008 - frozen
        super().__init__()
        self.max_redirects = limits.redirects
        self.headers["User-Agent"] = USER_AGENT
        for scheme in ("https://", "http://"):
            self.mount(scheme, TimeoutAdapter(limits, answer_deadline_s or limits.table_deadline_s))

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """
        Where an answer sends us, None when it does not; a forbidden hop is an error.

        Raises
        ------
        FetchError
            If the hop leaves https, or goes to another host while a cookie is at stake.
        """
        target = super().get_redirect_target(resp)
        if target is None:
            return None
        here = urlsplit(resp.url)
        there = urlsplit(requests.compat.urljoin(resp.url, target))
        if here.scheme == "https" and there.scheme != "https":
            raise _refused_hop(
                resp, there.hostname, "it leaves https, so that anybody on the way could read and change it"
            )
        if there.scheme != "https" and not is_loopback(there.hostname):
            raise _refused_hop(resp, there.hostname, "it is not https")
        if there.hostname != here.hostname and (len(self.cookies) or "Cookie" in resp.request.headers):
            raise _refused_hop(resp, there.hostname, "a cookie of the first host is at stake")
        return target


def open_session(limits: Limits = Limits(), answer_deadline_s: float | None = None) -> HonestSession:  # noqa: B008 - frozen
    """A new session, once it is sure that nothing has taken TLS verification away."""
    require_honest_tls()
    return HonestSession(limits, answer_deadline_s)


def require_honest_tls() -> None:
    """
    Refuse to go on where an import has switched certificate checks off for the whole process.

    Some tools replace `requests.Session.request`, or the context that Python verifies with. A cookie sent then would be sent to
    whoever answers.

    Raises
    ------
    LocalEnvironmentError
        If the functions that verify are not the libraries' own.
    """
    faults = []
    for name in ("request", "send", "merge_environment_settings"):
        method = getattr(requests.Session, name)
        if getattr(method, "__module__", None) != _GENUINE or hasattr(method, "__wrapped__"):
            faults.append(f"requests.Session.{name} has been replaced")
    with requests.Session() as probe:
        if probe.verify is not True:
            faults.append("requests sessions do not verify certificates")
    if ssl._create_default_https_context is not ssl.create_default_context:
        faults.append("Python's own https context has been replaced")
    if ssl.create_default_context().verify_mode is not ssl.CERT_REQUIRED:
        faults.append("Python's default TLS context does not verify certificates")
    if faults:
        raise LocalEnvironmentError(
            f"Another import of this process has taken TLS verification away: {'; '.join(faults)}.",
            hint="Run btv-report in a process of its own, without that import; nothing was sent.",
        )


def _refused_hop(resp: requests.Response, host: str | None, why: str) -> FetchError:
    resp.close()  # nobody else will: the chain ends here
    hops = " -> ".join([*(urlsplit(answer.url).hostname or "?" for answer in (*resp.history, resp)), host or "?"])
    return FetchError(
        f"{urlsplit(resp.url).hostname} sends the request on to {host}, which is not followed: {why} ({hops}).",
        state=AnswerState.REJECTED,
        url=public_url(resp.url),
        http_status=resp.status_code,
        hint="Tell the archive's help desk if this lasts.",
    )
