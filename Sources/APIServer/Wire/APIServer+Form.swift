import APIModel
import HTTPTransport
import Negotiation
import Schema

extension APIServer {
    /// The form of the answer to a request for a resource.
    func form(_ request: HTTPRequest, _ info: RequestInfo) throws(APIError) -> ResponseForm {
        let form = try ResponseForm.negotiate(request) {
            // Subresources of custom resources with kinds of their own are built-in types.
            guard info.subresource.isEmpty || info.subresource == "status" else { return false }
            guard let view = resources.view(group: info.group, version: info.version, resource: info.resource) else { return false }
            return !ProtobufObject.has(view.version.schema)
        }
        if info.verb == "watch", form.syntax.streamType == nil { throw .notAcceptable(accepted: ResponseForm.streamTypes) }
        return form
    }
}
