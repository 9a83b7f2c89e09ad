"""What stands in front of a database of Astra: a metadata service and a proxy that finds nodes by TLS server name.

usage: bundle_cloud.py FOLDER HOST_ID=ADDRESS:PORT...

FOLDER holds ca.crt, service.pem and proxy.pem (certificate and key of each side). The ports are the kernel's
choice: the files service.port and proxy.port appear when both listen. The file `mode` says how the service
answers the next question, see `answer` below; proxy.log has a line for each connection: the host id, and whether
it was spliced. Both sides want a certificate of ca.crt."""

import json
import os
import socket
import ssl
import sys
import threading

FOLDER = sys.argv[1]
NODES = dict(word.split("=") for word in sys.argv[2:])
LOG = open(os.path.join(FOLDER, "proxy.log"), "a", buffering=1)


def path(name):
    return os.path.join(FOLDER, name)


def context(name):
    """Made for each connection, so that a test may replace the files."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(path(name))
    made.load_verify_locations(path("ca.crt"))
    made.verify_mode = ssl.CERT_REQUIRED
    return made


def contact(proxy_port):
    points = sorted(NODES)[:2]  # the others are found
    return json.dumps({
        "version": 1,
        "region": "local",
        "contact_info": {
            "type": "sni_proxy",
            "local_dc": "datacenter1",
            "sni_proxy_address": "localhost:%d" % proxy_port,
            "contact_points": points,
        },
    })


def answer(mode, text):
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    whole = "%sContent-Length: %d\r\n\r\n%s" % (head, len(text), text)
    if mode == "chunked":
        half = len(text) // 2
        parts = "".join("%x\r\n%s\r\n" % (len(p), p) for p in (text[:half], text[half:]))
        return "%sTransfer-Encoding: chunked\r\n\r\n%s0\r\n\r\n" % (head, parts)
    if mode == "rubbish":
        return "\x00\x01\x02 this is no HTTP\r\n\r\n"
    if mode == "html":
        return head + "\r\n<html><body>It works!</body></html>"
    if mode == "failing":
        return "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
    if mode == "cut":
        return whole[:-20]
    if mode == "endless":
        return head + "\r\n" + "x" * 1000000
    return whole


def mode_now():
    try:
        with open(path("mode")) as f:
            return f.read().strip()
    except FileNotFoundError:
        return "right"


def serve_metadata(tls, proxy_port):
    request = b""
    while b"\r\n\r\n" not in request:
        piece = tls.recv(4096)
        if not piece:
            return
        request += piece
    mode = mode_now()
    if mode == "silent":
        tls.recv(1)
        return
    if not request.startswith(b"GET /metadata"):
        tls.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        return
    tls.sendall(answer(mode, contact(proxy_port)).encode("latin-1"))
    tls.unwrap()


def copy(source, sink):
    """One way until it ends, then both ends are shut."""
    try:
        while True:
            piece = source.recv(65536)
            if not piece:
                break
            sink.sendall(piece)
    except (OSError, ValueError):
        pass
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def serve_proxy(tls, name):
    where = NODES.get(name)
    try:
        host, port = where.rsplit(":", 1) if where else ("", "0")
        node = socket.create_connection((host, int(port)), 10) if where else None
    except OSError:
        node = None
    LOG.write("%s %s\n" % (name, "spliced" if node else "refused"))
    if not node:
        return
    node.settimeout(None)
    other = threading.Thread(target=copy, args=(node, tls), daemon=True)
    other.start()
    copy(tls, node)
    other.join()
    node.close()


def handle(plain, which, proxy_port):
    names = []
    made = context(which)
    made.sni_callback = lambda sock, name, ctx: names.append(name)
    try:
        with made.wrap_socket(plain, server_side=True) as tls:
            if which == "service.pem":
                serve_metadata(tls, proxy_port)
            else:
                serve_proxy(tls, names[0] if names else None)
    except OSError:
        plain.close()


def accept(listener, which, proxy_port):
    while True:
        plain, _ = listener.accept()
        threading.Thread(target=handle, args=(plain, which, proxy_port), daemon=True).start()


def main():
    listeners = [socket.create_server(("127.0.0.1", 0), backlog=128) for _ in range(2)]
    ports = [one.getsockname()[1] for one in listeners]
    for name, port in zip(("service.port", "proxy.port"), ports):
        with open(path(name + ".new"), "w") as f:
            f.write("%d\n" % port)
        os.rename(path(name + ".new"), path(name))
    threading.Thread(target=accept, args=(listeners[0], "service.pem", ports[1]), daemon=True).start()
    accept(listeners[1], "proxy.pem", ports[1])


main()
