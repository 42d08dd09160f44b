import APIModel
import HTTPTransport
import Negotiation
import Schema

extension APIServer {
    /// The form of the answer to a request for a resource.
    func form(_ request: HTTPRequest, _ info: RequestInfo) throws(APIError) -> ResponseForm {
        let view = resources.view(group: info.group, version: info.version, resource: info.resource)
        // Custom resources have no routes of their own upstream.
        if view?.descriptor.isCustom != true {
            try ResponseForm.checkRoute(request, isStreamed: info.verb == "list" || info.verb == "watch")
        }
        let form = try ResponseForm.negotiate(request, hasTable: { hasTable(info, isKind: view != nil) }) {
            // Subresources of custom resources with kinds of their own are built-in types.
            guard info.subresource.isEmpty || info.subresource == "status" else { return false }
            guard let view else { return false }
            return !ProtobufObject.has(view.version.schema)
        }
        if info.verb == "watch", form.syntax.streamType == nil { throw .notAcceptable(accepted: ResponseForm.streamTypes) }
        return form
    }

    /// Whether upstream's code for a resource can make tables: that of most subresources and of reviews cannot.
    private func hasTable(_ info: RequestInfo, isKind: Bool) -> Bool {
        if isKind { return ["", "status", "scale"].contains(info.subresource) }
        guard info.resource != "componentstatuses" else { return true }
        return resources.virtualKind(group: info.group, version: info.version, resource: info.resource) == nil
    }
}
