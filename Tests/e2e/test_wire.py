"""The API on the wire, without a client library: formats, negotiation, caching headers, tables, watches, expired lists."""

import base64
import contextlib
import gzip
import http.client
import json
import re
import ssl
import struct
import uuid

import pytest

from cluster import Cluster, eventually

PROTOBUF = "application/vnd.kubernetes.protobuf"
CBOR = "application/cbor"
DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


class Wire:
    """Requests with the administrator's certificate, each on a connection of its own."""

    def __init__(self, cluster):
        config = cluster.json("config", "view", "--raw")
        user, server = config["users"][0]["user"], config["clusters"][0]["cluster"]
        names = []
        for name, text in (("ca", server["certificate-authority-data"]), ("crt", user["client-certificate-data"]),
                           ("key", user["client-key-data"])):
            names.append(f"{cluster.dir}/wire.{name}")
            with open(names[-1], "wb") as f:
                f.write(base64.b64decode(text))
        self.tls = ssl.create_default_context(cafile=names[0])
        self.tls.load_cert_chain(names[1], names[2])
        self.port = cluster.port

    @contextlib.contextmanager
    def open(self, method, path, body=None, **headers):
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=self.tls, timeout=60)
        try:
            connection.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
            yield connection.getresponse()
        finally:
            connection.close()

    def ask(self, method, path, body=None, **headers):
        """(status, headers, body)"""
        with self.open(method, path, body, **headers) as answer:
            return answer.status, answer.headers, answer.read()

    def json(self, method, path, body=None, expect=200, **headers):
        status, _, text = self.ask(method, path, None if body is None else json.dumps(body), Content_Type="application/json", **headers)
        assert status == expect, text
        return json.loads(text)


@pytest.fixture(scope="module")
def wire():
    c = Cluster("wire", extra=["--hollow-nodes", "1"])
    try:
        c.up()
        yield Wire(c)
    finally:
        c.close()


@pytest.fixture
def maps(wire):
    """The path of the config maps of a new namespace."""
    name = f"w-{uuid.uuid4().hex[:8]}"
    wire.json("POST", "/api/v1/namespaces", {"metadata": {"name": name}}, expect=201)
    path = f"/api/v1/namespaces/{name}/configmaps"
    eventually(lambda: wire.ask("GET", f"{path}/kube-root-ca.crt")[0] == 200, 20)
    yield path
    wire.ask("DELETE", f"/api/v1/namespaces/{name}")


