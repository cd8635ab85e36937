import KantoABI

/// What a library can be a plugin of: each interface has a header, and symbols of its own.
package enum PluginInterface: Sendable {
    /// Computes ops: `kanto_backend.h`.
    case backend
    /// Carries numbers between the processes of a training: `kanto_communicator.h`.
    case communicator

    /// For people.
    var noun: String {
        switch self {
        case .backend: "plugin interface"
        case .communicator: "communicator interface"
        }
    }

    /// The version's, which is data.
    var versionSymbol: String {
        switch self {
        case .backend: KANTO_PLUGIN_VERSION_SYMBOL
        case .communicator: KANTO_COMMUNICATOR_VERSION_SYMBOL
        }
    }

    /// The function's that opens the plugin.
    package var openSymbol: String {
        switch self {
        case .backend: KANTO_PLUGIN_OPEN_SYMBOL
        case .communicator: KANTO_COMMUNICATOR_OPEN_SYMBOL
        }
    }

    var magic: UInt64 {
        switch self {
        case .backend: InterfaceVersion.magic
        // The macro's type is not one that Swift imports.
        case .communicator: 0x4D43_5F4F_544E_414B
        }
    }

    var major: UInt32 {
        switch self {
        case .backend: InterfaceVersion.major
        case .communicator: KANTO_COMMUNICATOR_MAJOR
        }
    }
}
