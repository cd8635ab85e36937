import KantoABI
import OneDNNAdapter
import Synchronization

/// Whose memory an operand stands in.
enum Operand {
    case input(Int)
    case output(Int)
    /// Lent scratch memory, from this byte on.
    case scratch(Int)
}

/// An operand of a primitive: oneDNN's number for it (DNNL_ARG_SRC …), its layout, its memory.
struct Binding {
    let argument: Int32
    let layout: Layout
    let operand: Operand

    init(_ argument: Int32, _ layout: Layout, _ operand: Operand) {
        self.argument = argument
        self.layout = layout
        self.operand = operand
    }
}

/// A step that the plugin computes itself, on the threads that oneDNN computes with.
protocol Pass {
    func run(_ arguments: UnsafePointer<kanto_arguments>, threadCount: Int32)
}

/// Primitives and passes to execute one after the other, for one number of threads. Immutable once it has been planned.
final class Plan: @unchecked Sendable {
    enum Stage {
        case primitive(dnnl_primitive_t, [Binding])
        case pass(any Pass)
    }

    /// oneDNN divides the work when it makes a primitive, and must execute it with as many threads.
    let threadCount: Int32
    private(set) var stages: [Stage] = []
    private(set) var scratchByteCount = 0
    /// oneDNN's name of the implementation that does the work.
    private(set) var description = "epilogue of zero"

    /// Memory sets that no run uses. A set is added when all are in use, and kept.
    private let idle = Mutex<MemorySet?>(nil)

    /// Calls `build` with oneDNN set to `threadCount` threads.
    init(threadCount: Int32, _ build: (Plan) throws(Refusal) -> Void) throws(Refusal) {
        self.threadCount = threadCount
        let settings = gomp_enter(threadCount)
        defer { gomp_leave(settings) }
        try build(self)
        // The first run finds a set, too.
        put(back: try MemorySet(for: self))
    }

    deinit {
        for case .primitive(let primitive, _) in stages { dnnl_primitive_destroy(primitive) }
    }

    /// A piece of lent scratch memory, aligned to 64 bytes.
    func reserve(_ byteCount: Int) -> Operand {
        defer { scratchByteCount += (byteCount + 63) & ~63 }
        return .scratch(scratchByteCount)
    }

    /// Adds a primitive; `isMain` marks the one that gives the plan its description.
    func append(_ primitive: PrimitiveDescription, isMain: Bool = false, _ bindings: [Binding]) throws(Refusal) {
        var handle: dnnl_primitive_t?
        try check(dnnl_primitive_create(&handle, primitive.handle), "generate \(primitive.implementation)")
        var bindings = bindings
        // Asked of the primitive: it may come from oneDNN's cache, which takes layouts that differ in the stride of an
        // axis of one element for equal, and then it was described with another amount than ours (seen in 2.6.3 with
        // transposed matrices of one row).
        var generated: const_dnnl_primitive_desc_t?
        try check(dnnl_primitive_get_primitive_desc(handle, &generated), "describe \(primitive.implementation)")
        let scratchpad = try Layout(of: dnnl_query_scratchpad_md, in: generated!)
        if scratchpad.byteCount > 0 {
            bindings.append(Binding(DNNL_ARG_SCRATCHPAD, scratchpad, reserve(scratchpad.byteCount)))
        }
        stages.append(.primitive(handle!, bindings))
        if isMain { description = primitive.implementation }
    }

    func append(_ pass: any Pass) { stages.append(.pass(pass)) }

    /// Runs the primitives, and the passes too unless they are left out.
    func run(_ arguments: UnsafePointer<kanto_arguments>, passes: Bool = true) throws(Refusal) {
        let set = try takeMemorySet()
        defer { put(back: set) }
        let settings = gomp_enter(threadCount)
        defer { gomp_leave(settings) }
        let status = set.execute(arguments, passes: passes)
        guard status == dnnl_success else {
            throw .failed("oneDNN \(libraryVersion) failed to run \(description): \(describe(status))")
        }
    }

    /// A memory set for one run, to be put back after it.
    private func takeMemorySet() throws(Refusal) -> MemorySet {
        let set = idle.withLock { head in
            let set = head
            head = set?.next
            set?.next = nil
            return set
        }
        if let set { return set }
        return try MemorySet(for: self)
    }

    private func put(back set: MemorySet) {
        idle.withLock { head in
            set.next = head
            head = set
        }
    }
}