def settings(name, **data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


# MARK: formats, read and written by hand


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def fields(data):
    """The fields of a protobuf message: {number: [value]}, bytes for what has a length."""
    found, at = {}, 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        else:
            assert key & 7 == 2, f"wire type {key & 7}"
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
            assert len(value) == size
        found.setdefault(key >> 3, []).append(value)
    return found


def field(number, value):
    def number_bytes(n):
        out = bytearray()
        while n >= 0x80:
            out.append(n & 0x7F | 0x80)
            n >>= 7
        return bytes(out) + bytes([n])
    value = value.encode() if isinstance(value, str) else value
    return number_bytes(number << 3 | 2) + number_bytes(len(value)) + value


def unwrap(data):
    """(apiVersion, kind, message) of what has Kubernetes' prefix."""
    assert data[:4] == b"k8s\0"
    outer = fields(data[4:])
    kind = fields(outer[1][0])
    return kind[1][0].decode(), kind[2][0].decode(), outer[2][0]


def config_map(message):
    """(name, resourceVersion, data) of a ConfigMap."""
    found = fields(message)
    metadata = fields(found[1][0])
    pairs = [fields(entry) for entry in found.get(2, [])]
    return metadata[1][0].decode(), metadata[6][0].decode(), {p[1][0].decode(): p[2][0].decode() for p in pairs}


def uncbor(data, at=0):
    """(value, end) of the parts of CBOR that Kubernetes writes."""
    kind, low = data[at] >> 5, data[at] & 31
    at += 1
    if low < 24:
        size = low
    else:
        width = {24: 1, 25: 2, 26: 4, 27: 8}[low]
        size, at = int.from_bytes(data[at:at + width], "big"), at + width
    if kind == 0:
        return size, at
    if kind == 1:
        return -1 - size, at
    if kind in (2, 3):
        return data[at:at + size].decode(), at + size
    if kind in (4, 5):
        items = []
        for _ in range(size * (kind - 3)):
            item, at = uncbor(data, at)
            items.append(item)
        return (items if kind == 4 else dict(zip(items[::2], items[1::2]))), at
    if kind == 6:
        return uncbor(data, at)
    return {20: False, 21: True, 22: None}[low], at


def cbor(value):
    if isinstance(value, dict):
        return bytes([0xA0 | len(value)]) + b"".join(cbor(k) + cbor(v) for k, v in value.items())
    text = value.encode()
    assert len(text) < 256
    return b"\x58" + bytes([len(text)]) + text


def test_protobuf_in_and_out(wire, maps):
    metadata = field(1, "p")
    message = field(1, metadata) + field(2, field(1, "key") + field(2, "value"))
    body = b"k8s\0" + field(1, field(1, "v1") + field(2, "ConfigMap")) + field(2, message)
    status, headers, answer = wire.ask("POST", maps, body, Content_Type=PROTOBUF, Accept=PROTOBUF)
    assert (status, headers["Content-Type"]) == (201, PROTOBUF), answer
    version, kind, created = unwrap(answer)
    assert (version, kind) == ("v1", "ConfigMap")
    name, revision, data = config_map(created)
    assert (name, data) == ("p", {"key": "value"})
    plain = wire.json("GET", f"{maps}/p")
    assert plain["data"] == {"key": "value"} and plain["metadata"]["resourceVersion"] == revision

    status, _, answer = wire.ask("GET", maps, Accept=PROTOBUF)
    version, kind, message = unwrap(answer)
    assert (status, version, kind) == (200, "v1", "ConfigMapList")
    items = [config_map(item) for item in fields(message)[2]]
    assert [i[0] for i in items] == ["kube-root-ca.crt", "p"] and items[1][2] == {"key": "value"}
    assert int(fields(fields(message)[1][0])[2][0]) >= int(revision)

    status, headers, answer = wire.ask("GET", f"{maps}/none", Accept=PROTOBUF)
    assert (status, headers["Content-Type"], unwrap(answer)[1]) == (404, PROTOBUF, "Status")
    details = fields(unwrap(answer)[2])
    assert details[3] == [b'configmaps "none" not found'] and details[4] == [b"NotFound"] and details[6] == [404]


def test_protobuf_watch(wire, maps):
    revision = wire.json("GET", maps)["metadata"]["resourceVersion"]
    wire.json("POST", maps, settings("seen", a="1"), expect=201)
    wire.json("DELETE", f"{maps}/seen")
    with wire.open("GET", f"{maps}?watch=1&resourceVersion={revision}", Accept=f"{PROTOBUF};stream=watch") as answer:
        assert answer.headers["Content-Type"] == f"{PROTOBUF};stream=watch"
        kinds = []
        for _ in range(2):
            size, = struct.unpack(">I", answer.read(4))
            # The events themselves have no prefix; the objects in them do.
            event = fields(answer.read(size))
            version, kind, message = unwrap(fields(event[2][0])[1][0])
            assert (version, kind, config_map(message)[0]) == ("v1", "ConfigMap", "seen")
            kinds.append(event[1][0])
        assert kinds == [b"ADDED", b"DELETED"]


def test_cbor_in_and_out(wire, maps):
    body = b"\xd9\xd9\xf7" + cbor(settings("c", key="value"))
    status, headers, answer = wire.ask("POST", maps, body, Content_Type=CBOR, Accept=CBOR)
    assert (status, headers["Content-Type"]) == (201, CBOR), answer
    assert answer[:3] == b"\xd9\xd9\xf7"
    value, end = uncbor(answer)
    assert end == len(answer) and value["data"] == {"key": "value"} and value["kind"] == "ConfigMap"
    assert value == wire.json("GET", f"{maps}/c")
    status, _, answer = wire.ask("GET", maps, Accept=CBOR)
    assert uncbor(answer)[0] == wire.json("GET", maps)
    revision = wire.json("GET", maps)["metadata"]["resourceVersion"]
    wire.json("DELETE", f"{maps}/c")
    with wire.open("GET", f"{maps}?watch=1&resourceVersion={revision}&timeoutSeconds=1", Accept=CBOR) as answer:
        assert answer.headers["Content-Type"] == "application/cbor-seq"
        events, stream, at = [], answer.read(), 0
        while at < len(stream):
            event, at = uncbor(stream, at)
            events.append((event["type"], event["object"]["metadata"]["name"]))
        assert events == [("DELETED", "c")]


def test_what_is_neither_read_nor_written(wire, maps):
    kinds = "application/json, application/yaml, application/vnd.kubernetes.protobuf"
    answer = wire.json("GET", maps, expect=406, Accept="text/html;q=0.9, image/png")
    assert answer["reason"] == "NotAcceptable"
    assert answer["message"].startswith(f"406: Not Acceptable\n\nAvailable representations: {kinds}")
    status, _, text = wire.ask("POST", maps, b"x", Content_Type="text/plain")
    assert status == 415 and json.loads(text)["reason"] == "UnsupportedMediaType"
    unknown = "the body of the request was in an unknown format - accepted media types include: "
    assert json.loads(text)["message"].startswith(unknown + kinds)
    status, _, text = wire.ask("PATCH", f"{maps}/kube-root-ca.crt", b"{}", Content_Type="application/json")
    assert status == 415 and json.loads(text)["message"] == "415: Unsupported Media Type"
    for body, kind in ((b"{", "application/json"), (b"k8s\0\xff\xff", PROTOBUF), (b"\xd9\xd9\xf7\xbf", CBOR),
                       (b"[" * 100_000, "application/json"),
                       (b"a: &a [1]\nb: &b [*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b]\nd: [*c" + b",*c" * 50_000 + b"]", "application/yaml")):
        status, _, text = wire.ask("POST", maps, body, Content_Type=kind)
        assert status == 400 and json.loads(text)["reason"] == "BadRequest", (kind, text[:300])


# MARK: lists


def test_the_pages_of_a_list_are_of_one_moment(wire, maps):
    for name in ("a", "b", "c"):
        wire.json("POST", maps, settings(name), expect=201)
    page = wire.json("GET", f"{maps}?limit=2")
    assert [i["metadata"]["name"] for i in page["items"]] == ["a", "b"] and page["metadata"]["remainingItemCount"] == 2
    token = json.loads(base64.urlsafe_b64decode(page["metadata"]["continue"] + "=="))
    assert token["v"] == "meta.k8s.io/v1" and str(token["rv"]) == page["metadata"]["resourceVersion"]
    # A page in between does not see what was written since.
    wire.json("POST", maps, settings("bb"), expect=201)
    rest = wire.json("GET", f"{maps}?limit=9&continue={page['metadata']['continue']}")
    assert [i["metadata"]["name"] for i in rest["items"]] == ["c", "kube-root-ca.crt"]
    assert rest["metadata"]["resourceVersion"] == page["metadata"]["resourceVersion"] and "continue" not in rest["metadata"]

    bad = wire.json("GET", f"{maps}?limit=2&continue=%21", expect=400)
    assert bad["message"].startswith("invalid continue token: continue key is not valid")
    both = wire.json("GET", f"{maps}?continue={page['metadata']['continue']}&resourceVersion=5&resourceVersionMatch=Exact", expect=422)
    assert both["reason"] == "Invalid"


def test_tables_and_partial_metadata(wire, maps):
    table = wire.json("GET", maps, Accept="application/json;as=Table;g=meta.k8s.io;v=v1")
    assert (table["kind"], table["apiVersion"]) == ("Table", "meta.k8s.io/v1")
    assert [c["name"] for c in table["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert table["rows"][0]["cells"][:2] == ["kube-root-ca.crt", 1]
    assert table["rows"][0]["object"]["kind"] == "PartialObjectMetadata" and "data" not in table["rows"][0]["object"]
    whole = wire.json("GET", f"{maps}?includeObject=Object", Accept="application/json;as=Table;g=meta.k8s.io;v=v1")
    assert "ca.crt" in whole["rows"][0]["object"]["data"]
    partial = wire.json("GET", maps, Accept="application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1")
    assert partial["kind"] == "PartialObjectMetadataList" and set(partial["items"][0]) == {"kind", "apiVersion", "metadata"}
    refused = wire.json("GET", maps, expect=406, Accept="application/json;as=Nonsense;g=meta.k8s.io;v=v1")
    assert refused["reason"] == "NotAcceptable"
    encoded = wire.ask("GET", f"{maps}/kube-root-ca.crt", Accept=f"{PROTOBUF};as=PartialObjectMetadata;g=meta.k8s.io;v=v1")[2]
    assert unwrap(encoded)[:2] == ("meta.k8s.io/v1", "PartialObjectMetadata")


# MARK: watches


def test_initial_events_and_bookmarks(wire, maps):
    wire.json("POST", maps, settings("a"), expect=201)
    path = f"{maps}?watch=1&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan"
    with wire.open("GET", path) as answer:
        assert (answer.status, answer.headers["Transfer-Encoding"]) == (200, "chunked")
        events = [json.loads(answer.readline()) for _ in range(3)]
        assert [(e["type"], e["object"]["metadata"].get("name")) for e in events] == [
            ("ADDED", "a"), ("ADDED", "kube-root-ca.crt"), ("BOOKMARK", None)]
        end = events[2]["object"]
        assert (end["kind"], end["metadata"]["annotations"]) == ("ConfigMap", {"k8s.io/initial-events-end": "true"})
        assert int(end["metadata"]["resourceVersion"]) >= int(events[0]["object"]["metadata"]["resourceVersion"])
        assert "creationTimestamp" not in end["metadata"]
        wire.json("POST", maps, settings("b"), expect=201)
        event = json.loads(answer.readline())
        assert (event["type"], event["object"]["metadata"]["name"]) == ("ADDED", "b")
    refused = wire.json("GET", f"{maps}?watch=1&sendInitialEvents=true", expect=422)
    assert refused["details"]["causes"][0] == {
        "reason": "FieldValueForbidden", "field": "resourceVersionMatch",
        "message": "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"}


def test_a_selector_turns_changes_into_comings_and_goings(wire, maps):
    revision = wire.json("GET", maps)["metadata"]["resourceVersion"]
    wire.json("POST", maps, settings("a"), expect=201)
    for value in ("y", "n", "y"):
        status, _, text = wire.ask("PATCH", f"{maps}/a", json.dumps({"metadata": {"labels": {"in": value}}}),
                                   Content_Type="application/merge-patch+json")
        assert status == 200, text
    wire.json("DELETE", f"{maps}/a")
    path = f"{maps}?watch=1&resourceVersion={revision}&labelSelector=in%3Dy&timeoutSeconds=1"
    events = [json.loads(line) for line in wire.ask("GET", path)[2].splitlines()]
    assert [e["type"] for e in events] == ["ADDED", "DELETED", "ADDED", "DELETED"]


def test_a_version_that_is_too_large(wire, maps):
    answer = wire.json("GET", f"{maps}?resourceVersion=99999999&timeoutSeconds=1", expect=504)
    assert answer["message"].startswith("Timeout: Too large resource version: 99999999, current: ")
    assert answer["details"]["causes"] == [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]


# MARK: what caches and compresses


def test_discovery_and_openapi_are_cached_by_tag(wire):
    for path, accept in (("/apis", DISCOVERY), ("/api", DISCOVERY), ("/openapi/v2", "application/json")):
        status, headers, body = wire.ask("GET", path, Accept=accept)
        assert status == 200 and json.loads(body)
        assert re.fullmatch(r'"[0-9A-F]+"', headers["ETag"]) and "Accept" in headers["Vary"]
        status, again, body = wire.ask("GET", path, Accept=accept, If_None_Match=headers["ETag"])
        assert (status, body, again["ETag"]) == (304, b"", headers["ETag"])
        assert wire.ask("GET", path, Accept=accept, If_None_Match='"OTHER"')[0] == 200
    groups = wire.json("GET", "/apis", Accept=DISCOVERY)["items"]
    assert all(set(g["metadata"]) == {"name"} for g in groups)
    address = wire.json("GET", "/openapi/v3")["paths"]["apis/apps/v1"]["serverRelativeURL"]
    status, headers, body = wire.ask("GET", address)
    assert status == 200 and "immutable" in headers["Cache-Control"] and "/apis/apps/v1/deployments" in body.decode()
    assert headers["ETag"].strip('"') == address.rpartition("hash=")[2]
    assert wire.ask("GET", address, If_None_Match=headers["ETag"])[0] == 304


def test_large_answers_are_compressed(wire, maps):
    wire.json("POST", maps, settings("large", blob="x" * 200_000), expect=201)
    for path in (maps, f"{maps}/large", "/openapi/v2"):
        plain_headers, plain = wire.ask("GET", path, Accept_Encoding="identity")[1:]
        headers, packed = wire.ask("GET", path, Accept_Encoding="gzip")[1:]
        assert headers["Content-Encoding"] == "gzip" and "Content-Encoding" not in plain_headers, path
        assert len(packed) < len(plain) / 2 and gzip.decompress(packed) == plain
    assert "Content-Encoding" not in wire.ask("GET", f"{maps}/kube-root-ca.crt", Accept_Encoding="gzip")[1]


# MARK: history


@pytest.fixture(scope="module")
def forgetful():
    """A server that remembers what was for two seconds, with its cluster."""
    c = Cluster("forgetful", extra=["--hollow-nodes", "1", "--history-age", "2s"])
    try:
        c.up()
        yield Wire(c), c
    finally:
        c.close()


def test_what_is_compacted_is_gone(forgetful):
    (wire, cluster), maps = forgetful, "/api/v1/namespaces/default/configmaps"
    for name in ("a", "b", "c", "d"):
        wire.json("POST", maps, settings(name), expect=201)
    page = wire.json("GET", f"{maps}?limit=2")
    token, revision = page["metadata"]["continue"], page["metadata"]["resourceVersion"]
    wire.json("DELETE", f"{maps}/c")
    wire.json("POST", maps, settings("e"), expect=201)

    def exact():
        wire.json("PUT", f"{maps}/d", settings("d", round=uuid.uuid4().hex))
        status, _, text = wire.ask("GET", f"{maps}?resourceVersion={revision}&resourceVersionMatch=Exact")
        return status == 410 and json.loads(text)

    gone = eventually(exact, 60, 0.2, "the revision to be compacted")
    assert (gone["message"], gone["reason"]) == ("The resourceVersion for the provided list is too old.", "Expired")
    # Not the cache's affair: it has the newest state only.
    assert len(wire.json("GET", f"{maps}?resourceVersion={revision}&resourceVersionMatch=NotOlderThan")["items"]) == 5

    expired = wire.json("GET", f"{maps}?limit=2&continue={token}", expect=410)
    assert expired["reason"] == "Expired" and expired["message"].startswith("The provided continue parameter is too old")
    rest = wire.json("GET", f"{maps}?limit=2&continue={expired['metadata']['continue']}")
    # Inconsistent, as its words say: what was deleted since is missing, what is new is there.
    names = [i["metadata"]["name"] for i in rest["items"]]
    rest = wire.json("GET", f"{maps}?continue={rest['metadata']['continue']}")
    names += [i["metadata"]["name"] for i in rest["items"]]
    assert names == ["d", "e", "kube-root-ca.crt"] and int(rest["metadata"]["resourceVersion"]) > int(revision)

    # What the cache still knows is told, whatever the store has forgotten.
    events = wire.ask("GET", f"{maps}?watch=1&resourceVersion={revision}&timeoutSeconds=1")[2].splitlines()
    first = [(e["type"], e["object"]["metadata"]["name"]) for e in map(json.loads, events[:2])]
    assert first == [("DELETED", "c"), ("ADDED", "e")]

    # A server that has just started knows no more than the store.
    cluster.kill9()
    cluster.up()
    status, _, text = wire.ask("GET", f"{maps}?watch=1&resourceVersion={revision}&timeoutSeconds=5")
    assert status == 200
    event = json.loads(text)
    assert event["type"] == "ERROR" and (event["object"]["code"], event["object"]["reason"]) == (410, "Expired")
    assert re.fullmatch(rf"too old resource version: {revision} \(\d+\)", event["object"]["message"])
