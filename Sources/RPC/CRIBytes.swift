import FoundationEssentials

extension CRIKeyValue {
    /// One environment variable.
    public init(key: String, text: String) {
        self.init()
        self.key = key
        value = Data(text.utf8)
    }
}

extension CRIExecSyncResponse {
    /// Standard output and then standard error.
    public var outputBytes: [UInt8] { [UInt8](stdout) + [UInt8](stderr) }
}
