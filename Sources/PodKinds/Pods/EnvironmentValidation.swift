import Schema
import Units
import Values

/// What is wrong with a container's environment.
package enum EnvironmentValidation {
    private static let sources = ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"]

    package static func check(_ container: JSONValue, at path: FieldPath, _ issues: inout [FieldIssue]) {
        for (index, variable) in container.list("env").enumerated() {
            let place = path.child("env").index(index)
            let name = variable.text("name")
            if name.isEmpty {
                issues.required(place.child("name"))
            } else {
                issues.add(Names.envVarNameIssues(name), place.child("name"), name)
            }
            if let source = variable["valueFrom"] {
                valueSource(source, value: variable.text("value"), place.child("valueFrom"), &issues)
            }
        }
        for (index, source) in container.list("envFrom").enumerated() { bulk(source, path.child("envFrom"), index, &issues) }
    }

    private static func valueSource(_ source: JSONValue, value: String, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        var count = 0
        for kind in sources {
            guard let part = source[kind] else { continue }
            count += 1
            let place = path.child(kind)
            switch kind {
            case "fieldRef": DownwardValidation.field(part, allowed: DownwardValidation.variableFields, place, &issues)
            case "resourceFieldRef": DownwardValidation.resource(part, isFile: false, place, &issues)
            case "fileKeyRef": file(part, place, &issues)
            default: key(part, place, &issues)
            }
        }
        if count == 0 {
            let words = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
            issues.invalid(path, "", words)
        } else if !value.isEmpty {
            issues.invalid(path, "", "may not be specified when `value` is not empty")
        } else if count > 1 {
            issues.invalid(path, "", "may not have more than one field specified at a time")
        }
    }

    private static func key(_ reference: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        issues.subdomain(reference.text("name"), path.child("name"))
        let key = reference.text("key")
        if key.isEmpty {
            issues.required(path.child("key"))
        } else {
            issues.add(Names.configMapKeyIssues(key), path.child("key"), key)
        }
    }

    private static func file(_ reference: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let (key, volume, file) = (reference.text("key"), reference.text("volumeName"), reference.text("path"))
        if key.isEmpty {
            issues.required(path.child("key"))
        } else {
            issues.add(Names.envVarNameIssues(key), path.child("key"), key)
        }
        if volume.isEmpty {
            issues.required(path.child("volumeName"))
        } else {
            issues.label(volume, path.child("volumeName"))
        }
        if file.isEmpty { return issues.required(path.child("path")) }
        PathValidation.noBacksteps(file, path.child("path"), &issues)
    }

    private static func bulk(_ source: JSONValue, _ path: FieldPath, _ index: Int, _ issues: inout [FieldIssue]) {
        let place = path.index(index)
        let prefix = source.text("prefix")
        if !prefix.isEmpty { issues.add(Names.envVarNameIssues(prefix), place.child("prefix"), prefix) }
        var count = 0
        for kind in ["configMapRef", "secretRef"] {
            guard let reference = source[kind] else { continue }
            count += 1
            let name = reference.text("name")
            if name.isEmpty {
                issues.required(place.child(kind, "name"))
            } else {
                // A prefix of a name is enough upstream, which lets the last dash stay.
                let checked = name.hasSuffix("-") ? String(name.dropLast()) + "a" : name
                issues.add(Names.dns1123SubdomainIssues(checked), place.child(kind, "name"), name)
            }
        }
        if count == 0 {
            issues.invalid(path, "", "must specify one of: `configMapRef` or `secretRef`")
        } else if count > 1 {
            issues.invalid(path, "", "may not have more than one field specified at a time")
        }
    }
}

