"""The yardstick of goal 14: the same framework, a SELECT and a durable INSERT for each request.

python other_server.py DATABASE
"""

import json
import socket
import sqlite3
import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

KINDS = ("identify", "login", "logout", "search")


def main() -> None:
    """Serve on a free port, which is printed."""
    connection = sqlite3.connect(sys.argv[1], isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE requests (id INTEGER PRIMARY KEY, named TEXT, body BLOB)")
    connection.execute("CREATE INDEX requests_by_named ON requests (named)")

    async def answer(request: Request) -> JSONResponse:
        body = await request.body()
        named = json.dumps(json.loads(body)["known_identities"])
        query = "SELECT max(id) FROM requests WHERE named = ?"
        [found] = connection.execute(query, (named,)).fetchone()
        connection.execute("INSERT INTO requests (named, body) VALUES (?, ?)", (named, body))
        return JSONResponse({"mpid": str(found), "is_logged_in": False})

    app = Starlette(routes=[Route(f"/v1/{kind}", answer, methods=["POST"]) for kind in KINDS])
    config = uvicorn.Config(app, lifespan="off", log_config=None, access_log=False)
    listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as uvicorn's own sockets
    sys.stdout.write(f"http://127.0.0.1:{listening.getsockname()[1]}\n")
    sys.stdout.flush()  # whoever started it reads where to ask
    uvicorn.Server(config).run([listening])


main()
