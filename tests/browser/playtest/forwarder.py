"""Forwards connections from an inherited listening socket to a loopback port of this network namespace.

python forwarder.py FILE_DESCRIPTOR PORT
"""

import asyncio
import socket
import sys
from contextlib import closing, suppress


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with closing(sink), suppress(ConnectionError):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()


async def main(listener: socket.socket, port: int) -> None:
    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(ConnectionError):
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))

    server = await asyncio.start_server(meet, sock=listener)
    await server.serve_forever()


asyncio.run(main(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2])))