/// What is wrong with what a container mounts.
package struct MountValidation {
    package let container: JSONValue
    package let volumes: [String: JSONValue]

    private static let propagations = ["Bidirectional", "HostToContainer", "None"]

    package func check(at path: FieldPath, _ issues: inout [FieldIssue]) {
        let mounts = container.list("volumeMounts")
        let devices = container.list("volumeDevices")
        if !mounts.isEmpty { self.mounts(mounts, devices, path.child("volumeMounts"), &issues) }
        if !devices.isEmpty { self.devices(devices, mounts, path.child("volumeDevices"), &issues) }
    }

    private func mounts(_ mounts: [JSONValue], _ devices: [JSONValue], _ path: FieldPath, _ issues: inout [FieldIssue]) {
        var targets: Set<String> = []
        for (index, mount) in mounts.enumerated() {
            let (name, target) = (mount.text("name"), mount.text("mountPath"))
            let place = path.index(index)
            if name.isEmpty { issues.required(place.child("name")) }
            if volumes[name] == nil { issues.append(.notFound(place.child("name"), .string(name))) }
            if target.isEmpty { issues.required(place.child("mountPath")) }
            if !targets.insert(target).inserted { issues.invalid(place.child("mountPath"), .string(target), "must be unique") }
            for device in devices {
                if device.text("name") == name {
                    issues.invalid(place.child("name"), .string(name), "must not already exist in volumeDevices")
                }
                if device.text("devicePath") == target {
                    issues.invalid(place.child("mountPath"), .string(target), "must not already exist as a path in volumeDevices")
                }
            }
            options(mount, path, place, &issues)
        }
    }

    // Upstream leaves the index out of these paths.
    private func options(_ mount: JSONValue, _ path: FieldPath, _ place: FieldPath, _ issues: inout [FieldIssue]) {
        let (part, expression) = (mount.text("subPath"), mount.text("subPathExpr"))
        if !part.isEmpty { PathValidation.descending(part, path.child("subPath"), &issues) }
        if !expression.isEmpty {
            if !part.isEmpty {
                issues.invalid(place.child("subPathExpr"), .string(expression), "subPathExpr and subPath are mutually exclusive")
            }
            PathValidation.descending(expression, path.child("subPathExpr"), &issues)
        }
        let propagation = mount["mountPropagation"]?.string
        if let propagation {
            issues.oneOf(propagation, Self.propagations, path.child("mountPropagation"))
            if propagation == "Bidirectional", container["securityContext"]?.flag("privileged") != true {
                let words = "Bidirectional mount propagation is available only to privileged containers"
                issues.forbidden(path.child("mountPropagation"), words)
            }
        }
        guard let recursive = mount["recursiveReadOnly"]?.string, recursive != "Disabled" else { return }
        let field = path.child("recursiveReadOnly")
        guard ["Enabled", "IfPossible"].contains(recursive) else {
            return issues.oneOf(recursive, ["Disabled", "Enabled", "IfPossible"], field)
        }
        if !mount.flag("readOnly") { issues.forbidden(field, "may only be specified when readOnly is true") }
        if let propagation, propagation != "None" {
            issues.forbidden(field, "may only be specified when mountPropagation is None or not specified")
        }
    }

    private func devices(_ devices: [JSONValue], _ mounts: [JSONValue], _ path: FieldPath, _ issues: inout [FieldIssue]) {
        var names: Set<String> = []
        var targets: Set<String> = []
        for (index, device) in devices.enumerated() {
            let (name, target) = (device.text("name"), device.text("devicePath"))
            let (nameField, pathField) = (path.index(index).child("name"), path.index(index).child("devicePath"))
            if name.isEmpty { issues.required(nameField) }
            if names.contains(name) { issues.invalid(nameField, .string(name), "must be unique") }
            if let volume = volumes[name] {
                if volume["persistentVolumeClaim"] == nil, volume["ephemeral"] == nil {
                    let words = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"
                    issues.invalid(nameField, .string(name), words)
                }
            } else {
                issues.append(.notFound(nameField, .string(name)))
            }
            if target.isEmpty { issues.required(pathField) }
            if targets.contains(target) { issues.invalid(pathField, .string(target), "must be unique") }
            if PathValidation.goesUp(target) {
                issues.invalid(pathField, .string(target), "can not contain backsteps ('..')")
            } else {
                targets.insert(target)
            }
            if mounts.contains(where: { $0.text("name") == name }) {
                issues.invalid(nameField, .string(name), "must not already exist in volumeMounts")
            }
            if mounts.contains(where: { $0.text("mountPath") == target }) {
                issues.invalid(pathField, .string(target), "must not already exist as a path in volumeMounts")
            }
            if !name.isEmpty { names.insert(name) }
        }
    }
}
