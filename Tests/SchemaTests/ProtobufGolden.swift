/// Objects and the bytes that `protoc --encode`, with upstream's message definitions, makes of them when every member that
/// upstream's generated code always writes is spelled out.
enum ProtobufGolden {
    struct Sample {
        let type: String
        let json: String
        let bytes: String
    }

    static let all: [Sample] = [
        configMap, secret, pod, service, deployment, node, lease, event, autoscaler, definition, review, status, deleteOptions,
        policy,
    ]

    private static let configMap = Sample(
        type: "io.k8s.api.core.v1.ConfigMap",
        json: #"""
            {"apiVersion":"v1","binaryData":{"raw":"AP8="},"data":{"empty":"","key":"value"},"immutable":true,"kind":"ConfigMap",
            "metadata":{"creationTimestamp":"2024-05-06T07:08:09Z","labels":{"a":"1","b":"2"},"name":"settings",
            "namespace":"default","uid":"0d9f"}}
            """#,
        bytes: """
            0a3b0a0873657474696e677312001a0764656661756c7422002a043064396632003800420808d983e2b10610005a060a01611201315a060a01621201
            3212090a05656d7074791200120c0a036b6579120576616c75651a090a03726177120200ff2001
            """
    )

    private static let secret = Sample(
        type: "io.k8s.api.core.v1.Secret",
        json: #"""
            {"apiVersion":"v1","data":{"none":"","password":"aHVudGVyMg=="},"kind":"Secret","metadata":{"creationTimestamp":null,
            "name":"s"},"type":"Opaque"}
            """#,
        bytes: """
            0a110a017312001a0022002a0032003800420012080a046e6f6e65120012130a0870617373776f7264120768756e746572321a064f7061717565
            """
    )

    private static let pod = Sample(
        type: "io.k8s.api.core.v1.Pod",
        json: #"""
            {"apiVersion":"v1","kind":"Pod","metadata":{"deletionGracePeriodSeconds":0,"managedFields":[{"apiVersion":"v1",
            "fieldsType":"FieldsV1","fieldsV1":{"f:spec":{"f:x":{}}},"manager":"me","operation":"Update",
            "time":"2024-05-06T07:08:09Z"}],"name":"web","ownerReferences":[{"apiVersion":"apps/v1","controller":true,
            "kind":"ReplicaSet","name":"rs","uid":"u"}]},"spec":{"containers":[{"env":[{"name":"E","valueFrom":{"secretKeyRef":{
            "key":"password","name":"s"}}}],"image":"nginx","livenessProbe":{"httpGet":{"path":"/","port":"http"},
            "periodSeconds":5},"name":"c","ports":[{"containerPort":80,"protocol":"TCP"}],"readinessProbe":{"tcpSocket":{
            "port":80}},"resources":{"limits":{"cpu":"500m","memory":"64Mi"}},"securityContext":{"privileged":false,
            "runAsUser":-1}}],"restartPolicy":"Always","terminationGracePeriodSeconds":0,"tolerations":[{"operator":"Exists",
            "tolerationSeconds":300}],"volumes":[{"emptyDir":{"sizeLimit":"1Gi"},"name":"tmp"},{"configMap":{"defaultMode":420,
            "name":"settings"},"name":"cfg"}]},"status":{"phase":"Running","startTime":"1969-12-31T23:59:59Z"}}
            """#,
        bytes: """
            0a770a0377656212001a0022002a0032003800420050006a1e0a0a5265706c6963615365741a0272732201752a07617070732f763130018a013f0a02
            6d6512065570646174651a027631220808d983e2b106100032084669656c647356313a170a157b22663a73706563223a7b22663a78223a7b7d7d7d42
            00129e020a120a03746d70120b12090a0012050a033147690a190a0363666712129a010f0a0a0a0873657474696e677318a40312b4010a016312056e
            67696e782a00320d0a001000185022035443502a003a180a014512001a11220f0a030a0173120870617373776f726442210a0d0a0363707512060a04
            3530306d0a100a066d656d6f727912060a0436344d6952210a1512130a012f120a080110001a04687474701a002200100018002005280030005a180a
            0c1a0a0a06080010501a001200100018002000280030006a0072007a0d100020ffffffffffffffffff01800100880100900100a201001a06416c7761
            79732000320042004a0052005800600068008201008a01009a0100b201110a0012064578697374731a00220028ac02c201001a290a0752756e6e696e
            671a0022002a0032003a0d08ffffffffffffffffff0110004a005a007200880100
            """
    )

    private static let service = Sample(
        type: "io.k8s.api.core.v1.Service",
        json: #"""
            {"apiVersion":"v1","kind":"Service","metadata":{"name":"web"},"spec":{"clusterIPs":["10.0.0.1"],"ports":[{
            "nodePort":30000,"port":80,"targetPort":"http"},{"port":443,"targetPort":8443}],"selector":{"app":"web"}},"status":{
            "loadBalancer":{}}}
            """#,
        bytes: """
            0a130a0377656212001a0022002a0032003800420012530a160a0012001850220a080110001a046874747028b0ea010a120a00120018bb0322070800
            10fb411a002800120a0a0361707012037765621a0022003a00420052005a006000680092010831302e302e302e311a020a00
            """
    )

    private static let deployment = Sample(
        type: "io.k8s.api.apps.v1.Deployment",
        json: #"""
            {"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"replicas":0,"selector":{
            "matchExpressions":[{"key":"a","operator":"In","values":["x","y"]}]},"strategy":{"rollingUpdate":{"maxSurge":1,
            "maxUnavailable":"25%"},"type":"RollingUpdate"},"template":{"metadata":{},"spec":{"containers":null}}},"status":{
            "replicas":3}}
            """#,
        bytes: """
            0a130a0377656212001a0022002a00320038004200126f0800120f120d0a01611202496e1a01781a01791a300a100a0012001a0022002a0032003800
            4200121c1a00320042004a0052005800600068008201008a01009a0100c2010022240a0d526f6c6c696e6755706461746512130a09080110001a0332
            35251206080010011a00280038001a0c080010031800200028003800
            """
    )

    private static let node = Sample(
        type: "io.k8s.api.core.v1.Node",
        json: #"""
            {"apiVersion":"v1","kind":"Node","metadata":{"name":"n1"},"spec":{"taints":[{"effect":"NoSchedule","key":"k",
            "timeAdded":"2024-05-06T07:08:09Z"}],"unschedulable":true},"status":{"capacity":{"cpu":"4","memory":"8Gi"},
            "daemonEndpoints":{"kubeletEndpoint":{"Port":10250}},"images":[{"names":["a","b"],"sizeBytes":4294967296}],"nodeInfo":{
            "architecture":"amd64","bootID":"","containerRuntimeVersion":"","kernelVersion":"6.1","kubeProxyVersion":"",
            "kubeletVersion":"v1.36.0","machineID":"","operatingSystem":"linux","osImage":"","systemUUID":""}}}
            """#,
        bytes: """
            0a120a026e3112001a0022002a0032003800420012250a0012001a0020012a1b0a016b12001a0a4e6f5363686564756c65220808d983e2b10610001a
            5e0a0a0a0363707512030a01340a0f0a066d656d6f727912050a033847691a0032050a03088a503a280a0012001a002203362e312a0032003a077631
            2e33362e3042004a056c696e75785205616d643634420c0a01610a0162108080808010
            """
    )

    private static let lease = Sample(
        type: "io.k8s.api.coordination.v1.Lease",
        json: #"""
            {"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"l"},"spec":{"holderIdentity":"me",
            "leaseDurationSeconds":15,"renewTime":"2024-05-06T07:08:09.123456Z"}}
            """#,
        bytes: """
            0a110a016c12001a0022002a0032003800420012130a026d65100f220b08d983e2b106108094ef3a
            """
    )

    private static let event = Sample(
        type: "io.k8s.api.events.v1.Event",
        json: #"""
            {"apiVersion":"events.k8s.io/v1","deprecatedLastTimestamp":null,"eventTime":null,"kind":"Event","metadata":{"name":"e"},
            "regarding":{"kind":"Pod","name":"web"},"series":{"count":2,"lastObservedTime":"2024-05-06T07:08:09.000001Z"}}
            """#,
        bytes: """
            0a110a016512001a0022002a0032003800420012001a0d0802120908d983e2b10610e80722002a0032003a0042140a03506f6412001a037765622200
            2a0032003a0052005a0062040a0012006a0072007800
            """
    )

    private static let autoscaler = Sample(
        type: "io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler",
        json: #"""
            {"apiVersion":"autoscaling/v2","kind":"HorizontalPodAutoscaler","metadata":{"name":"h"},"spec":{"maxReplicas":9,
            "metrics":[{"resource":{"name":"cpu","target":{"averageUtilization":80,"type":"Utilization"}},"type":"Resource"}],
            "scaleTargetRef":{"kind":"Deployment","name":"web"}},"status":{"currentMetrics":null,"desiredReplicas":0}}
            """#,
        bytes: """
            0a110a016812001a0022002a00320038004200123b0a130a0a4465706c6f796d656e7412037765621a00180922220a085265736f7572636522160a03
            637075120f0a0b5574696c697a6174696f6e20501a0418002000
            """
    )

    private static let definition = Sample(
        type: "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition",
        json: #"""
            {"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"foos.x"},"spec":{
            "group":"x","names":{"kind":"Foo","plural":"foos"},"scope":"Namespaced","versions":[{"name":"v1","schema":{
            "openAPIV3Schema":{"additionalProperties":false,"properties":{"a":{"default":{"x":[1]},"enum":["q",1],"minimum":0.5,
            "type":"number"},"b":{"items":{"type":"string"},"type":"array"}},"type":"object",
            "x-kubernetes-preserve-unknown-fields":true}},"served":true,"storage":true}]},"status":{"acceptedNames":{"kind":"",
            "plural":""},"conditions":null,"storedVersions":null}}
            """#,
        bytes: """
            0a160a06666f6f732e7812001a0022002a003200380042001285020a01781a0f0a04666f6f7312002203466f6f2a00220a4e616d657370616365643a
            e0010a0276311001180122d3010ad0010a00120022002a066f626a65637432003a00500060007a00900100ea014d0a016112480a00120022002a066e
            756d62657232003a00420b0a097b2278223a5b315d7d500059000000000000e03f60007a00900100a201050a03227122a201030a0131a80200b80200
            c00200ea01510a0162124c0a00120022002a05617272617932003a00500060007a00900100c201260a240a00120022002a06737472696e6732003a00
            500060007a00900100a80200b80200c00200a80200b80200c00200f201020800a80200b00201b80200c00200380050001a0c12080a00120022002a00
            2000
            """
    )

    private static let review = Sample(
        type: "io.k8s.api.authorization.v1.SubjectAccessReview",
        json: #"""
            {"apiVersion":"authorization.k8s.io/v1","kind":"SubjectAccessReview","metadata":{},"spec":{"extra":{"scopes":["a","b"]},
            "groups":["g"],"resourceAttributes":{"resource":"pods","verb":"get"},"user":"u"},"status":{"allowed":true}}
            """#,
        bytes: """
            0a100a0012001a0022002a0032003800420012310a150a0012036765741a0022002a04706f647332003a001a01752201672a100a0673636f70657312
            060a01610a016232001a08080112001a002000
            """
    )

    private static let status = Sample(
        type: "io.k8s.apimachinery.pkg.apis.meta.v1.Status",
        json: #"""
            {"apiVersion":"v1","code":404,"details":{"causes":[{"field":"f","message":"m","reason":"r"}],"name":"x",
            "retryAfterSeconds":3},"kind":"Status","message":"no","metadata":{"remainingItemCount":5},"reason":"NotFound",
            "status":"Failure"}
            """#,
        bytes: """
            0a080a0012001a00200512074661696c7572651a026e6f22084e6f74466f756e642a160a017812001a0022090a017212016d1a016628033200309403
            """
    )

    private static let deleteOptions = Sample(
        type: "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions",
        json: #"""
            {"apiVersion":"v1","dryRun":["All"],"gracePeriodSeconds":0,"kind":"DeleteOptions","preconditions":{"uid":"u"},
            "propagationPolicy":"Foreground"}
            """#,
        bytes: """
            080012030a0175220a466f726567726f756e642a03416c6c
            """
    )

    private static let policy = Sample(
        type: "io.k8s.api.policy.v1.PodDisruptionBudget",
        json: #"""
            {"apiVersion":"policy/v1","kind":"PodDisruptionBudget","metadata":{"name":"p"},"spec":{"minAvailable":"50%","selector":{
            }},"status":{"currentHealthy":0,"desiredHealthy":0,"disruptedPods":{"web":"2024-05-06T07:08:09Z"},
            "disruptionsAllowed":-1,"expectedPods":0}}
            """#,
        bytes: """
            0a110a017012001a0022002a00320038004200120d0a09080110001a0335302512001a240800120f0a03776562120808d983e2b106100018ffffffff
            ffffffffff01200028003000
            """
    )
}
