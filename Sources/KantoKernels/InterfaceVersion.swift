import KantoABI

/// The plugin interface as its versions have it: structs only grow at their end.
enum InterfaceVersion {
    static let magic: UInt64 = 0x4542_5F4F_544E_414B
    static let major = UInt32(KANTO_ABI_MAJOR)

    /// Bytes of the structs that a plugin fills, in version 1.0. Less is no struct of this major version.
    static let versionByteCount = 56, tableByteCount = 48, kernelByteCount = 56

    /// Bytes of `kanto_problem` in each minor version.
    static let problemByteCounts = [496]

    /// How much of a problem a plugin of a minor version knows. One that is newer than this host knows all that it is handed.
    static func problemByteCount(minor: UInt32) -> Int {
        problemByteCounts[min(Int(minor), problemByteCounts.count - 1)]
    }
}
