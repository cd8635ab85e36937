import KantoData
import KantoGAN
import KantoTensor

/// What a run's samples are compared with: two sets of as many real samples, which have none in common, as training has them.
struct EvaluationData {
    /// What the run was trained on.
    let training: any Dataset
    /// Real samples that the generated ones are compared with, [n] + sample shape.
    let reference: Tensor
    /// As many other real ones, in the place of the generated: what a perfect generator would draw.
    let others: Tensor
    /// Some of the training's samples, `others` first among them, for what looks for copies and for the critic.
    let known: Tensor
    /// Where `reference` is of, if the run was not trained on it; nil where it is a part of the training's own data.
    let heldOut: String?
    /// The labels of `reference`, and those of `known`, as networks are told them; nil where there are none.
    let referenceLabels, knownLabels: [Int]?
    /// What the reader of the held-out data has to say.
    let notes: [String]

    /// How many of the training's samples are looked at.
    private static let mostKnown = 10_000
    /// Numbers of them all, so that large pictures do not fill the memory.
    private static let mostNumbers = 1 << 26
    /// Neighbors want company.
    static let leastCount = 10

    /// - Parameters:
    ///   - heldOutPath: of other data of the same kind; nil for none.
    ///   - count: how many of each are wanted; there may be fewer.
    /// - Throws: `DataError` if data are missing or wrong, or too few.
    init(_ configuration: RunConfiguration, heldOutPath: String?, count wanted: Int, classes: [String]?) throws {
        let (training, ownHeldOut) = try Run.holdOut(of: Run.openData(configuration.data, configuration), configuration)
        let shape = configuration.networks.sampleShape
        func check(_ data: any Dataset, _ path: String, _ what: String) throws {
            guard data.sampleShape == shape else {
                throw DataError(
                    .badInput, "\(path): samples of shape \(data.sampleShape), expected \(shape), which \(what)")
            }
        }
        try check(training, configuration.data.path, "the run's networks have")
        var heldOut: (data: any Dataset, path: String)?
        var notes: [String] = []
        // Endless data have samples that were not trained on, without being asked for.
        if training.isEndless, heldOutPath == nil || heldOutPath == configuration.data.path {
            heldOut = (try Run.openOtherData(configuration.data.path, configuration), configuration.data.path)
        } else if let heldOutPath {
            let data = try Run.openOtherData(heldOutPath, configuration)
            try check(data, heldOutPath, "the run was trained on")
            notes = data.notes
            guard try data.digest() != training.digest() else {
                throw DataError(.badInput, "\(heldOutPath): holds the data that the run was trained on, expected other ones")
            }
            heldOut = (data, heldOutPath)
        } else if let ownHeldOut {
            try check(ownHeldOut, "data.held_out", "the run was trained on")
            heldOut = (ownHeldOut, configuration.data.heldOut!.summary(of: configuration.data.path))
        }
        let size = training.sampleSize
        let most = max(1, Self.mostNumbers / size)
        let count = min(wanted, most / 2, heldOut.map { min($0.data.count, training.count) } ?? training.count / 2)
        guard count >= Self.leastCount else {
            let needed = heldOut == nil ? 2 * Self.leastCount : Self.leastCount
            let (path, found) =
                heldOut.map {
                    $0.data.count < training.count ? ($0.path, $0.data.count) : (configuration.data.path, training.count)
                }
                ?? (configuration.data.path, training.count)
            throw DataError(.badInput, "\(path): \(found) samples; expected \(needed) or more to measure anything")
        }
        let knownOrder = Self.order(training, atMost: max(2 * count, min(Self.mostKnown, most)))
        known = try Tensor(training.samples(knownOrder), shape: [knownOrder.count] + shape)
        others = try known.sliced(0..<count)
        let trainingLabels = classes == nil ? nil : try ClassLabels(training, path: configuration.data.path).labels
        knownLabels = trainingLabels.map { labels in knownOrder.map { labels[$0] } }
        if let (data, path) = heldOut {
            let order = Self.order(data, atMost: count)
            reference = try Tensor(data.samples(order, inUnitsOf: training), shape: [count] + shape)
            referenceLabels = classes.flatMap { classes in Self.labels(of: data, order, classes) }
            self.heldOut = path
        } else {
            reference = try known.sliced(count..<2 * count)
            referenceLabels = nil
            self.heldOut = nil
        }
        (self.training, self.notes) = (training, notes)
    }

    /// How many samples of each kind there are.
    var count: Int { reference.shape[0] }

    /// Samples from all parts, in an order that is always the same. Those of endless data need no shuffling.
    private static func order(_ data: any Dataset, atMost count: Int) -> [Int] {
        if data.isEndless { return Array(0..<count) }
        var random = Random(seed: 1, stream: RandomStream.evaluation.rawValue << 32)
        return Array(Array(0..<data.count).shuffled(using: &random).prefix(count))
    }

    /// The numbers of the samples' classes among those that the networks are told; nil where one is not among them.
    private static func labels(of data: any Dataset, _ samples: [Int], _ classes: [String]) -> [Int]? {
        guard let labels = data.labels else { return nil }
        let names = data.classNames ?? []
        let numbers = samples.map { sample in
            let label = labels[sample]
            return classes.firstIndex(of: names.indices.contains(label) ? names[label] : "\(label)")
        }
        return numbers.contains(nil) ? nil : numbers.map { $0! }
    }
}
