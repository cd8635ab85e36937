import Glibc
import KantoShims

/// The instruction sets of the SIMD backend, in rising order.
public enum InstructionSet: String, Sendable, CaseIterable, Comparable {
    case baseline, avx2, avx512

    public static func < (a: Self, b: Self) -> Bool { a.rank < b.rank }
    private var rank: Int { Self.allCases.firstIndex(of: self)! }

    /// Whether the processor has it and the operating system saves its registers.
    public var isSupported: Bool {
        switch self {
        case .baseline: true
        case .avx2: kanto_cpu_has_avx2()
        case .avx512: kanto_cpu_has_avx512()
        }
    }
}

/// What this machine is.
public enum Processor {
    /// The processor's own name.
    public static var name: String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 49) { buffer in
            kanto_cpu_name(buffer.baseAddress!)
            let name = String(cString: buffer.baseAddress!)
            return name.isEmpty ? "unknown processor" : String(name.drop { $0 == " " })
        }
    }

    /// Whether it has an instruction for products of bfloat16 (AVX512_BF16), and the operating system saves its registers.
    public static var multipliesBfloat16: Bool { kanto_cpu_has_bfloat16() }

    /// Whether that instruction multiplies more numbers in a second than those of float32 do. On Zen 4 it does twice as many, on
    /// Emerald Rapids half as many (94 and 181 GFLOP/s on one core), as Intel's matrix unit (AMX) is meant for these.
    static var isFastAtBfloat16: Bool { multipliesBfloat16 && kanto_cpu_has_separate_adders() }

    /// Cores that this process may run on.
    public static var coreCount: Int { max(1, Int(kanto_core_count())) }

    /// Cores of the machine, whether this process may run on them or not.
    public static var machineCoreCount: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    /// How many cores' time the control groups of this process (a container's, say) grant it, such as 1.5; nil where they set
    /// no bound.
    public static let quota: Double? = ProcessorQuota.granted(read: systemText)

    /// Bytes of the machine's memory.
    static let memoryByteCount: Int = {
        let (pages, size) = (sysconf(Int32(_SC_PHYS_PAGES)), sysconf(Int32(_SC_PAGESIZE)))
        return pages > 0 && size > 0 ? pages * size : 1 << 48
    }()

    /// Bytes of the data caches; usual sizes where neither the processor nor the system tells.
    static var caches: (level1: Int, level2: Int, level3: Int) {
        var told = (Int64(0), Int64(0), Int64(0))
        withUnsafeMutableBytes(of: &told) { kanto_cpu_caches($0.baseAddress!.assumingMemoryBound(to: Int64.self)) }
        func size(_ told: Int64, _ name: Int, or guess: Int) -> Int {
            if told > 0 { return Int(told) }
            let size = sysconf(Int32(name))
            return size > 0 ? size : guess
        }
        return (
            size(told.0, Int(_SC_LEVEL1_DCACHE_SIZE), or: 32 << 10), size(told.1, Int(_SC_LEVEL2_CACHE_SIZE), or: 512 << 10),
            size(told.2, Int(_SC_LEVEL3_CACHE_SIZE), or: 8 << 20)
        )
    }
}
