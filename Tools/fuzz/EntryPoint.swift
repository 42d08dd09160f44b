/// The entry point that libFuzzer calls with every input it makes up.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    let parsers = FuzzTargets.Target.allCases.count
    // CEL comes after the parsers: its target is in the tests of another module.
    if let first = input.first, Int(first) % (parsers + 1) == parsers {
        if let complaint = CELTarget.run(Array(input.dropFirst())) { fatalError(complaint) }
        return 0
    }
    do throws(FuzzComplaint) {
        try FuzzTargets.run(input)
    } catch {
        fatalError(error.what)
    }
    return 0
}
