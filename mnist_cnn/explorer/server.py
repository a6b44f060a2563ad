"""The server of the page: this machine alone, nothing it is sent is executed.

It listens on the loopback address and answers requests that name it by that address:
a page elsewhere, which could reach it under a name of its own, is refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from wsgiref.simple_server import make_server as make_wsgi_server

from bottle import Bottle, HTTPError, HTTPResponse, request, response, static_file

from ..by_hand.description import Network
from ..by_hand.errors import HandCalculationError
from ..errors import ExperimentError
from . import answers

LOOPBACK = "127.0.0.1"
MOST_BYTES = 2_000_000
"""A longer question is refused."""

_STATIC = Path(__file__).parent / "static"
_FILES = {
    "/": "index.html",
    "/explorer.css": "explorer.css",
    "/explorer.js": "explorer.js",
}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; "
    "style-src 'self'; connect-src 'self'; img-src blob: data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

Question = dict[str, Any]


class Server(ThreadingMixIn, WSGIServer):
    """Answers several requests at once, and ends with the process."""

    daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.server_port}/"


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing: the command line alone prints."""


def make_server(network: Network, port: int = 0) -> Server:
    """A server whose page starts with a network; ``serve_forever()`` runs it.

    Parameters
    ----------
    port : int
        0 for any that is free.

    Raises
    ------
    ExperimentError
        If the port cannot be had.
    HandCalculationError
        If the page cannot hold the network.
    """
    answers.answer_start(network)
    try:
        made = make_wsgi_server(
            LOOPBACK, port, make_app(network), server_class=Server, handler_class=_Quiet
        )
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ExperimentError(f"port {port} cannot be had: {reason}") from error
    assert isinstance(made, Server)
    return made


def make_app(network: Network) -> Bottle:
    """The application itself, for any WSGI server."""
    app = Bottle()
    app.default_error_handler = _tell
    app.add_hook("before_request", _check_host)
    for path, name in _FILES.items():
        app.get(path, callback=partial(_serve_file, name))
    app.get(
        "/api/start", callback=lambda: _answer(lambda: answers.answer_start(network))
    )
    for path, answer in _QUESTIONS.items():
        app.post(path, callback=partial(_reply, answer))
    return app


_QUESTIONS: dict[str, Callable[[Question], dict[str, Any]]] = {
    "/api/table": answers.answer_table,
    "/api/read": answers.answer_read,
    "/api/edit": answers.answer_edit,
    "/api/export": answers.answer_export,
    "/api/verify": answers.answer_verify,
}


def _check_host() -> None:
    port = request.environ["SERVER_PORT"]
    known = {f"{name}:{port}" for name in (LOOPBACK, "localhost")}
    if request.get_header("Host", "") not in known:
        raise HTTPError(403, "this server answers under its loopback address alone")
    origin = request.get_header("Origin")
    if origin is not None and origin not in {f"http://{one}" for one in known}:
        raise HTTPError(403, "this server answers its own page alone")


def _serve_file(name: str) -> HTTPResponse:
    found = static_file(name, root=str(_STATIC))
    for header, value in _HEADERS.items():
        found.set_header(header, value)
    return found


def _reply(answer: Callable[[Question], dict[str, Any]]) -> str:
    question = _read_question()
    return _answer(lambda: answer(question))


def _tell(error: HTTPError) -> str:
    for header, value in _HEADERS.items():
        response.set_header(header, value)
    response.content_type = "application/json; charset=utf-8"
    return json.dumps({"error": str(error.body)})


def _answer(answer: Callable[[], dict[str, Any]]) -> str:
    """An answer as JSON; what is wrong with the question is an answer, too."""
    for header, value in _HEADERS.items():
        response.set_header(header, value)
    response.content_type = "application/json; charset=utf-8"
    try:
        return answers.to_json(answer())
    except HandCalculationError as error:
        response.status = 422
        return answers.to_json({"error": str(error), "layer": error.layer})


def _read_question() -> Question:
    # A form of another page cannot send this type without being asked first.
    if request.content_type.partition(";")[0].strip() != "application/json":
        raise HTTPError(415, "a question is application/json")
    if request.content_length < 0 or request.content_length > MOST_BYTES:
        raise HTTPError(413, f"a question has at most {MOST_BYTES:,} bytes")
    body = request.environ["wsgi.input"].read(request.content_length)
    try:
        question = json.loads(body)
    except (ValueError, RecursionError):
        raise HTTPError(400, "the question is no JSON") from None
    if not isinstance(question, dict):
        raise HTTPError(400, "a question is a JSON object")
    return question
