import Testing
import Units

@Suite struct NamesTests {
    @Test(arguments: ["a", "a-b", "0", "a1", String(repeating: "a", count: 63)])
    func `accepts labels`(name: String) { #expect(Names.dns1123LabelIssues(name).isEmpty) }

    @Test(arguments: [
        ("a", true), ("A.b_c-9", true), ("a.b/c", true), ("a-b.c/D", true), ("", false), ("/a", false), ("a/", false), ("a/b/c", false),
        ("-a/b", false), ("a-/b", false), ("a..b/c", false), (".a/b", false), ("a./b", false), ("A/b", false), ("a/-b", false),
        ("a/b-", false), ("a/b c", false), ("é/b", false), ("a/é", false), ("a.-b/c", false), (String(repeating: "a", count: 63), true),
        (String(repeating: "a", count: 64), false), (String(repeating: "a", count: 253) + "/b", true),
        (String(repeating: "a", count: 254) + "/b", false),
    ])
    func `a key of a label is right or wrong`(key: String, isRight: Bool) {
        #expect(Names.qualifiedNameIssues(key).isEmpty == isRight)
    }

    @Test func `says what is wrong with a name`() {
        #expect(Names.dns1123LabelIssues("a.b") == ["must not contain dots"])
        #expect(
            Names.dns1123LabelIssues("A") == [
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
            ]
        )
        #expect(Names.dns1123LabelIssues(String(repeating: "a", count: 64)) == ["must be no more than 63 characters"])
        #expect(
            Names.dns1123SubdomainIssues("-a.b") == [
                "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
            ]
        )
        #expect(Names.dns1123SubdomainIssues("a..b").count == 1)
        #expect(Names.dns1123SubdomainIssues("").count == 1)
        #expect(Names.dns1035LabelIssues("1a").count == 1)
        #expect(Names.qualifiedNameIssues("example.com/MyName").isEmpty)
        #expect(Names.qualifiedNameIssues("/a") == ["prefix part must be non-empty"])
        #expect(Names.qualifiedNameIssues("a/b/c").first?.hasPrefix("a valid label key must consist of") == true)
        #expect(Names.labelValueIssues("").isEmpty)
        #expect(Names.portNameIssues("-a--b-").count == 2)
        #expect(Names.portNameIssues("12") == ["must contain at least one letter (a-z)"])
        #expect(Names.portNumberIssues(0) == ["must be between 1 and 65535, inclusive"])
        #expect(Names.envVarNameIssues("A B").isEmpty)
        #expect(
            Names.envVarNameIssues("A=B") == [
                "a valid environment variable name must consist only of printable ASCII characters other than '='"
            ]
        )
        #expect(Names.configMapKeyIssues("..") == ["must not be '..'"])
        #expect(Names.pathSegmentIssues("a/b%") == ["may not contain '/'", "may not contain '%'"])
        #expect(Names.percentIssues("25%").isEmpty && !Names.percentIssues("%").isEmpty)
    }
}

