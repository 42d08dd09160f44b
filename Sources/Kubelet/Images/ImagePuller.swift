import APITypes
import Channels
import PodRuntime
import RPC
import Synchronization
import Units

/// Why an image is not there; reason and message are those of the container's Waiting state.
struct ImageError: Error, Sendable, CustomStringConvertible {
    let reason: String
    let message: String
    /// When trying again makes sense.
    var retryAt: Timestamp?
    var description: String { message }
}

/// An image that is present.
struct PresentImage: Sendable {
    var id: String
    var user: SecurityContexts.ImageUser
}

/// Makes sure that images are present, by the container's pull policy. Back-off guarded by `state`.
final class ImagePuller: Sendable {
    private struct State {
        var backoff = Backoff()
        var lastErrors: [String: String] = [:]
    }

    private let runtime: any ContainerRuntime
    private let clock: any ClusterClock
    private let state = Mutex(State())
    private let limit: ConcurrencyLimit

    init(runtime: any ContainerRuntime, clock: any ClusterClock, maximumParallelPulls: Int) {
        self.runtime = runtime
        self.clock = clock
        limit = ConcurrencyLimit(maximumParallelPulls)
    }

    /// One thing to tell the user: an event about the container.
    typealias Report = @Sendable (_ isWarning: Bool, _ reason: String, _ message: String) -> Void

    /// Finds or pulls the image of `container`.
    func ensure(
        _ container: Container,
        of pod: Pod,
        keyring: Keyring,
        sandboxConfig: CRIPodSandboxConfig,
        report: Report
    ) async throws -> PresentImage {
        guard let name = ImageName(container.image) else {
            let message =
                "Failed to apply default image tag \"\(container.image)\": couldn't parse image name "
                + "\"\(container.image)\": invalid reference format"
            report(true, "InspectFailed", message)
            throw ImageError(reason: "InvalidImageName", message: message)
        }
        let present: CRIImage?
        do {
            present = try await runtime.imageStatus(name.reference)
        } catch {
            let message = "Failed to inspect image \"\(name.reference)\": \(error)"
            report(true, "InspectFailed", message)
            throw ImageError(reason: "ImageInspectError", message: message)
        }
        if let present, container.imagePullPolicy != "Always" {
            report(false, "Pulled", "Container image \"\(container.image)\" already present on machine")
            return PresentImage(present)
        }
        if container.imagePullPolicy == "Never" {
            let message = "Container image \"\(container.image)\" is not present with pull policy of Never"
            report(true, "ErrImageNeverPull", message)
            throw ImageError(reason: "ErrImageNeverPull", message: message)
        }
        let key = "\(pod.metadata.uid)_\(name.reference)"
        try checkBackoff(key, name, report)
        report(false, "Pulling", "Pulling image \"\(container.image)\"")
        return try await pull(name, container, key, keyring, sandboxConfig, report)
    }

    private func checkBackoff(_ key: String, _ name: ImageName, _ report: Report) throws {
        let now = clock.now
        let (until, last) = state.withLock { ($0.backoff.waitingUntil(key, now: now), $0.lastErrors[key]) }
        guard let until else { return }
        var message = "Back-off pulling image \"\(name.reference)\""
        report(false, "BackOff", message)
        if let last { message += ": \(last)" }
        throw ImageError(reason: "ImagePullBackOff", message: message, retryAt: until)
    }

    private func pull(
        _ name: ImageName,
        _ container: Container,
        _ key: String,
        _ keyring: Keyring,
        _ sandboxConfig: CRIPodSandboxConfig,
        _ report: Report
    ) async throws -> PresentImage {
        let asked = clock.monotonic
        do {
            let (took, image) = try await limit.run {
                let began = self.clock.monotonic
                try await self.pull(name, keyring, sandboxConfig)
                let image = try await self.runtime.imageStatus(name.reference)
                return (self.clock.monotonic - began, image)
            }
            guard let image else {
                throw RuntimeError(code: .notFound, message: "image \"\(name.reference)\" vanished after the pull")
            }
            state.withLock { _ = $0.lastErrors.removeValue(forKey: key) }
            let total = DurationText.format(clock.monotonic - asked)
            let size = "Image size: \(image.size) bytes."
            report(
                false,
                "Pulled",
                "Successfully pulled image \"\(container.image)\" in \(DurationText.format(took)) "
                    + "(\(total) including waiting). \(size)"
            )
            return PresentImage(image)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            let message = "\(error)"
            report(true, "Failed", "Failed to pull image \"\(container.image)\": \(message)")
            let now = clock.now
            let until = state.withLock { state in
                state.backoff.next(key, event: now, now: now)
                state.lastErrors[key] = "ErrImagePull: \(message)"
                return state.backoff.waitingUntil(key, now: now)
            }
            report(true, "Failed", "Error: ErrImagePull")
            throw ImageError(reason: "ErrImagePull", message: message, retryAt: until)
        }
    }

    /// Tries each fitting credential, or none when there is none.
    private func pull(_ name: ImageName, _ keyring: Keyring, _ sandboxConfig: CRIPodSandboxConfig) async throws {
        let credentials = keyring.credentials(for: name)
        if credentials.isEmpty {
            _ = try await runtime.pullImage(name.reference, auth: nil, sandboxConfig: sandboxConfig)
            return
        }
        var failure: (any Error)?
        for credential in credentials {
            do {
                _ = try await runtime.pullImage(name.reference, auth: credential.message, sandboxConfig: sandboxConfig)
                return
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    func forget(podUID: String) {
        state.withLock { state in
            state.backoff.forget(prefix: "\(podUID)_")
            state.lastErrors = state.lastErrors.filter { !$0.key.hasPrefix("\(podUID)_") }
        }
    }
}

extension PresentImage {
    init(_ image: CRIImage) {
        id = image.id
        user = .init(uid: image.hasUid ? image.uid.value : nil, name: image.username)
    }
}
