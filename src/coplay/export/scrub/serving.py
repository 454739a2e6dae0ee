"""The web server of the scrubber, which shows one game and only listens on the loopback interface."""

import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from coplay.errors import CoplayError
from coplay.export.scrub.scrub_files import write_scrub_files
from coplay.runtime import ReportProgress
from coplay.server.edge.pages import SecurityHeaders
from coplay.server.running import listen

_FILE: Final = re.compile(r"game\.json|pictures-[0-9]{1,7}\.json")
PAGE: Final = "scrub.html"


def scrub_game(
    data: Path,
    game_id: str,
    port: int,
    *,
    progress: ReportProgress,
    ready: Callable[[int], None],
    done: Callable[[], None],
) -> None:
    """Replay and draw a game, then serve the scrubber until interrupted.

    Args:
        data: The data directory.
        game_id: The id of the game.
        port: The port on the loopback interface; 0 for any free one.
        progress: Called with the current stage of the work, and its fraction, until the game is drawn.
        ready: Called with the port when the page can be opened.
        done: Called when the game is drawn, after the last call of `progress` and before `ready`.

    Raises:
        CoplayError: The game cannot be replayed, or the pages are not built.
    """
    web = Path(__file__).resolve().parents[2] / "_web"
    if not (web / PAGE).is_file():
        raise CoplayError("the pages are not built", "In a checkout, run `make install`.")
    with tempfile.TemporaryDirectory(prefix="coplay-") as folder, listen("127.0.0.1", port) as listening:
        write_scrub_files(data, game_id, Path(folder), progress=progress)
        done()
        ready(int(listening.getsockname()[1]))
        settings = uvicorn.Config(scrub_app(Path(folder), web), log_level="warning", lifespan="off")
        uvicorn.Server(settings).run(sockets=[listening])


def scrub_app(folder: Path, web: Path) -> Starlette:
    """Return the application that serves the page, its assets, and the files of the game.

    Args:
        folder: The folder of the files that `write_scrub_files` wrote.
        web: The folder of the built pages.
    """

    async def page(_request: Request) -> Response:
        return FileResponse(web / PAGE, media_type="text/html; charset=utf-8")

    async def asset(request: Request) -> Response:
        # Looked up in the listing, so that a name from a request never becomes a path.
        for file in (web / "assets").iterdir():
            if file.name == request.path_params["name"]:
                return FileResponse(file)
        return PlainTextResponse("There is no such file.", 404)

    async def game(request: Request) -> Response:
        name = request.path_params["name"]
        if not _FILE.fullmatch(name) or not (folder / name).is_file():
            return PlainTextResponse("There is no such file.", 404)
        return FileResponse(folder / name, media_type="application/json")

    app = Starlette(routes=[Route("/", page), Route("/assets/{name}", asset), Route("/game/{name}", game)])
    app.add_middleware(SecurityHeaders)
    return app
