/// The scheduler alone, on upstream's SchedulingBasic.
enum SchedulerFigures {
    static func run(_ report: Report) async throws {
        report.missing("scheduler alone, 5,000 nodes / 10,000 pods", "pending")
    }
}
