import Scheduler

/// The scheduler alone, on upstream's benchmarks: no API, no I/O.
enum SchedulerFigures {
    /// Pods of the workloads with affinity; each costs a walk over most nodes.
    private static let selectivePods = 2_000

    static func run(_ report: Report) async throws {
        let basic = SchedulingBenchmark(.basic).run()
        report.atLeast("scheduler alone, 5,000 nodes / 10,000 pods", basic.podsPerSecond, "pods/s", budget: 5_000)
        for (workload, what) in [
            (SchedulingBenchmark.Workload.affinity, "required pod affinity"),
            (.antiAffinity, "required pod anti-affinity"),
            (.spread, "required topology spread"),
        ] {
            let run = SchedulingBenchmark(workload, pods: selectivePods).run()
            report.atLeast("scheduler alone, 5,000 nodes, \(what)", run.podsPerSecond, "pods/s", budget: 500)
        }
    }
}
