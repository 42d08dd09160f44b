#!/usr/bin/env python3
"""Writes the first inputs of the fuzzer: small texts of each syntax. Usage: corpus.py DIRECTORY"""
import pathlib
import sys

POD = (
    b'{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","labels":{"x":"y"}},"spec":{"containers":[{"name":"c","image":"i",'
    b'"resources":{"limits":{"cpu":"500m"}},"livenessProbe":{"httpGet":{"port":"http"}}}],"tolerations":[{"operator":"Exists"}]}}'
)
CRD = (
    b'{"spec":{"group":"x","versions":[{"name":"v1","schema":{"openAPIV3Schema":{"type":"object","properties":{"a":{"items":'
    b'{"type":"string"},"additionalProperties":true,"default":{"x":[1]}}}}}}]}}'
)
YAML = [
    b"a: &a [1, yes, ~, 0x1F, 1_000, 1e3, .5]\nb: *a\nc:\n  <<: {k: v}\n  d: !!str 5\n", b"- a: |\n    text\n  b: >-\n    more\n",
    b"---\na: 1\n---\nb: 2\n...\n", b"? [a]\n: b\n", b"{a: 'x', \"b\": \"\\u00e9\\n\"}", b"a: !!binary AQID\n1: x\ntrue: y\n",
]
CBOR = [
    bytes.fromhex(h) for h in (
        "d9d9f7a24161014162820203", "bf61610161629f0203ffff", "c074323031332d30332d32315432303a30343a30305a", "c11a514b67b0",
        "d643010203", "fb3ff199999999999a", "f97bff", "5f41614162ff", "1b000000e8d4a51000", "3b7fffffffffffffff",
    )
]
PROTOBUF = [
    bytes.fromhex("6b3873000a090a0276311203506f6412140a050a0161120012003200420012070a001a032a00121a0022 00".replace(" ", "")),
    bytes.fromhex("0a120a0161120022002a0032003800420012034b6579"), bytes.fromhex("12080a016112030a0131"),
]
PATCHES = [
    b'[{"op":"add","path":"/a/-","value":1},{"op":"remove","path":"/b"},{"op":"move","from":"/a","path":"/c"},'
    b'{"op":"test","path":"/x","value":null},{"op":"copy","from":"/a","path":"/d"},{"op":"replace","path":"/m~1n","value":2}]'
    b'\0{"a":[1,2],"b":{"c":3},"m/n":1}',
    b'{"a":null,"b":{"c":[1]}}\0{"a":1,"b":{"d":2}}',
    b'{"spec":{"$setElementOrder/containers":[{"name":"c"}],"containers":[{"name":"c","$patch":"delete"},{"name":"d"}],'
    b'"$retainKeys":["containers"]},"metadata":{"$deleteFromPrimitiveList/finalizers":["f"]}}\0' + POD,
]
SELECTORS = [
    b"a=b,c!=d,e in (f,g),h notin (i),j,!k,l>1,m<2", b"metadata.name=x,spec.nodeName!=y\\,z",
    b'{"matchLabels":{"a":"b"},"matchExpressions":[{"key":"c","operator":"In","values":["d"]}]}',
]
UNITS = [
    b"1.5Gi", b"100m", b"1e3", b"-12E", b"0.000000001n", b"9223372036854775807Ei", b"2024-05-06T07:08:09.123456Z", b"1h2m3.5s",
    b"10.0.0.1", b"fe80::1:2", b"::ffff:1.2.3.4", b"10.0.0.0/8", b"25%", b"spec.containers[0].ports[name=x]", b"AQID", b"0aff",
]
NAMES = [b"example.com/a-b_c.d", b"*.example.com", b"Content-Type", b"A_B", b"100%"]

CEL = [b"\x01" + e for e in (
    b"object.spec.ports.all(p, p.port > 0) && words.exists(w, w.matches('^[a-z]+$'))", b"list.map(i, i * 2).filter(j, j > 2).sum() == x",
    b"'%s %d'.format([name, x]) + string(timestamp('2024-01-01T00:00:00Z').getHours('+01:00'))",
    b"object.?spec.?nope.optMap(v, v).orValue({'a': [1, 2u, 1.5, b'\\x00', null]})", b"cel.bind(a, 1 + 1, a * -10 % 3) in [1, 2]",
    b"quantity('1Gi').add(quantity('1Ki')).isGreaterThan(quantity('1')) ? cidr('10.0.0.0/8').containsIP('10.0.0.1') : true",
    b"self.ports.exists_one(p, p.number == 80) && self.labels.all(k, v, k != v) && has(self.wait)",
    b"self.when < timestamp('2030-01-01T00:00:00Z') + duration('1h')",
    b"sets.contains(self.set, ['a']) && type(self.either) == string && !self.?any.a.hasValue()",
    b"words.transformMap(i, w, i > 0, w.size())",
    b"lists.range(9).sortBy(i, -i).slice(1, 3).flatten() == [[1]].map(l, l[0])",
    b"semver('1.2.3').isLessThan(semver('2.0.0')) || ip.isCanonical('::1')",
    b"url('https://[::1]:80/a?b=c').getQuery()['b'][0].split(',').join('-').replace('a', 'b')",
)] + [bytes([2 * k]) + t for k in range(19) for t in (
    b"^[a-z]+(-[0-9]{1,3})*$\0web-1", b"%s %d %.3f %x %e %b\0y", b"2024-02-29T23:00:00.5Z\0+14:00", b"1h2m3.5s\0-1us",
    b"http://u@[::1]:9/a%2fb?c=d&c#e\0f", b"10.0.0.0/8\00010.0.0.1", b"1.5Gi\0-1m", b"1.2.3-rc.1+b\0" b"1.0.0",
)]

EACH = [
    [POD, CRD, b'{"a":[1,-2.5e10,true,null,"\\ud83d\\ude00\\n"],"a":{"b":[]}}'], YAML + [POD], CBOR,
    [bytes([k]) + p for k in range(7) for p in PROTOBUF], PATCHES, PATCHES, [bytes([k]) + p for k in (0, 2) for p in PATCHES],
    SELECTORS, UNITS, NAMES, [bytes([0]) + POD, bytes([5]) + CRD], CEL,
]

out = pathlib.Path(sys.argv[1])
for target, inputs in enumerate(EACH):
    for number, data in enumerate(inputs):
        (out / f"{target:02}-{number:03}").write_bytes(bytes([target]) + data)
