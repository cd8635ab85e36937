import OneDNNAdapter

// oneDNN's objects with Swift's ownership.

/// Where the float elements of an operand stand in memory.
final class Layout {
    let handle: onednn_layout_t

    private init(_ handle: onednn_layout_t) { self.handle = handle }

    /// Sizes in oneDNN's logical order of axes, strides in elements.
    convenience init(sizes: [Int64], strides: [Int64]) throws(Refusal) {
        var handle: onednn_layout_t?
        try check(
            onednn_layout_strided(&handle, Int32(sizes.count), sizes, strides),
            "describe an operand of sizes \(sizes) with strides \(strides)")
        self.init(handle!)
    }

    /// Left to the primitive.
    convenience init(anyOf sizes: [Int64]) throws(Refusal) {
        var handle: onednn_layout_t?
        try check(onednn_layout_any(&handle, Int32(sizes.count), sizes), "describe an operand of sizes \(sizes)")
        self.init(handle!)
    }

    /// What a primitive settled on.
    convenience init(of operand: dnnl_query_t, in description: const_dnnl_primitive_desc_t) throws(Refusal) {
        var handle: onednn_layout_t?
        try check(onednn_layout_query(&handle, description, operand), "tell the layout that it chose")
        self.init(handle!)
    }

    deinit { onednn_layout_destroy(handle) }

    var byteCount: Int { onednn_layout_bytes(handle) }

    func isEqual(to other: Layout) -> Bool { onednn_layout_equal(handle, other.handle) }
}

/// How a primitive computes beyond its operation: strict float32, scratch memory lent by us, the epilogue.
final class Attributes {
    let handle: dnnl_primitive_attr_t

    init(accumulate: Bool = false, activation: Activation = .none) throws(Refusal) {
        var attributes: dnnl_primitive_attr_t?
        try check(dnnl_primitive_attr_create(&attributes), "create attributes")
        handle = attributes!
        try check(dnnl_primitive_attr_set_scratchpad_mode(handle, dnnl_scratchpad_mode_user), "take lent scratch memory")
        // ONEDNN_DEFAULT_FPMATH_MODE may allow bfloat16 inside float32 primitives.
        try check(dnnl_primitive_attr_set_fpmath_mode(handle, dnnl_fpmath_mode_strict), "compute in strict float32")

        var postOps: dnnl_post_ops_t?
        try check(dnnl_post_ops_create(&postOps), "create an epilogue")
        defer { dnnl_post_ops_destroy(postOps) }
        if accumulate { try check(onednn_append_sum(postOps), "accumulate") }
        if let (function, alpha) = activation.function {
            try check(onednn_append_eltwise(postOps, function, alpha), "apply the activation")
        }
        try check(dnnl_primitive_attr_set_post_ops(handle, postOps), "take the epilogue")
    }

    deinit { dnnl_primitive_attr_destroy(handle) }
}

/// A primitive before it is generated: oneDNN has chosen the implementation and the layouts.
final class PrimitiveDescription {
    let handle: dnnl_primitive_desc_t

    /// `describe` calls the adapter; `task` completes "oneDNN cannot …".
    init(_ task: String, _ describe: (inout dnnl_primitive_desc_t?) -> dnnl_status_t) throws(Refusal) {
        var description: dnnl_primitive_desc_t?
        try check(describe(&description), task)
        handle = description!
    }

    /// A copy from one layout to another, or an addition to what the target holds.
    convenience init(reorder source: Layout, to target: Layout, accumulate: Bool = false) throws(Refusal) {
        let attributes = try Attributes(accumulate: accumulate)
        try self.init("reorder an operand") {
            onednn_describe_reorder(&$0, engine, source.handle, target.handle, attributes.handle)
        }
    }

    deinit { dnnl_primitive_desc_destroy(handle) }

    /// oneDNN's name of the implementation, such as `jit:avx512_core`.
    var implementation: String {
        var name: UnsafePointer<CChar>?
        guard dnnl_primitive_desc_query(handle, dnnl_query_impl_info_str, 0, &name) == dnnl_success, let name else {
            return "unnamed"
        }
        return String(cString: name)
    }

    /// oneDNN's reference loops are up to 100 times slower than other backends.
    func declineReference() throws(Refusal) {
        guard !implementation.hasPrefix("ref") else {
            throw .declined("oneDNN \(libraryVersion) has only its reference implementation (\(implementation)) for it")
        }
    }
}
