import Testing
import TidyRules

@Suite struct LayerTableTests {
    private let table = LayerTable(
        manifest: """
                layer("Ground", ["CThing"]),
                layer("Middle", ["Ground"] + more),
                layer("Top", ["Middle"]),
            """
    )

    @Test func `rows are read in order with what they name`() {
        #expect(table.order == ["Ground", "Middle", "Top"])
        #expect(table.allowed["Middle"] == ["Ground"])
        #expect(table.issues().isEmpty)
    }

    @Test func `a row may stand on several lines`() {
        let table = LayerTable(manifest: "layer(\"A\", []),\n    layer(\n        \"B\",\n        [\"A\"],\n    ),\n")
        #expect(table.order == ["A", "B"])
        #expect(table.allowed["B"]?.contains("A") == true)
    }

    @Test func `an import of a layer that the row does not name is refused`() {
        #expect(table.issues(inFile: "Top.swift", of: "Top", text: "import Middle\n") == [])
        #expect(table.issues(inFile: "Top.swift", of: "Top", text: "import Ground\n").count == 1)
        #expect(table.issues(inFile: "G.swift", of: "Ground", text: "@testable import struct Top.Thing\n").count == 1)
    }

    @Test func `a row that points downwards is refused`() {
        let broken = LayerTable(manifest: "layer(\"A\", [\"B\"]),\nlayer(\"B\", []),")
        #expect(broken.issues() == ["Package.swift: A depends on B, which does not stand above it"])
    }
}

@Suite struct HouseRulesTests {
    @Test(arguments: [
        "let x = try! f()", "let y = z as! Int", "fatalError(\"no\")", "import Foundation", "Task { await f() }",
    ])
    func `what has no place in the product is found`(line: String) {
        #expect(HouseRules().issues(inSource: "a.swift", text: line + "\n").count == 1)
    }

    @Test(arguments: [
        "// try! in a comment", "let text = \"// not a comment\"", "import FoundationEssentials",
        "// unstructured: lives as long as the server\nTask { await f() }", "final class MyTask {",
    ])
    func `what may stand is left alone`(text: String) {
        #expect(HouseRules().issues(inSource: "a.swift", text: text + "\n") == [])
    }

    @Test func `a file over the limit is refused`() {
        var rules = HouseRules()
        rules.sourceLines = 2
        #expect(rules.issues(inSource: "a.swift", text: "1\n2\n3\n") == ["a.swift: 3 lines, the limit is 2"])
    }
}
