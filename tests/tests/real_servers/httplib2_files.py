"""Python's httplib2 at both ends of a directory: `write DIR` fills it from an origin on loopback, `read DIR` says
what it finds for the requests that stand in standard input. Both answer with what httplib2 serves from the directory.
"""

import base64
import gzip
import http.server
import json
import signal
import sys
import threading
import zlib

import httplib2

# Whatever happens, it ends.
signal.alarm(60)

DATE = "Tue, 14 Nov 2023 22:13:20 GMT"
BINARY = bytes(range(256)) * 3


def resources():
    """Path, request fields, status, response lines, body."""
    page = [("Date", DATE), ("Cache-Control", "max-age=60"), ("ETag", '"1"')]
    for number, body in enumerate([b"", b"x", b"hello", BINARY, b"\r\n\r\n", b"status: 404\r\n\r\nx", b"\n", b"y" * 200_000]):
        yield f"/body/{number}", {}, 200, page, body
    for path in ["/", "/a?b=c", "/a?b=c&d=%20e", "/%7Ejoe", "/a//b", "/a;b", "/A/b.C", "/" + "x" * 300, "/a?http://b/", "/a(b)=!'*"]:
        yield path, {}, 200, page, path.encode()
    yield "/iri/\u00e9\u4e2d", {}, 200, page, b"iri"
    for status in [200, 203]:
        yield f"/status/{status}", {}, status, page, b"status"
    for number, lines in enumerate([
        [],
        [("Date", DATE)],
        [("Date", DATE), ("Last-Modified", DATE)],
        [("Date", DATE), ("Expires", "0")],
        [("Date", "Tuesday, 14-Nov-23 22:13:20 GMT"), ("Age", "7")],
        page + [("X-Latin", "caf\u00e9")],
        page + [("X-Utf", "\u20ac".encode().decode("latin-1"))],
        page + [("X-Long", "\u00e9" * 400)],
        page + [("X-Word", "=?utf-8?b?aGk=?=")],
        page + [("X-Plain", "a =?utf-8?b?aGk=?= b")],
        page + [("X-Empty", ""), ("X-Blank", "a  b"), ("X-Quoted", '"a, b"')],
        page + [("Link", "</1>"), ("Link", "</2>")],
        page + [("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2")],
        page + [("Content-Location", "/elsewhere")],
        page + [("X-Colon", "a: b: c")],
        page + [("Status", "500 never mind")],
        page + [("X-Long", "z" * 5000)],
    ]):
        yield f"/fields/{number}", {}, 200, lines, b"fields"
    yield "/gzip", {}, 200, page + [("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")], gzip.compress(b"gzip")
    yield "/deflate", {}, 200, page + [("Content-Encoding", "deflate")], zlib.compress(b"deflate")
    yield "/vary/1", {"accept": "text/html, text/plain;q=0.5"}, 200, page + [("Vary", "Accept")], b"vary"
    yield "/vary/2", {"accept-language": "de,en"}, 200, page + [("Vary", "Accept-Language, X-Absent")], b"vary"
    yield "/vary/3", {"user-agent": "a, (b,c)"}, 200, page + [("Vary", "User-Agent")], b"vary"
    yield "/moved/301", {}, 301, page + [("Location", "/body/2")], b"moved"
    yield "/moved/308", {}, 308, page + [("Location", "../body/2")], b"moved"


class Origin(http.server.BaseHTTPRequestHandler):
    resources = {}

    def do_GET(self):
        status, lines, body = self.resources[self.path]
        self.wfile.write(f"HTTP/1.1 {status} x\r\n".encode())
        for name, value in lines + [("Content-Length", str(len(body))), ("Connection", "close")]:
            self.wfile.write(f"{name}: {value}\r\n".encode("latin-1"))
        self.wfile.write(b"\r\n" + body)
        self.close_connection = True

    def log_message(self, *arguments):
        pass


def found(directory, uri, headers):
    """What httplib2 has, without asking anybody."""
    http_client = httplib2.Http(directory)
    response, content = http_client.request(uri, headers=dict(headers, **{"cache-control": "only-if-cached"}))
    moved = response.previous
    served = moved if moved is not None else response
    return {
        "uri": httplib2.iri2uri(uri),
        "from_cache": bool(served.fromcache),
        "status": served.status,
        "headers": dict(served),
        "leads_to": response.get("content-location") if moved is not None else None,
        "body": base64.b64encode(content).decode(),
    }


def write(directory):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Origin)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    asked = []
    for path, headers, status, lines, body in resources():
        uri = f"http://127.0.0.1:{server.server_port}{path}"
        Origin.resources[httplib2.urlnorm(httplib2.iri2uri(uri))[2]] = (status, lines, body)
        asked.append((uri, headers))
    for uri, headers in asked:
        httplib2.Http(directory).request(uri, headers=dict(headers))
    server.shutdown()
    return asked


if __name__ == "__main__":
    mode, directory = sys.argv[1:]
    requests = write(directory) if mode == "write" else json.load(sys.stdin)
    json.dump([found(directory, uri, headers) for uri, headers in requests], sys.stdout)
