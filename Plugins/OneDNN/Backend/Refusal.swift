import KantoABI
import OneDNNAdapter

/// Why a kernel was not made or did not run, for people.
struct Refusal: Error {
    let status: kanto_status
    let reason: String

    static func declined(_ reason: String) -> Refusal {
        Refusal(status: kanto_status(KANTO_STATUS_DECLINED), reason: reason)
    }

    static func failed(_ reason: String) -> Refusal {
        Refusal(status: kanto_status(KANTO_STATUS_FAILED), reason: reason)
    }

    /// Puts the reason into the host's buffer, cut between characters if it does not fit; returns the status.
    func write(to message: UnsafeMutablePointer<kanto_message>?) -> kanto_status {
        guard let message, let text = message.pointee.text, message.pointee.capacity > 0 else { return status }
        var used = 0
        for character in reason {
            let bytes = character.utf8
            guard used + bytes.count < message.pointee.capacity else { break }
            for byte in bytes {
                text[used] = CChar(bitPattern: byte)
                used += 1
            }
        }
        text[used] = 0
        return status
    }
}

/// Declines in oneDNN's words unless `status` is success. `task` completes "oneDNN 2.6.3 cannot …".
func check(_ status: dnnl_status_t, _ task: String) throws(Refusal) {
    guard status != dnnl_success else { return }
    throw .declined("oneDNN \(libraryVersion) cannot \(task): \(describe(status))")
}

/// oneDNN's name of a status, such as `invalid_arguments`.
func describe(_ status: dnnl_status_t) -> String { String(cString: dnnl_status2str(status)) }

/// A zero-terminated copy; freed with `deallocate()`.
func copy(_ text: String) -> UnsafePointer<CChar> {
    let bytes = UnsafeMutablePointer<CChar>.allocate(capacity: text.utf8.count + 1)
    for (index, byte) in text.utf8.enumerated() { bytes[index] = CChar(bitPattern: byte) }
    bytes[text.utf8.count] = 0
    return UnsafePointer(bytes)
}
