import KantoABI
import OneDNNAdapter

/// The plugin's entry: checks the oneDNN that was loaded and returns the backend's table, or nil with a message.
@c(kanto_plugin_open)
public func open(_ message: UnsafeMutablePointer<kanto_message>?) -> UnsafePointer<kanto_backend>? {
    let loaded = dnnl_version().pointee
    // A later minor version keeps what an earlier one has.
    guard loaded.major == DNNL_VERSION_MAJOR, loaded.minor >= DNNL_VERSION_MINOR else {
        _ = Refusal.failed(
            """
            the plugin was built for oneDNN \(DNNL_VERSION_MAJOR).\(DNNL_VERSION_MINOR), but oneDNN \
            \(loaded.major).\(loaded.minor).\(loaded.patch) was loaded; build the plugin again
            """
        ).write(to: message)
        return nil
    }
    guard engine != nil else {
        _ = Refusal.failed("oneDNN \(libraryVersion) has no CPU engine").write(to: message)
        return nil
    }
    return UnsafePointer(table)
}

/// oneDNN's CPU engine; nil where it refuses one. Engines are safe to share between threads.
nonisolated(unsafe) let engine: dnnl_engine_t? = {
    var engine: dnnl_engine_t?
    return dnnl_engine_create(&engine, dnnl_cpu, 0) == dnnl_success ? engine : nil
}()

/// The loaded library's version, such as `2.6.3`.
var libraryVersion: String {
    let version = dnnl_version().pointee
    return "\(version.major).\(version.minor).\(version.patch)"
}

nonisolated(unsafe) private let table: UnsafeMutablePointer<kanto_backend> = {
    // "cpu_isa_avx512_core" and the like; 0 where the library does not say.
    let prefix = "cpu_isa_"
    var instructionSet = String(cString: dnnl_cpu_isa2str(dnnl_get_effective_cpu_isa()))
    if instructionSet.hasPrefix(prefix) { instructionSet.removeFirst(prefix.count) }

    let table = UnsafeMutablePointer<kanto_backend>.allocate(capacity: 1)
    table.initialize(to: kanto_backend())
    table.pointee.struct_size = UInt32(MemoryLayout<kanto_backend>.size)
    table.pointee.name = copy("onednn")
    table.pointee.description = copy("oneDNN \(libraryVersion) (OpenMP), CPU isa \(instructionSet)")
    // Matmul and the three convolutions.
    let offers = UnsafeMutablePointer<UInt32>.allocate(capacity: KANTO_OP_CONV2D_WEIGHT_GRADIENT + 1)
    for op in 0...KANTO_OP_CONV2D_WEIGHT_GRADIENT { offers[op] = op == 0 ? 0 : 1 << KANTO_DTYPE_F32 }
    table.pointee.offers = UnsafePointer(offers)
    table.pointee.offer_count = UInt32(KANTO_OP_CONV2D_WEIGHT_GRADIENT + 1)
    table.pointee.make = { _, problem, host, kernel, message in
        do throws(Refusal) {
            kernel!.pointee = try makeKernel(for: problem!.pointee, threadCount: Int32(clamping: host!.pointee.thread_count))
            return kanto_status(KANTO_STATUS_OK)
        } catch {
            return error.write(to: message)
        }
    }
    table.pointee.parallel_for = gomp_parallel_for
    return table
}()