@Suite struct AddressTests {
    @Test(arguments: [
        ("1.2.3.4", "1.2.3.4"), ("::", "::"), ("::1", "::1"), ("2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("fe80::", "fe80::"),
        ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"), ("2001:db8::192.0.2.1", "2001:db8::c000:201"), ("1:0:0:2::3", "1:0:0:2::3"),
    ])
    func `reads and prints addresses`(text: String, canonical: String) { #expect(IPAddress(text)?.description == canonical) }

    @Test(arguments: [
        "", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.-4", ":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "g::",
        "12345::", "1.2.3.4::", "fe80::1%eth0", "+1::", "1:",
    ])
    func `refuses malformed addresses`(text: String) { #expect(IPAddress(text) == nil) }

    @Test func `does the arithmetic of ranges`() throws {
        let range = try #require(CIDR("10.244.3.7/22"))
        #expect(range.description == "10.244.0.0/22")
        #expect(range.hostCount == 1024)
        #expect(range.contains(IPAddress(10, 244, 3, 255)))
        #expect(!range.contains(IPAddress(10, 244, 4, 0)))
        #expect(range.address(at: 257)?.description == "10.244.1.1")
        #expect(range.address(at: 1024) == nil)
        #expect(range.position(of: IPAddress(10, 244, 1, 1)) == 257)
        #expect(range.position(of: IPAddress(10, 245, 1, 1)) == nil)
        #expect(range.overlaps(try #require(CIDR("10.0.0.0/8"))))
        #expect(range.mask?.description == "255.255.252.0")
        #expect(try #require(CIDR("10.0.0.0/8")).contains(range))
        #expect(CIDR("10.0.0.0/33") == nil && CIDR("10.0.0.0") == nil && CIDR("10.0.0.0/08") == nil && CIDR("10.0.0.0/-1") == nil)
        #expect(CIDR("::/0")?.contains(IPAddress(1, 1, 1, 1)) == false)
        #expect(CIDR("fd00::/64")?.address(at: 65_536)?.description == "fd00::1:0")
        #expect(IPAddress(255, 255, 255, 255).advanced(by: 1) == nil)
    }
}

@Suite struct TimeTests {
    @Test(arguments: [
        ("1h2m3s", "1h2m3s"), ("90s", "1m30s"), ("1.5s", "1.5s"), ("250ms", "250ms"), ("0", "0s"), ("-1m", "-1m0s"), ("1us", "1µs"),
        ("1.5h", "1h30m0s"), ("100ns", "100ns"), (".5s", "500ms"),
    ])
    func `reads and prints durations`(text: String, canonical: String) {
        #expect(DurationText.parse(text).map(DurationText.format) == canonical)
    }

    @Test(arguments: ["", "1", "s", "1x", "1h2", "--1s", "1..s", "9999999999h"])
    func `refuses malformed durations`(text: String) { #expect(DurationText.parse(text) == nil) }

    @Test(arguments: [
        (0, "0s"), (119, "119s"), (120, "2m"), (121, "2m1s"), (600, "10m"), (10_800, "3h"), (11_000, "3h3m"), (90_000, "25h"),
        (200_000, "2d7h"), (700_000, "8d"), (70_000_000, "2y80d"), (400_000_000, "12y"), (-5, "<invalid>"),
    ])
    func `prints ages as kubectl does`(seconds: Int, text: String) { #expect(humanDuration(.seconds(seconds)) == text) }

    @Test func `reads and prints times`() throws {
        let time = try #require(Timestamp("2026-01-02T03:04:05Z"))
        #expect(time.rfc3339 == "2026-01-02T03:04:05Z")
        #expect(Timestamp("2026-01-02T04:04:05+01:00") == time)
        #expect(Timestamp("2026-01-02T03:04:05.123456789Z")?.rfc3339Micro == "2026-01-02T03:04:05.123456Z")
        #expect(try #require(Timestamp("2024-02-29T00:00:00Z")) - #require(Timestamp("2024-02-28T00:00:00Z")) == .seconds(86_400))
        #expect((time + .milliseconds(1500)).rfc3339 == "2026-01-02T03:04:06Z")
        for bad in ["", "2026-01-02", "2026-13-02T03:04:05Z", "2026-02-30T00:00:00Z", "2026-01-02T03:04:05", "2026-01-02T24:04:05Z", "x"] {
            #expect(Timestamp(bad) == nil, "\(bad)")
        }
        #expect(Timestamp(unixSeconds: -1).rfc3339 == "1969-12-31T23:59:59Z")
    }

    @Test func `scales percentages`() {
        #expect(IntOrString.string("25%").scaledValue(total: 10, roundUp: true) == 3)
        #expect(IntOrString.string("25%").scaledValue(total: 10, roundUp: false) == 2)
        #expect(IntOrString.int(5).scaledValue(total: 10, roundUp: false) == 5)
        #expect(IntOrString.string("x").scaledValue(total: 10, roundUp: false) == nil)
    }

    @Test func `spells paths`() {
        #expect(FieldPath("spec").child("containers").index(0).child("image").description == "spec.containers[0].image")
        #expect(FieldPath.root.child("metadata", "labels").key("a/b").description == "metadata.labels[a/b]")
    }
}
