/// What a request takes of its level: so many seats while it is served, and for a while longer.
public struct SeatCost: Sendable, Hashable {
    /// The seats.
    public let seats: Int
    /// How long it keeps them once it is answered, in seconds: the work that follows it.
    public let lingering: Double

    /// Upstream's figures of the work a write leaves behind: one seat tells so many watchers in so many seconds,
    private static let watchersPerSeat = 10
    private static let secondsPerSeat = 0.005
    /// and a write takes so many seats at most; what is more takes longer instead.
    private static let mostOfWrite = 10

    private init(seats: Int, lingering: Double) {
        self.seats = seats
        self.lingering = lingering
    }

    /// A request that costs as long as it is served.
    public init(seats: Int = 1) {
        self.init(seats: seats, lingering: 0)
    }

    /// A write that `watchers` have to be told of, at a level where a request takes `widest` seats at most.
    public init(writeSeenBy watchers: Int, widest: Int) {
        guard watchers >= Self.watchersPerSeat else {
            self.init()
            return
        }
        let wanted = (watchers + Self.watchersPerSeat - 1) / Self.watchersPerSeat
        let seats = max(min(wanted, widest, Self.mostOfWrite), 1)
        self.init(seats: seats, lingering: Double(wanted) * Self.secondsPerSeat / Double(seats))
    }
}
