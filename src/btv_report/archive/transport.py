"""
Sessions that are honest and patient: TLS verified, every request with time-outs and an end, redirects that lose no secret.

A session is made for one chain of requests and closed after it, so that nothing (a Range header, a cookie) leaks into the next.
"""

from __future__ import annotations

import contextlib
import functools
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter

from btv_report._version import __version__
from btv_report.answer_states import AnswerState
from btv_report.archive.addresses import is_loopback, public_url
from btv_report.archive.limits import Limits
from btv_report.errors import FetchError, LocalEnvironmentError

USER_AGENT = f"btv-report/{__version__} (TESS vetting dossiers; python-requests/{requests.__version__})"
_GENUINE = "requests.sessions"

TimeLeft = Callable[[], float]


class TimeoutAdapter(HTTPAdapter):
    """
    Gives time-outs to every request that has none (astroquery's have none), and every exchange an end.

    A read time-out starts anew with every byte, so a server or proxy that drips would never meet it. Each connection is
    therefore shut when the time is over, whatever it is doing.

    Parameters
    ----------
    limits : connect and read time-outs
    time_left : seconds that an exchange may take from now on, asked when it begins
    """

    def __init__(self, limits: Limits, time_left: TimeLeft) -> None:
        self.timeouts = (limits.connect_timeout_s, limits.read_timeout_s)
        self.time_left = time_left
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make pools whose connections watch the time."""
        super().init_poolmanager(*args, **options)
        self._watch(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """The same for the pools of a proxy."""
        is_new = proxy not in self.proxy_manager
        manager = super().proxy_manager_for(proxy, **options)
        if is_new:
            self._watch(manager)
        return manager

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        """Send with time-outs."""
        if options.get("timeout") is None:
            options["timeout"] = self.timeouts
        return super().send(request, *args, **options)

    def _watch(self, manager: Any) -> None:
        def watched(pool: Any) -> type[Any]:
            connection = pool.ConnectionCls
            kind = type(connection.__name__, (_Watched, connection), {"time_left": staticmethod(self.time_left)})
            return type(pool.__name__, (pool,), {"ConnectionCls": kind})

        pools = manager.pool_classes_by_scheme.items()
        manager.pool_classes_by_scheme = {scheme: watched(pool) for scheme, pool in pools}


class _Watched:
    """Mixed into a kind of connection: shuts it when its time is over."""

    time_left: TimeLeft
    _watch: _Watch | None = None
    _is_answering = False

    def _new_conn(self) -> socket.socket:
        connection: Any = super()
        self._end_watch()
        sock: socket.socket = connection._new_conn()
        self._watch = _Watch(sock)
        self._watch.begin(self.time_left())
        return sock

    def _tunnel(self) -> None:
        connection: Any = super()
        connection._tunnel()
        if self._watch is not None and self._watch.is_over:  # http.client takes the end of a proxy's headers for a yes
            raise TimeoutError("The proxy did not finish its answer in time.")

    def request(self, *args: Any, **options: Any) -> None:
        connection: Any = super()
        if self._watch is not None:  # kept open since the last request, whose time was another
            self._watch.begin(self.time_left())
        connection.request(*args, **options)

    def getresponse(self) -> Any:
        connection: Any = super()
        self._is_answering = True
        try:
            return connection.getresponse()
        finally:
            self._is_answering = False

    def close(self) -> None:
        connection: Any = super()
        if not self._is_answering:  # else the answer goes on alone, until the server closes
            self._end_watch()
        connection.close()

    def _end_watch(self) -> None:
        if self._watch is not None:
            self._watch.end()
            self._watch = None


class _Watch:
    """Shuts a socket after a time. It does so by a twin, because TLS takes the socket itself over."""

    def __init__(self, sock: socket.socket) -> None:
        self.is_over = False
        self._twin = sock.dup()
        self._timer: threading.Timer | None = None

    def begin(self, seconds: float) -> None:
        """Count from now on."""
        self._cancel()
        self._timer = threading.Timer(max(seconds, 0.0), self._shut)
        self._timer.daemon = True
        self._timer.start()

    def end(self) -> None:
        """Watch no longer."""
        self._cancel()
        self._twin.close()

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _shut(self) -> None:
        self.is_over = True
        with contextlib.suppress(OSError):
            self._twin.shutdown(socket.SHUT_RDWR)


class HonestSession(requests.Session):
    """
    A session that verifies TLS, follows few redirects, and none that leaves https or carries a secret to another host.

    Of the environment it takes proxies and certificates. It takes no login from `.netrc`: what was fetched without a cookie must
    be what anybody may fetch. What is asked of this machine itself goes through no proxy, because it may be plain http.

    Parameters
    ----------
    limits : time-outs and hops
    time_left : seconds that an exchange may take, asked when it begins; those of a table when None
    keeps_secret : whether cookies or a login are sent, so that no hop may lead to another host
    """

    def __init__(
        self,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        time_left: TimeLeft | None = None,
        *,
        keeps_secret: bool = False,
    ) -> None:
        super().__init__()
        self.max_redirects = limits.redirects
        self.keeps_secret = keeps_secret
        self.headers["User-Agent"] = USER_AGENT
        for scheme in ("https://", "http://"):
            self.mount(scheme, TimeoutAdapter(limits, time_left or (lambda: limits.table_deadline_s)))

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """
        Where an answer sends us, None when it does not; a forbidden hop is an error.

        Raises
        ------
        FetchError
            If the hop leads nowhere, leaves https, or goes to another host while a secret is at stake.
        """
        if not resp.is_redirect:
            return None
        _drop_body(resp)
        try:
            target = super().get_redirect_target(resp)
            there = urlsplit(urljoin(resp.url, target or ""))
            is_address = bool(there.hostname) and (there.port is None or there.port > 0)
        except ValueError:
            raise _refused_hop(resp, None, "it leads to no address") from None
        here = urlsplit(resp.url)
        if not is_address:
            raise _refused_hop(resp, there.hostname, "it leads to no address")
        if here.scheme == "https" and there.scheme != "https":
            raise _refused_hop(
                resp, there.hostname, "it leaves https, so that anybody on the way could read and change it"
            )
        if there.scheme != "https" and not (there.scheme == "http" and is_loopback(there.hostname)):
            raise _refused_hop(resp, there.hostname, "it is not https")
        if there.hostname != here.hostname and self.keeps_secret:
            raise _refused_hop(resp, there.hostname, "a cookie of the first host is at stake")
        return target

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """Prepare, with no login from `.netrc`."""
        with self._without_netrc():
            return super().prepare_request(request)

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """Take a login off before a hop to another host, and put none from `.netrc` on."""
        with self._without_netrc():
            super().rebuild_auth(prepared_request, response)  # type: ignore[no-untyped-call]

    def merge_environment_settings(self, url: Any, *args: Any, **options: Any) -> Any:
        """Proxies and certificates of the environment; no proxy for this machine."""
        settings = super().merge_environment_settings(url, *args, **options)
        if is_loopback(urlsplit(str(url)).hostname):
            settings["proxies"] = {}
        return settings

    def rebuild_proxies(
        self, prepared_request: requests.PreparedRequest, proxies: Mapping[str, str] | None
    ) -> MutableMapping[str, str]:
        """The same after a hop."""
        if is_loopback(urlsplit(str(prepared_request.url)).hostname):
            return {}
        rebuilt: MutableMapping[str, str] = super().rebuild_proxies(prepared_request, proxies)  # type: ignore[no-untyped-call]
        return rebuilt

    @contextlib.contextmanager
    def _without_netrc(self) -> Iterator[None]:
        trusted, self.trust_env = self.trust_env, False
        try:
            yield
        finally:
            self.trust_env = trusted


def open_session(
    limits: Limits = Limits(),  # noqa: B008 - frozen
    time_left: TimeLeft | None = None,
    *,
    keeps_secret: bool = False,
) -> HonestSession:
    """A new session, once it is sure that nothing has taken TLS verification away."""
    require_honest_tls()
    return HonestSession(limits, time_left, keeps_secret=keeps_secret)


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
    if not _verifies(ssl.create_default_context, ssl.SSLContext):
        faults.append("Python's default TLS context does not verify certificates")
    if faults:
        raise LocalEnvironmentError(
            f"Another import of this process has taken TLS verification away: {'; '.join(faults)}.",
            hint="Run btv-report in a process of its own, without that import; nothing was sent.",
        )


@functools.cache
def _verifies(make: Callable[[], ssl.SSLContext], kind: type[ssl.SSLContext]) -> bool:
    """Whether a context as it is made now verifies certificates; it costs 20 ms, once as long as nobody replaces anything."""
    del kind
    return make().verify_mode is ssl.CERT_REQUIRED


def _drop_body(resp: requests.Response) -> None:
    """Leave the body of a redirect unread: requests would take all of it, however large, however slow."""
    resp.close()
    resp._content = b""
    resp._content_consumed = True  # type: ignore[attr-defined]


def _refused_hop(resp: requests.Response, host: str | None, why: str) -> FetchError:
    hops = " -> ".join([*(urlsplit(answer.url).hostname or "?" for answer in (*resp.history, resp)), host or "?"])
    return FetchError(
        f"{urlsplit(resp.url).hostname} sends the request on to {host or 'nowhere'}, which is not followed: {why} ({hops}).",
        state=AnswerState.REJECTED,
        url=public_url(resp.url),
        http_status=resp.status_code,
        hint="Tell the archive's help desk if this lasts.",
    )
