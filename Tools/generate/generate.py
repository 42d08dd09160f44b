#!/usr/bin/env python3
"""Generates the typed lenses and the embedded schema from the API fact tables.

Usage: Tools/generate/generate.py DIRECTORY-WITH-THE-JSON-TABLES [ROOT-OF-THE-REPOSITORY]

The result is committed; building Apus needs neither this tool nor the tables.
"""
import json
import pathlib
import sys

import blob
import defaults
import descriptions
import lenses


def main():
    tables = pathlib.Path(sys.argv[1])
    here = pathlib.Path(__file__).resolve().parents[2]
    root = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else here

    def load(name):
        return json.loads((tables / name).read_text())

    types = load("types.json")["types"]
    descriptions.add(types)
    facts = load("defaults-errors.json")
    resources = load("resources.json")
    columns = load("columns.json")
    selectors = load("field-selectors.json")
    rules = defaults.Rules(types, facts["objectDefaults"])
    data = blob.write(types, rules, resources, columns, selectors)
    (root / "Sources/CSchemaData/schema.bin").write_bytes(data)
    print(f"schema.bin: {len(data)} bytes, {len(types)} types, {len(rules.pool)} default rule sets")
    (root / "Tests/APITypesTests/ObjectDefaultsData.swift").write_text(defaults.test_data(rules))
    for path, text in lenses.write(types, resources):
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        print(f"{path}: {text.count(chr(10))} lines")


main()
