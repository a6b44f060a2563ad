"""The server: this machine alone, its own page alone, whatever it is sent."""

import json
import threading
from http.client import HTTPConnection

import pytest

from mnist_cnn import by_hand
from mnist_cnn.errors import ExperimentError
from mnist_cnn.explorer import make_server
from mnist_cnn.explorer.server import LOOPBACK, MOST_BYTES

NETWORK = by_hand.read_network(by_hand.NETWORKS["question"])
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def server():
    made = make_server(NETWORK)
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def send(server):
    def send(method, path, body=None, headers=(), host=None):
        connection = HTTPConnection(LOOPBACK, server.server_port, timeout=30)
        connection.putrequest(method, path, skip_host=True)
        connection.putheader("Host", host or f"{LOOPBACK}:{server.server_port}")
        data = body.encode() if isinstance(body, str) else body
        for name, value in dict(headers).items():
            connection.putheader(name, value)
        if data is not None and "Content-Length" not in dict(headers):
            connection.putheader("Content-Length", str(len(data)))
        connection.endheaders(data)
        answer = connection.getresponse()
        text = answer.read().decode("utf-8")
        connection.close()
        return answer.status, dict(answer.getheaders()), text

    return send


def test_page_and_its_two_files_are_all_it_needs(send):
    status, headers, page = send("GET", "/")
    assert status == 200
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "http" not in page
    for path, type_ in (
        ("/explorer.js", "text/javascript"),
        ("/explorer.css", "text/css"),
    ):
        status, headers, text = send("GET", path)
        assert (status, headers["Content-Type"].split(";")[0]) == (200, type_)
        assert path.removeprefix("/") in page
        assert "http://" not in text
        assert "https://" not in text
        assert "eval(" not in text
        assert "innerHTML" not in text


def test_it_answers(send):
    start = json.loads(send("GET", "/api/start")[2])
    question = json.dumps({"state": start["state"]})
    status, headers, text = send("POST", "/api/table", question, JSON)
    assert status == 200
    assert json.loads(text)["total"] == "217'706"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"


def test_it_listens_on_the_loopback_address_alone(server):
    assert server.server_address[0] == "127.0.0.1"
    assert server.url == f"http://127.0.0.1:{server.server_port}/"


def test_it_is_known_as_localhost_too(send, server):
    host = f"localhost:{server.server_port}"
    assert send("GET", "/api/start", host=host)[0] == 200


@pytest.mark.parametrize("path", ["/", "/explorer.js", "/api/start", "/none"])
@pytest.mark.parametrize("host", ["example.org", "127.0.0.1", "127.0.0.1:1", "", "x:y"])
def test_other_names_are_refused(send, path, host):
    status, _, text = send("GET", path, host=host or " ")
    assert status == 403
    assert "loopback" in text


@pytest.mark.parametrize("origin", ["http://example.org", "null"])
def test_other_pages_are_refused(send, origin):
    headers = {**JSON, "Origin": origin}
    assert send("POST", "/api/table", "{}", headers)[0] == 403


def test_its_own_page_is_not(send, server):
    headers = {**JSON, "Origin": f"http://127.0.0.1:{server.server_port}"}
    assert send("POST", "/api/table", "{}", headers)[0] == 422


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        ("{}", {}, 415),
        ("{}", {"Content-Type": "text/plain"}, 415),
        ("a=1", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ("", JSON, 400),
        ("{", JSON, 400),
        ("[]", JSON, 400),
        ("[" * 100_000, JSON, 400),
        (b"\xff\xfe{}", JSON, 400),
        ('{"state": 3}', JSON, 422),
        ('{"state": {"layers": [["os.system", {"a": "b"}]]}}', JSON, 422),
        ("{}", {**JSON, "Content-Length": str(MOST_BYTES + 1)}, 413),
        ("{}", {**JSON, "Content-Length": "-3"}, 413),
    ],
)
def test_whatever_it_is_sent_it_answers_in_a_sentence(send, body, headers, status):
    answered, headers, text = send("POST", "/api/table", body, headers)
    assert answered == status
    assert json.loads(text)["error"]
    assert "Traceback" not in text
    assert "default-src 'none'" in headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "path",
    ["/../server.py", "/..%2fserver.py", "/static/index.html", "/api/table", "/x"],
)
def test_nothing_else_is_served(send, path):
    assert send("GET", path)[0] in (404, 405)


def test_names_from_elsewhere_do_no_harm(send):
    name = "<img src=x onerror=alert(1)>"
    layers = [["InputLayer", {"name": name, "shape": [None, 3]}]]
    question = json.dumps({"state": {"layers": layers}})
    status, headers, text = send("POST", "/api/table", question, JSON)
    assert status == 200
    assert headers["Content-Type"].startswith("application/json")
    assert json.loads(text)["layers"][0]["name"] == name


def test_a_port_that_is_taken_is_told(server):
    with pytest.raises(ExperimentError, match=f"port {server.server_port} cannot"):
        make_server(NETWORK, server.server_port)
    with pytest.raises(ExperimentError, match="port 70000 cannot"):
        make_server(NETWORK, 70_000)
