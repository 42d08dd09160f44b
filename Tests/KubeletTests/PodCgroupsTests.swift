import APITypes
import Channels
import Glibc
import Logging
import Testing
import Units

@testable import Kubelet

/// The mount of cgroup version 2 on this machine; a machine of version 1 may have one without cpu and memory.
private let unified: String? = {
    let lines = (HostFiles.text("/proc/self/mounts") ?? "").split(separator: "\n")
    for line in lines {
        let words = line.split(separator: " ")
        if words.count > 2, words[2] == "cgroup2" { return String(words[1]) }
    }
    return nil
}()

@Suite struct PodCgroupsTests {
    private func pod(_ resources: String) throws -> Pod {
        try Samples.pod("metadata: {name: p, uid: uid-c}\nspec: {containers: [{name: a, image: x, resources: \(resources)}]}")
    }

    private func cgroups(_ mountPoint: String, root: String = "/apus-test") -> PodCgroups {
        PodCgroups(
            root: root,
            pool: BlockingPool(name: "test", threads: 1),
            isEnabled: true,
            logger: Logger(label: "test"),
            mountPoint: mountPoint
        )
    }

    /// A tree of plain files: kernels that have cpu and memory in version 1, like this project's machines, cannot have
    /// them in version 2 at the same time.
    @Test func `version 2 gets weights, quotas and limits on every level that needs them`() async throws {
        let mount = try temporaryDirectory()
        defer { try? HostFiles.removeTree(mount) }
        try HostFiles.write("\(mount)/cgroup.controllers", "cpuset cpu io memory hugetlb pids rdma\n")
        let cgroups = cgroups(mount)
        #expect(cgroups.version == .v2)
        let guaranteed = try pod("{requests: {cpu: 500m, memory: 64Mi}, limits: {cpu: 500m, memory: 64Mi}}")
        await cgroups.setUp(guaranteed)
        let path = "\(mount)/apus-test/kubepods/poduid-c"
        #expect(HostFiles.text("\(path)/cpu.weight") == "20")
        #expect(HostFiles.text("\(path)/cpu.max") == "50000 100000")
        #expect(HostFiles.text("\(path)/memory.max") == "\(64 << 20)")
        for level in ["", "/apus-test", "/apus-test/kubepods"] {
            #expect(HostFiles.text("\(mount)\(level)/cgroup.subtree_control") == "+cpu +memory +pids")
        }
        #expect(!HostFiles.exists("\(path)/cgroup.subtree_control"), "the runtime's own level")

        await cgroups.setUp(try pod("{requests: {cpu: \"1\"}}"))
        let burstable = "\(mount)/apus-test/kubepods/burstable/poduid-c"
        #expect(HostFiles.text("\(burstable)/cpu.weight") == "39")
        #expect(!HostFiles.exists("\(burstable)/cpu.max") && !HostFiles.exists("\(burstable)/memory.max"))
        await cgroups.setUp(try pod("{}"))
        #expect(HostFiles.text("\(mount)/apus-test/kubepods/besteffort/poduid-c/cpu.weight") == "1")
        #expect(HostFiles.text("\(mount)/apus-test/kubepods/besteffort/cpu.weight") == "1", "all of them together")
        #expect(!HostFiles.exists("\(mount)/apus-test/kubepods/cpu.weight"))
        #expect(PodCgroups.hasUnifiedMemory(mountPoint: mount))
    }

    @Test func `a controller that is bound to version 1 is left out`() async throws {
        let mount = try temporaryDirectory()
        defer { try? HostFiles.removeTree(mount) }
        try HostFiles.write("\(mount)/cgroup.controllers", "memory hugetlb\n")
        await cgroups(mount).setUp(try pod("{limits: {cpu: 500m, memory: 64Mi}, requests: {cpu: 500m, memory: 64Mi}}"))
        let path = "\(mount)/apus-test/kubepods/poduid-c"
        #expect(HostFiles.text("\(path)/memory.max") == "\(64 << 20)" && !HostFiles.exists("\(path)/cpu.max"))
        #expect(HostFiles.text("\(mount)/cgroup.subtree_control") == "+memory")
        #expect(PodCgroups.hasUnifiedMemory(mountPoint: mount))
        try HostFiles.write("\(mount)/cgroup.controllers", "hugetlb\n")
        #expect(!PodCgroups.hasUnifiedMemory(mountPoint: mount))
    }

    @Test func `weights follow the shares of version 1`() {
        for (shares, weight) in [(2, 1), (1024, 39), (262_144, 10_000), (0, 1)] as [(Int64, Int64)] {
            #expect(PodCgroups.weight(shares: shares) == weight)
        }
    }

    @Test(.enabled(if: geteuid() == 0 && unified != nil, "needs root and a mount of cgroup version 2"))
    func `a real mount of version 2 takes the pod's cgroup and gives it back`() async throws {
        let mount = try #require(unified)
        let root = "/apus-test-\(getpid())"
        let cgroups = cgroups(mount, root: root)
        let pod = try pod("{limits: {cpu: 500m, memory: 64Mi}, requests: {cpu: 500m, memory: 64Mi}}")
        await cgroups.setUp(pod)
        let path = "\(mount)\(root)/kubepods/poduid-c"
        #expect(HostFiles.isDirectory(path))
        #expect(HostFiles.exists("\(path)/cgroup.procs"), "the kernel's own file")
        let controllers = HostFiles.text("\(mount)/cgroup.controllers") ?? ""
        if controllers.contains("memory") { #expect(HostFiles.text("\(path)/memory.max") == "\(64 << 20)\n") }
        if controllers.split(separator: " ").contains("cpu") { #expect(HostFiles.text("\(path)/cpu.max") == "50000 100000\n") }
        await cgroups.tearDown(uid: "uid-c")
        #expect(!HostFiles.isDirectory(path))
        for level in ["/kubepods", ""] { rmdir("\(mount)\(root)\(level)") }
        #expect(!HostFiles.isDirectory("\(mount)\(root)"))
    }
}
