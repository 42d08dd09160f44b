/// The entry point that libFuzzer calls with every input it makes up.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    FuzzTargets.run(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}
