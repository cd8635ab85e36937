import Glibc
import KantoPluginCalls

/// Tells which plugin it was where one of them crashes, calls `exit` or does not come back.
package enum PluginCalls {
    /// The process's exit code where a plugin calls `exit`: that of a fault which no user can mend.
    static let exitCode = EX_SOFTWARE

    /// Calls code of a plugin.
    ///
    /// - Parameter what: what is called, such as "plugin probe (/x/libKantoProbe.so) at matmul f32 m1 n1 k1".
    package static func within<R, E: Error>(_ what: String, _ body: () throws(E) -> R) throws(E) -> R {
        let text = kanto_make_plugin_text(what)
        defer { kanto_free_plugin_text(text) }
        let outer = kanto_enter_plugin(text)
        defer { kanto_leave_plugin(outer) }
        return try body()
    }

    /// Says of this thread that it works for the one which calls a plugin.
    package static func join() { kanto_join_plugin_call() }

    /// Has a signal that ends the process write first which plugin was called. For programs: a library leaves signals alone.
    package static func reportCrashes() { kanto_report_plugin_crashes() }

    /// Has exits and hangs told from now on; crashes are for the program to ask for.
    package static func report() { reporting }

    /// Seconds after which a call that has not come back is told.
    private static let patience = 5

    private static let reporting: Void = {
        kanto_report_plugin_exits(exitCode)
        // Where the system refuses the thread, hangs are not told.
        _ = startThread(stackSize: 1 << 18) {
            var seconds = 0
            while true {
                sleep(1)
                let call = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 1024) { text in
                    kanto_lasting_plugin_call(text.baseAddress!, 1024) ? String(cString: text.baseAddress!) : nil
                }
                seconds = call == nil ? 0 : seconds + 1
                if let call, seconds == patience { Diagnostics.trace("for \(patience) seconds now in \(call)") }
            }
        }
    }()
}
