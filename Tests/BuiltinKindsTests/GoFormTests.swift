import PodKinds
import Schema
import Testing
import Units
import Values

/// The forms in which upstream's messages show values: those of its types of no version.
@Suite struct GoFormTests {
    @Test(
        arguments: [
            ("core.PodResourceClaim", ["name": "x"], #"{"Name":"x","ResourceClaimName":null,"ResourceClaimTemplateName":null}"#),
            ("core.SeccompProfile", ["type": "Localhost"], #"{"Type":"Localhost","LocalhostProfile":null}"#),
            ("metav1.LabelSelector", ["matchLabels": ["a": "<b>"]], #"{"matchLabels":{"a":"\u003cb\u003e"}}"#),
            ("apps.RollingUpdateDeployment", [:], #"{"MaxUnavailable":0,"MaxSurge":0}"#),
            ("core.EmptyDirVolumeSource", ["medium": "Memory", "sizeLimit": "1Gi"], #"{"Medium":"Memory","SizeLimit":"1Gi"}"#),
            ("{q", ["cpu": "100m"], #"{"cpu":"100m"}"#), ("[core.PodIP", [["ip": "10.0.0.1"]], #"[{"IP":"10.0.0.1"}]"#),
            (
                "core.PersistentVolumeClaimTemplate", ["metadata": ["labels": ["a": "b"]], "spec": ["accessModes": ["ReadWriteOnce"]]],
                #"{"labels":{"a":"b"},"Spec":{"AccessModes":["ReadWriteOnce"],"Selector":null,"Resources":{"Limits":null,"Requests":null},"#
                    + #""VolumeName":"","StorageClassName":null,"VolumeMode":null,"DataSource":null,"DataSourceRef":null,"#
                    + #""VolumeAttributesClassName":null}}"#
            ),
        ] as [(String, JSONValue, String)]
    )
    func `a value in the form of a type`(_ type: String, _ json: JSONValue, _ text: String) {
        #expect(InternalForm.text(json, as: type) == text)
    }

    @Test func `what a pod spec holds itself stands in its security context`() {
        let text = InternalForm.text(["hostNetwork": true, "hostUsers": false, "securityContext": ["runAsUser": 5]], as: "core.PodSpec")
        #expect(
            text.contains(
                #""SecurityContext":{"HostNetwork":true,"HostPID":false,"HostIPC":false,"ShareProcessNamespace":null,"HostUsers":false,"#
            )
        )
        #expect(text.contains(#""RunAsUser":5"#))
    }

    @Test func `the type is found by the path`() {
        let path = FieldPath("spec").child("containers").index(0).child("ports").index(1)
        let issue = FieldIssue.duplicate(path, ["containerPort": 80])
        let words = #"Duplicate value: {"Name":"","HostPort":0,"ContainerPort":80,"Protocol":"","HostIP":""}"#
        #expect(InternalForm.worded(issue, root: "core.Pod").body == words)
        let unknown = FieldIssue.invalid(FieldPath("spec").child("nothing"), ["a": 1], "no")
        #expect(InternalForm.worded(unknown, root: "core.Pod") == unknown)
        let text = FieldIssue.invalid(FieldPath("spec").child("hostname"), "x", "no")
        #expect(InternalForm.worded(text, root: "core.Pod") == text)
    }

    @Test func `lines are indented by one`() {
        let value = GoValue.members([
            .init(name: "A", value: .list([.literal("1"), .literal("2")])), .init(name: "B", value: .members([])),
        ])
        #expect(value.lines == ["{", " \"A\": [", "  1,", "  2", " ],", " \"B\": {}", "}"])
        #expect(value.compact == #"{"A":[1,2],"B":{}}"#)
    }

    @Test func `changed lines and three around them`() {
        let old = (1...20).map { "line \($0)" }
        var new = old
        new[4] = "changed"
        new.remove(at: 12)
        new.insert("new", at: 17)
        let text = """
            @@ -2,7 +2,7 @@
             line 2
             line 3
             line 4
            -line 5
            +changed
             line 6
             line 7
             line 8
            @@ -10,11 +10,11 @@
             line 10
             line 11
             line 12
            -line 13
             line 14
             line 15
             line 16
             line 17
             line 18
            +new
             line 19
             line 20

            """
        #expect(LineDifference.unified(old, new) == text)
        #expect(LineDifference.unified(old, old).isEmpty)
        #expect(LineDifference.unified([], ["a"]) == "@@ -0,0 +1 @@\n+a\n")
    }

    @Test func `lines that are everywhere join nothing`() {
        // Beyond two hundred lines, those in more than a hundredth of them are no anchors: the block around is found alone.
        let old = ["{"] + (0..<80).flatMap { _ in ["x", "same", "y"] } + ["}"]
        var new = old
        new[100] = "other"
        new.insert("more", at: 3)
        let text = LineDifference.unified(old, new)
        #expect(text.hasPrefix("@@ -1,104 +1,105 @@\n {\n x\n same\n-y\n"))
    }

    @Test func `texts beyond the bound are not compared`() {
        let many = (0..<20_001).map(String.init)
        #expect(LineDifference.unified(many, many + ["x"]).isEmpty)
    }

    @Test func `a refused update of a pod shows its changed lines`() throws {
        let pods = try Subject("pods")
        let old = try pods.completed(yaml("{metadata: {name: p}, spec: {containers: [{name: c, image: i}], hostname: a}}"))
        let found = pods.problems(with(old, "spec.hostname", "b"), from: old)
        #expect(found.count == 1)
        let lines = [
            "@@ -75,7 +75,7 @@", "   \"SELinuxChangePolicy\": null", "  },", "  \"ImagePullSecrets\": null,", "- \"Hostname\": \"a\",",
            "+ \"Hostname\": \"b\",", "  \"Subdomain\": \"\",", "  \"SetHostnameAsFQDN\": null,", "  \"Affinity\": null,", "",
        ]
        let shown = found.first?.split(separator: "\n", omittingEmptySubsequences: false).dropFirst().map(String.init) ?? []
        #expect(shown.dropFirst() == lines.dropFirst())
    }
}
