"""Many clients at once, each of whom must meet what it was answered a moment before."""

import concurrent.futures
import json
import uuid

import pytest

from cluster import eventually
from test_wire import Wire


@pytest.fixture(scope="module")
def server(hollow):
    return Wire(hollow)


def at_once(count, work):
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(work, range(count)))


def post(server, path, body):
    status, _, text = server.ask("POST", path, json.dumps(body), Content_Type="application/json")
    return status, json.loads(text)


def test_a_quota_is_never_exceeded(server):
    """On 2026-11-21 the controller, which had not heard of the newest objects, gave back what they had been charged for."""
    for _ in range(6):
        name = f"quota-{uuid.uuid4().hex[:8]}"
        place = f"/api/v1/namespaces/{name}"
        server.json("POST", "/api/v1/namespaces", {"metadata": {"name": name}}, expect=201)
        server.json("POST", f"{place}/resourcequotas", {"metadata": {"name": "q"}, "spec": {"hard": {"count/secrets": "10"}}}, expect=201)
        eventually(lambda: server.json("GET", f"{place}/resourcequotas/q")["status"].get("used"))

        def create(client):
            made = [post(server, f"{place}/secrets", {"metadata": {"name": f"s-{client}-{i}"}})[0] for i in range(3)]
            assert set(made) <= {201, 403}, made
            return made.count(201)
        assert sum(at_once(40, create)) == 10
        assert len(server.json("GET", f"{place}/secrets")["items"]) == 10
        server.json("DELETE", f"{place}/secrets")
        eventually(lambda: server.json("GET", f"{place}/resourcequotas/q")["status"]["used"]["count/secrets"] == "0")


def test_a_namespace_is_what_was_answered_last(server):
    def client(number):
        for i in range(6):
            name = f"again-{number}-{i}"
            place = f"/api/v1/namespaces/{name}"
            for _ in range(2):
                server.json("POST", "/api/v1/namespaces", {"metadata": {"name": name}}, expect=201)
                server.json("POST", f"{place}/configmaps", {"metadata": {"name": "early"}}, expect=201)
                server.json("DELETE", place)
                status, answer = post(server, f"{place}/configmaps", {"metadata": {"name": "late"}})
                assert status in (403, 404), answer
                eventually(lambda: server.ask("GET", place)[0] == 404)
    at_once(6, client)


def definition(group, field):
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": {field: {"type": "string"}}}}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": f"things.{group}"},
        "spec": {"group": group, "scope": "Namespaced", "names": {"plural": "things", "kind": "Thing"},
                 "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}]}}


def test_a_definition_is_what_was_answered_last(server):
    """Made, changed, deleted and made anew under the same name: its objects, its schema and its documents are its own."""
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"

    def client(number):
        group = f"races{number}.apus.test"
        things = f"/apis/{group}/v1/namespaces/default/things"
        thing = {"apiVersion": f"{group}/v1", "kind": "Thing", "spec": {"a": "1", "b": "2", "c": "3"}}
        for i in range(5):
            field = "ab"[i % 2]
            made = definition(group, field)
            server.json("POST", definitions, made, expect=201)
            assert server.json("GET", things)["items"] == []
            created = server.json("POST", things, {**thing, "metadata": {"name": "x"}}, expect=201)
            assert list(created["spec"]) == [field]
            address = server.json("GET", "/openapi/v3")["paths"][f"apis/{group}/v1"]["serverRelativeURL"]
            schema = server.json("GET", address)["components"]["schemas"][f"test.apus.races{number}.v1.Thing"]
            assert list(schema["properties"]["spec"]["properties"]) == [field]
            changed = {"spec": {"versions": definition(group, "c")["spec"]["versions"]}}
            status, _, text = server.ask("PATCH", f"{definitions}/things.{group}", json.dumps(changed),
                                         Content_Type="application/merge-patch+json")
            assert status == 200, text
            created = server.json("POST", things, {**thing, "metadata": {"name": "y"}}, expect=201)
            assert list(created["spec"]) == ["c"]
            server.json("DELETE", f"{definitions}/things.{group}")
            eventually(lambda: server.ask("GET", f"{definitions}/things.{group}")[0] == 404)
    at_once(4, client)
