import KantoABI

/// The bias gradient of a convolution without weights or with an empty input, which oneDNN refuses: the sum of the output
/// gradient, [rows, channels], over its rows.
struct BiasGradient: Pass {
    let rows: Int
    let channels: Int
    let accumulates: Bool

    func run(_ arguments: UnsafePointer<kanto_arguments>, threadCount: Int32) {
        let output = kanto_output(arguments, 1)!.assumingMemoryBound(to: Float.self)
        let gradient = kanto_input(arguments, 1)?.assumingMemoryBound(to: Float.self)
        for channel in 0..<channels {
            var sum = accumulates ? Double(output[channel]) : 0
            for row in 0..<rows { sum += Double(gradient![row * channels + channel]) }
            output[channel] = Float(sum)
        }
    }
}
