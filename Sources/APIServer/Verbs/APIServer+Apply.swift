import APIModel
import HTTPTransport
import Schema
import Units
import Values

extension APIServer {
    /// What is wrong with a patch is said of an object that exists, unless the patch may create it: upstream looks for it first.
    func existingFirst<Made: Sendable>(
        _ view: ResourceView,
        _ context: RequestContext,
        _ make: () throws(APIError) -> Made
    ) async throws(APIError) -> Made {
        do throws(APIError) {
            return try make()
        } catch {
            let info = context.info
            let creates = info.subresource.isEmpty && ObjectPatch.isApply(context.request)
            if error.code != 415, !creates { _ = try await view.engine.existing(namespace: Self.namespace(view, info), name: info.name) }
            throw error
        }
    }

    /// A change that applies the configuration in the body. `shownAs` is the version that conflicts name for all owners, where it is
    /// not theirs: a scale's.
    func applied(
        _ view: ResourceView,
        _ context: RequestContext,
        _ patch: ObjectPatch,
        shownAs version: String? = nil
    ) throws(APIError) -> ObjectChange {
        let query = context.request.query
        let manager = ManagedFields.Manager(
            name: try FieldTracking.manager(context.request),
            operation: "Apply",
            apiVersion: view.gvk.apiVersion,
            subresource: context.info.subresource
        )
        var application = FieldTracking.Application(
            configuration: patch.content,
            manager: manager,
            isForced: RequestInfo.flag(query.first("force")),
            write: ownedWrite(view, subresource: context.info.subresource, now: context.now)
        )
        application.conflictVersion = version
        let decoding = ObjectDecoding(view, keepsNulls: true)
        let warnings = context.warnings
        var change = ObjectChange { [application] old throws(APIError) in
            var application = application
            try Self.check(&application.configuration, patch, view, context)
            var object = try FieldTracking.apply(application, to: old)
            let records = object.value(at: FieldTracking.path)
            try decoding.decode(&object, .ignore, warnings)
            if let records { object.set(records, at: FieldTracking.path) }
            return object
        }
        change.retriesConflicts = !patch.namesVersion
        change.isApply = true
        change.awaited = application.write.awaited
        change.creates = context.info.subresource.isEmpty
        return change
    }

    /// What the records of ownership need to know about a write through a view.
    func ownedWrite(_ view: ResourceView, subresource: String, now: Timestamp) -> OwnedWrite {
        .of(view, in: resources, subresource: subresource, now: now)
    }

    private static func check(
        _ configuration: inout JSONValue,
        _ patch: ObjectPatch,
        _ view: ResourceView,
        _ context: RequestContext
    ) throws(APIError) {
        if case .null = configuration { throw .badRequest("invalid object type: /, Kind=") }
        guard configuration.object != nil else {
            throw .badRequest(
                "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal \(configuration.typeName) "
                    + "into Go value of type map[string]interface {}"
            )
        }
        // Anything else but a list is a mistake of its type, found below.
        if configuration.value(at: FieldTracking.path)?.array != nil { throw .badRequest("metadata.managedFields must be nil") }
        let apiVersion = configuration["apiVersion"]?.string ?? ""
        let kind = configuration["kind"]?.string ?? ""
        let given = GroupVersion(apiVersion: apiVersion)
        let gvk = view.gvk
        guard apiVersion == gvk.apiVersion, kind == gvk.kind else {
            let shown = given.map { "\($0.group)/\($0.version), Kind=\(kind)" } ?? "\(apiVersion), Kind=\(kind)"
            throw .badRequest("invalid object type: \(shown)")
        }
        let name = configuration.value(at: ["metadata", "name"])?.string ?? ""
        guard name.isEmpty || name == context.info.name else {
            throw .badRequest("the name of the object (\(name)) does not match the name on the URL (\(context.info.name))")
        }
        // A name of another type is a mistake of its type, found below.
        let own = configuration.value(at: ["metadata", "name"]) ?? .null
        if own.isNull || own.string != nil {
            configuration.set(.string(context.info.name), at: ["metadata", "name"])
        }
        if let problem = AppliedCheck.problem(in: configuration, view.version.schema) {
            let place = "\(configuration.value(at: ["metadata", "namespace"])?.string ?? "")/\(context.info.name)"
            let type = "\(gvk.group)/\(gvk.version), Kind=\(gvk.kind)"
            throw APIError(code: 500, reason: "", message: "failed to create typed patch object (\(place); \(type)): \(problem)")
        }
        guard !patch.problems.isEmpty else { return }
        switch try context.fieldValidation() {
        case .ignore: return
        case .warn: patch.problems.forEach(context.warnings.add)
        case .strict:
            let lines = patch.problems.map { "\n  \($0)" }.joined()
            throw .badRequest("error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\(lines)")
        }
    }
}

/// What verbs reset whatever a client sends, as upstream's strategies list it: nobody comes to own it by them.
enum ResetFields {
    private static let status = FieldSet(fields: [["status"]])
    private static let spec = FieldSet(fields: [["spec"]])
    private static let specAndMetadata = FieldSet(fields: [["spec"], ["metadata"]])
    private static let none = FieldSet()
    private static let resettingMetadata: Set<String> = [
        "servicecidrs.networking.k8s.io", "storageversionmigrations.storagemigration.k8s.io", "resourceclaims.resource.k8s.io",
        "devicetaintrules.resource.k8s.io", "resourcepoolstatusrequests.resource.k8s.io", "volumeattachments.storage.k8s.io",
        "flowschemas.flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io",
        "storageversions.internal.apiserver.k8s.io", "validatingadmissionpolicies.admissionregistration.k8s.io",
        "apiservices.apiregistration.k8s.io", "podgroups.scheduling.k8s.io",
    ]
    private static let signing = FieldSet(fields: [["spec"], ["status"]])
    private static let signingStatus = FieldSet(fields: [["spec"], ["status", "conditions"]])
    private static let signingApproval = FieldSet(fields: [["spec"], ["status", "certificate"]])
    private static let deploymentStatus = FieldSet(fields: [["spec"], ["metadata", "labels"]])
    private static let podStatus = FieldSet(fields: [
        ["spec"], ["metadata", "deletionTimestamp"], ["metadata", "ownerReferences"],
    ])

    static func fields(_ view: ResourceView, subresource: String) -> FieldSet {
        let descriptor = view.descriptor
        let resource = descriptor.groupResource.description
        switch (resource, subresource) {
        case ("certificatesigningrequests.certificates.k8s.io", ""): return signing
        case ("certificatesigningrequests.certificates.k8s.io", "status"): return signingStatus
        case ("certificatesigningrequests.certificates.k8s.io", "approval"): return signingApproval
        case ("deployments.apps", "status"): return deploymentStatus
        case ("pods", "status"): return podStatus
        case ("namespaces", "finalize"): return status
        // One version of a definition may have a status of its own, and another none.
        case (_, "") where descriptor.isCustom: return view.subresource("status") == nil ? none : status
        case (_, ""): return descriptor.subresource("status") == nil ? none : status
        case (_, "status") where descriptor.isCustom: return specAndMetadata
        case (_, "status"): return resettingMetadata.contains(resource) ? specAndMetadata : spec
        default: return none
        }
    }
}
