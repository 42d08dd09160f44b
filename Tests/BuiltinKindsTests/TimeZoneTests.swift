import Testing
import Values

@testable import BuiltinKinds

@Suite struct TimeZoneTests {
    private static func problems(_ zone: String) throws -> [String] {
        let subject = try Subject("cronjobs.batch")
        var job = try yaml(
            """
            {metadata: {name: c}, spec: {schedule: '* * * * *', jobTemplate: {spec: {template: {spec: {restartPolicy: Never,
            terminationGracePeriodSeconds: 30, dnsPolicy: ClusterFirst, containers: [{name: c, image: i,
            terminationMessagePolicy: File}]}}}}}}
            """
        )
        job.set(.string(zone), at: ["spec", "timeZone"])
        return subject.problems(job).filter { $0.contains("timeZone") }
    }

    @Test(arguments: ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT-14", "America/Port-au-Prince", "W-SU"])
    func `zones of the database are known`(zone: String) throws {
        #expect(try Self.problems(zone) == [])
    }

    @Test(arguments: ["Europe/Atlantis", "europe/berlin", "Berlin", "Europe", "../UTC", "UTC/", "-x"])
    func `others are not`(zone: String) throws {
        #expect(try Self.problems(zone) == ["spec.timeZone: Invalid value: \"\(zone)\": unknown time zone \(zone)"])
    }

    @Test func `the machine's own zone is none`() throws {
        let words = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
        #expect(try Self.problems("Local") == ["spec.timeZone: Invalid value: \"Local\": \(words)"])
        #expect(
            try Self.problems("local") == [
                "spec.timeZone: Invalid value: \"local\": \(words)",
                "spec.timeZone: Invalid value: \"local\": unknown time zone local",
            ]
        )
        #expect(try Self.problems("") == ["spec.timeZone: Invalid value: \"\": timeZone must be nil or non-empty string"])
    }
}
