import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The kernel's probes of a silent TCP peer: a half-open connection is gone after about a minute.
enum KeepAlive {
    static let idleSeconds: ChannelOptions.Types.SocketOption.Value = 30
    static let intervalSeconds: ChannelOptions.Types.SocketOption.Value = 10
    static let probes: ChannelOptions.Types.SocketOption.Value = 3

    #if canImport(Glibc)
        static let idle = option(TCP_KEEPIDLE)
    #else
        static let idle = option(TCP_KEEPALIVE)
    #endif
    static let interval = option(TCP_KEEPINTVL)
    static let count = option(TCP_KEEPCNT)

    private static func option(_ name: CInt) -> ChannelOptions.Types.SocketOption {
        ChannelOptions.Types.SocketOption(level: .tcp, name: NIOBSDSocket.Option(rawValue: name))
    }
}
