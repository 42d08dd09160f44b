import APIClient
import Units

/// Certificate files in a directory: loaded when they are there, made when they are not, never overwritten when they
/// cannot be understood.
struct PKIDirectory: Sendable {
    let path: String

    /// A certificate with less of its lifetime left than this part is renewed.
    static let renewalFraction = 3

    func certificatePath(_ name: String) -> String { "\(path)/\(name).crt" }
    func keyPath(_ name: String) -> String { "\(path)/\(name).key" }

    /// The pair of files of that name; nil when neither exists.
    func load(_ name: String) throws -> KeyPair? {
        let certificate = try text(certificatePath(name))
        let key = try text(keyPath(name))
        switch (certificate, key) {
        case (let certificate?, let key?): return KeyPair(certificatePEM: certificate, keyPEM: key)
        case (nil, nil): return nil
        case (_?, nil): throw PKIError(keyPath(name), "is missing, but its certificate exists")
        case (nil, _?): throw PKIError(certificatePath(name), "is missing, but its private key exists")
        }
    }

    /// What can be made again need not survive a power loss: an empty file is then made again.
    func save(_ name: String, _ pair: KeyPair, isDurable: Bool) throws {
        try AtomicFile.write(keyPath(name), Array(pair.keyPEM.utf8), isDurable: isDurable)
        try AtomicFile.write(certificatePath(name), Array(pair.certificatePEM.utf8), isDurable: isDurable)
    }

    private func hasEmptyFile(_ name: String) throws -> Bool {
        try AtomicFile.read(keyPath(name))?.isEmpty == true || AtomicFile.read(certificatePath(name))?.isEmpty == true
    }

    /// The authority of that name, made when missing.
    func authority(_ name: String, commonName: String, now: Timestamp) throws -> CertificateAuthority {
        if let pair = try load(name) { return try CertificateAuthority(pair, subject: certificatePath(name)) }
        let pair = try CertificateAuthority.make(commonName: commonName, now: now)
        try save(name, pair, isDurable: true)
        return try CertificateAuthority(pair, subject: certificatePath(name))
    }

    /// The certificate of that name: the one there is when it still fits and lives long enough, else a new one.
    func leaf(
        _ name: String,
        _ request: CertificateRequest,
        authority: CertificateAuthority,
        now: Timestamp
    ) throws -> (pair: KeyPair, isNew: Bool) {
        if try !hasEmptyFile(name), let pair = try load(name) {
            try pair.checkKey(subject: certificatePath(name))
            let fits = try pair.matches(request, of: authority, subject: certificatePath(name))
            let validity = try pair.validity(subject: certificatePath(name))
            if fits, !Self.isDue(validity, now: now) { return (pair, false) }
        }
        let pair = try authority.issue(request, now: now)
        try save(name, pair, isDurable: false)
        return (pair, true)
    }

    static func isDue(_ validity: (from: Timestamp, until: Timestamp), now: Timestamp) -> Bool {
        let lifetime = validity.until - validity.from
        return validity.until - now < lifetime / renewalFraction
    }

    func text(_ path: String) throws -> String? {
        guard let bytes = try AtomicFile.read(path) else { return nil }
        guard !bytes.isEmpty else { throw PKIError(path, "is empty") }
        return String(decoding: bytes, as: UTF8.self)
    }
}
