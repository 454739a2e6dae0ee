"""Answers HTTP requests that were refused or failed."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from coplay.messages.encoding import to_json
from coplay.server.edge.pages import SECURITY_HEADERS
from coplay.server.refusals import RequestRefusedError, log_fault

Endpoint = Callable[[Request], Awaitable[Response]]


async def answer_error(request: Request, error: Exception) -> Response:
    """Return the response for a refusal, or for a fault of the server.

    Args:
        request: The request that raised.
        error: What it raised.
    """
    if not isinstance(error, RequestRefusedError):
        return JSONResponse(to_json(log_fault(f"{request.method} {request.url.path}", error)), 500)
    headers = {"Retry-After": str(error.retry_after_s)} if error.retry_after_s else None
    return JSONResponse(to_json(error.for_page()), error.status, headers)


class PostEndpoint:
    """An ASGI application that answers POST requests with one endpoint, without Starlette's middleware.

    Errors and headers are those of the other endpoints. Starlette's own error handlers and the middleware for
    headers would more than double the time that a request spends outside its endpoint, which matters for
    uploads alone: 500 games send a thousand a second.

    Args:
        endpoint: Answers a request.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        try:
            if request.method != "POST":
                raise RequestRefusedError(405, "Only POST is answered here.")
            response = await self._endpoint(request)
        except Exception as error:  # noqa: BLE001 (the outermost handler: whatever is raised gets an answer)
            response = await answer_error(request, error)
        response.raw_headers += SECURITY_HEADERS
        await response(scope, receive, send)


async def not_found(_request: Request) -> Response:
    """Refuse a request for an unknown path.

    Raises:
        RequestRefusedError: Always.
    """
    raise RequestRefusedError(404, "There is nothing here.")
