import Testing
import Values

@testable import BuiltinKinds

/// What was stored before a rule was made stays writable as long as it is not changed; new objects are held to the rule.
@Suite struct RatchetTests {
    @Test func `a claim whose source has a malformed group`() throws {
        let subject = try Subject("persistentvolumeclaims")
        let old = try yaml(
            """
            {metadata: {name: c}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}},
            dataSourceRef: {apiGroup: Bad_Group, kind: K, name: source}, dataSource: {apiGroup: Bad_Group, kind: K, name: source}}}
            """
        )
        #expect(subject.problems(old).contains { $0.hasPrefix("spec.dataSourceRef.apiGroup: Invalid value: \"Bad_Group\"") })
        #expect(subject.problems(old, from: old) == [])
    }

    @Test func `a pod with a policy of SELinux labels`() throws {
        let subject = try Subject("pods")
        let text = """
            {metadata: {name: p}, spec: {restartPolicy: Always, dnsPolicy: ClusterFirst, terminationGracePeriodSeconds: 30,
            schedulerName: s, serviceAccountName: default, securityContext: {seLinuxChangePolicy: MountOption}, containers: [{name: c, image: i,
            terminationMessagePolicy: File, imagePullPolicy: Always}]}}
            """
        let old = try yaml(text)
        let words = "spec.securityContext.seLinuxChangePolicy: Unsupported value: \"MountOption\": supported values: \"Recursive\""
        #expect(subject.problems(old).contains(words))
        var labelled = old
        labelled.set("true", at: ["metadata", "annotations", "a"])
        #expect(!subject.problems(labelled, from: old).contains { $0.contains("seLinuxChangePolicy") })
    }

    @Test func `a cron job with a zone that is not known any more`() throws {
        let subject = try Subject("cronjobs.batch")
        let old = try yaml(
            """
            {metadata: {name: c}, spec: {schedule: '* * * * *', timeZone: Europe/Atlantis, concurrencyPolicy: Allow, jobTemplate: {spec: {
            template: {spec: {restartPolicy: Never, terminationGracePeriodSeconds: 30, dnsPolicy: ClusterFirst,
            containers: [{name: c, image: i, terminationMessagePolicy: File, imagePullPolicy: Always}]}}}}}}
            """
        )
        var later = old
        later.set("1 * * * *", at: ["spec", "schedule"])
        #expect(subject.problems(later).contains { $0.contains("unknown time zone") })
        #expect(!subject.problems(later, from: old).contains { $0.contains("unknown time zone") })
    }
}
