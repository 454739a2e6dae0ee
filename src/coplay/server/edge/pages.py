"""Serves files: the built page, the browser runtime and the study's code; and the security headers."""

from pathlib import Path
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from coplay.runtime.serving import IMMUTABLE

CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        # Python in the browser is WebAssembly. No other code is ever evaluated.
        "script-src 'self' 'wasm-unsafe-eval'",
        "worker-src 'self'",
        "connect-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "media-src 'self'",
        # The demo shows two participants side by side.
        "frame-src 'self'",
        "frame-ancestors 'self'",
        "base-uri 'none'",
        "form-action 'self'",
    )
)

# Encoded once, as ASGI needs them, since they are added to each answer.
SECURITY_HEADERS: Final = tuple(
    (name.lower().encode(), value.encode())
    for name, value in {
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        # Browsers give timers of microseconds to isolated pages only; to others, a tenth of a millisecond.
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Embedder-Policy": "require-corp",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    }.items()
)

_UNBUILT = (
    "<!doctype html><title>coplay</title><p>The pages are not built yet. "
    "In a checkout, run <code>make install</code>; then reload this page."
)


class SecurityHeaders:
    """ASGI middleware that adds the security headers to every HTTP answer that does not set them itself.

    Args:
        app: The application that answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message.get("headers", ())
                names = {name for name, _ in headers}
                added = (header for header in SECURITY_HEADERS if header[0] not in names)
                message = {**message, "headers": [*headers, *added]}
            await send(message)

        await self._app(scope, receive, send_with_headers)


class Pages:
    """The endpoints that serve files.

    Args:
        web: The folder with the built page.
        runtime: The browser runtime (`coplay.runtime.Runtime`).
        bundle: The study's code (`coplay.runtime.Bundle`).
    """

    def __init__(self, web: Path, runtime: Any, bundle: Any) -> None:
        self._web = web
        self._runtime = runtime
        self._bundle_name = f"{bundle.sha256}.zip"
        self._bundle_data = bundle.data

    async def index(self, _request: Request) -> Response:
        """Answer `GET /`: the participant's page."""
        return self._page("index.html")

    async def demo(self, _request: Request) -> Response:
        """Answer `GET /demo`: two participants side by side."""
        return self._page("demo.html")

    async def watch(self, _request: Request) -> Response:
        """Answer `GET /watch`: the researcher's page, which shows the running games."""
        return self._page("watch.html")

    async def asset(self, request: Request) -> Response:
        """Answer `GET /assets/<name>`: a part of the built page, with a hash of its content in its name."""
        name = request.path_params["name"]
        # Compared with the existing names: a name from outside must never become a path.
        for file in self._files("assets"):
            if file.name == name:
                return FileResponse(file, headers={"Cache-Control": IMMUTABLE})
        return PlainTextResponse("There is no such file.", 404)

    async def runtime(self, request: Request) -> Response:
        """Answer `GET /runtime/<lock hash>/<name>`: a file of the browser runtime."""
        if request.path_params["lock_hash"] == self._runtime.lock_hash:
            try:
                served = self._runtime.lookup(
                    request.path_params["name"], request.headers.get("accept-encoding", "")
                )
            except KeyError:
                return PlainTextResponse("There is no such file.", 404)
            if request.headers.get("if-none-match") == served.etag:
                return Response(status_code=304, headers={"ETag": served.etag, "Cache-Control": IMMUTABLE})
            return FileResponse(served.path, headers=served.headers)
        return PlainTextResponse("There is no such runtime.", 404)

    async def bundle(self, request: Request) -> Response:
        """Answer `GET /bundle/<hash>.zip`: the study's code."""
        if request.path_params["name"] != self._bundle_name:
            return PlainTextResponse("There is no such bundle.", 404)
        return Response(self._bundle_data, media_type="application/zip", headers={"Cache-Control": IMMUTABLE})

    def _page(self, name: str) -> Response:
        page = self._web / name
        if not page.is_file():
            return HTMLResponse(_UNBUILT, 503)
        return FileResponse(
            page, media_type="text/html; charset=utf-8", headers={"Cache-Control": "no-cache"}
        )

    def _files(self, folder: str) -> list[Path]:
        directory = self._web / folder
        return [file for file in directory.iterdir() if file.is_file()] if directory.is_dir() else []
