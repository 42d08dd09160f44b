import APIModel
import HTTPTransport

/// Whether the shape that a client asks for can be made of what it is answered; upstream looks when it has the answer.
enum ShapeCheck {
    /// An answer about one object; `goType` is the type that upstream names.
    static func one(_ goType: String, _ context: RequestContext) throws(APIError) {
        switch context.form.shape {
        case .object: return
        case .table: _ = try TableForm.IncludeObject(context)
        case .partial:
            guard context.form.namesList else { return }
            throw refused("you requested PartialObjectMetadataList, but the requested object is not a list (\(goType))")
        }
    }

    /// An answer about one object of a kind.
    static func one(_ view: ResourceView, _ context: RequestContext) throws(APIError) {
        // Objects without a Go type fail a step earlier.
        if view.descriptor.isCustom, context.form.namesList {
            throw APIError(code: 500, reason: "", message: "content is not a list")
        }
        try one(goType(view.descriptor, view.descriptor.kind), context)
    }

    /// A list of objects of a kind.
    static func list(_ view: ResourceView, _ context: RequestContext) throws(APIError) {
        switch context.form.shape {
        case .object: return
        case .table: _ = try TableForm.IncludeObject(context)
        case .partial:
            guard !context.form.namesList else { return }
            let type = goType(view.descriptor, view.descriptor.listKind)
            throw refused("you requested PartialObjectMetadata, but the requested object is a list (\(type))")
        }
    }

    private static func refused(_ message: String) -> APIError {
        APIError(code: 406, reason: APIReason.notAcceptable, message: message)
    }

    /// What upstream's code calls the type: the package of its internal version, and its name.
    private static func goType(_ descriptor: KindDescriptor, _ kind: String) -> String {
        if descriptor.isCustom { return "*unstructured.UnstructuredList" }
        switch descriptor.group {
        case "", "events.k8s.io": return "*core.\(kind)"
        case "internal.apiserver.k8s.io": return "*apiserverinternal.\(kind)"
        default: return "*\(descriptor.group.prefix { $0 != "." }).\(kind)"
        }
    }
}
