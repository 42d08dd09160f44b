/// The entry point that libFuzzer calls with every input it makes up.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    do throws(FuzzComplaint) {
        try FuzzTargets.run(Array(UnsafeBufferPointer(start: start, count: count)))
    } catch {
        fatalError(error.what)
    }
    return 0
}
