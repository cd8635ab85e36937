import KantoData
import KantoDescriptions
import KantoGAN
import KantoKernels
import KantoMetrics
import KantoTensor

extension Evaluation {
    /// Measures what fits the data, one method a group.
    struct Metrics {
        let real: EvaluationData
        let generator: TrainedGenerator
        let generated: Tensor
        /// The classes that the generated samples were asked to be of; nil where none were.
        let labels: [Int]?
        let seed: UInt64
        let progress: (String) -> Void
        private(set) var measurements: [Measurement] = []
        private(set) var notes: [String] = []
        private(set) var classifier: ClassifierSummary?
        private var bootstrap: Bootstrap { Bootstrap(seed: seed) }

        init(
            real: EvaluationData, generator: TrainedGenerator, generated: Tensor, labels: [Int]?, seed: UInt64,
            progress: @escaping (String) -> Void
        ) {
            (self.real, self.generator, self.generated, self.labels) = (real, generator, generated, labels)
            (self.seed, self.progress) = (seed, progress)
        }

        /// An assignment takes the third power of it.
        private static let mostAssigned = 1024
        /// 128 patches of each.
        private static let mostPictures = 1024
        /// More than samples are drawn say nothing.
        private static let mostStackedModes = 10_000

        mutating func measure(runFolder: String, dataPath: String) throws {
            let shape = real.training.sampleShape
            if let mixture = real.training.mixture { measureModes(mixture) }
            progress("assigning samples to each other")
            try measureTransport()
            if SlicedWasserstein.suits(shape) {
                progress("comparing pictures level by level")
                try measureLevels()
            }
            if let classifier = try makeClassifier(runFolder, dataPath) {
                progress("comparing features")
                try measureFeatures(of: classifier)
                if let stack = real.training.stack { try measureStackedModes(classifier, stack) }
            } else {
                progress("looking for neighbors")
                try measureNeighborhoods(real.reference, real.others, generated)
            }
            if shape.count == 1, !real.training.isEndless { try measureColumns() }
            if !real.training.isEndless {
                progress("looking for copies")
                try measureMemory()
            }
        }

        /// A metric of generated samples, and of real ones in their place.
        private mutating func add(
            _ group: Group, _ name: String, _ title: String, _ goal: Goal, _ generated: Estimate, real: Estimate?
        ) {
            measurements.append(
                Measurement(name: name, title: title, group: group, goal: goal, generated: generated, real: real))
        }
    }
}

// MARK: - Any data

extension Evaluation.Metrics {
    private mutating func measureTransport() throws {
        let count = min(Self.mostAssigned, real.count)
        if count < real.count { notes.append("W1 and W2 are of \(count) samples of each kind") }
        func part(_ samples: Tensor) throws -> Tensor { try samples.sliced(0..<count) }
        for order in [1, 2] {
            func distance(_ samples: Tensor) throws -> Estimate {
                try TransportDistance(order: order, between: part(real.reference), and: part(samples)).estimate(bootstrap)
            }
            add(
                .values, "w\(order)", "Wasserstein distance W\(order)", .lower, try distance(generated),
                real: try distance(real.others))
        }
    }

    private mutating func measureNeighborhoods(_ reference: Tensor, _ others: Tensor, _ generated: Tensor) throws {
        let (found, perfect) = try (
            NeighborhoodMetrics(real: reference, generated: generated), NeighborhoodMetrics(real: reference, generated: others)
        )
        let rows: [(String, KeyPath<NeighborhoodMetrics, [Double]>, Double)] = [
            ("precision", \.precisionTerms, 1), ("recall", \.recallTerms, 1), ("density", \.densityTerms, .infinity),
            ("coverage", \.coverageTerms, 1),
        ]
        for (name, terms, most) in rows {
            add(
                .features, name, name, .higher, bootstrap.estimate([found[keyPath: terms]], within: 0...most),
                real: bootstrap.estimate([perfect[keyPath: terms]], within: 0...most))
        }
    }

    private mutating func measureMemory() throws {
        let nearest = try NearestReal(
            generated: generated, training: real.known, heldOut: real.heldOut == nil ? nil : real.reference)
        func constant(_ value: Double) -> Estimate { Estimate(value: value, interval: value...value) }
        add(
            .memory, "nearest_training_ratio", "distance to training data", .asReal, nearest.ratio(bootstrap), real: constant(1))
        add(
            .memory, "copies", "copies of training data", .asReal, nearest.copies(bootstrap),
            real: constant(NearestReal.copyQuantile))
    }

    /// - Parameter trainer: of the checkpoint's networks.
    mutating func measureCriticNorms(of trainer: Trainer) throws {
        let regularizer = trainer.configuration.regularizer
        // Of a critic that mixes samples no norm is that of a sample; a penalty at the samples alone has no lines.
        guard regularizer.weight > 0, !trainer.critic.mixesSamples, let target = regularizer.regularizer.heldNorm?.target else {
            return
        }
        let norms = try CriticNorms(
            trainer, real: real.known.sliced(0..<real.count), generated: generated, labels: labels, seed: seed)
        add(.critic, "norm_on_lines", "gradient norm on the lines", .onTarget, bootstrap.estimate([norms.onLines]), real: nil)
        add(
            .critic, "norm_on_lines_within", "of these within 10% of \(decimal(target))", .higher,
            bootstrap.estimate([norms.onLines.map { abs($0 / target - 1) <= 0.1 ? 1 : 0 }], within: 0...1), real: nil)
        guard let betweenReal = norms.betweenReal, let betweenGenerated = norms.betweenGenerated else { return }
        add(.critic, "norm_between_real", "between real samples", .onTarget, bootstrap.estimate([betweenReal]), real: nil)
        add(
            .critic, "norm_between_generated", "between generated samples", .onTarget, bootstrap.estimate([betweenGenerated]),
            real: nil)
    }

    /// - Parameter trainer: of the checkpoint's networks.
    mutating func measureCriticGap(of trainer: Trainer) throws {
        guard labels == nil || real.referenceLabels != nil else {
            notes.append("the critic is told classes, which \(real.heldOut!) has no labels for: its gap is not measured")
            return
        }
        let count = real.count
        func known(_ range: Range<Int>) throws -> (samples: Tensor, labels: [Int]?) {
            (try real.known.sliced(range), real.knownLabels.map { Array($0[range]) })
        }
        func gap(
            _ heldOut: (samples: Tensor, labels: [Int]?), _ own: (samples: Tensor, labels: [Int]?)
        ) throws -> Estimate {
            try CriticGap(
                trainer, heldOut: heldOut.samples, labels: heldOut.labels, known: own.samples, knownLabels: own.labels
            ).estimate(bootstrap)
        }
        // Two parts of the training's samples, which the critic knows both.
        let half = min(count, real.known.shape[0] / 2)
        add(
            .memory, "critic_gap", "critic's held-out gap", .asReal,
            try gap((real.reference, real.referenceLabels), known(0..<count)),
            real: try gap(known(half..<2 * half), known(0..<half)))
    }
}

// MARK: - Points and tables

extension Evaluation.Metrics {
    private mutating func measureModes(_ mixture: NormalMixture) {
        let units = real.training.units
        func estimates(_ samples: Tensor) -> [Estimate] {
            ModeMetrics(units.restored(samples.floats), of: mixture).estimates(bootstrap)
        }
        let rows: [(String, String, Evaluation.Goal)] = [
            ("modes", "modes covered, of \(mixture.centers.count)", .higher),
            ("high_quality", "high quality, within 3σ", .higher), ("deviation", "deviation of these, over σ", .asReal),
            ("reverse_kl", "reverse KL of mode shares", .lower),
        ]
        for (row, (found, perfect)) in zip(rows, zip(estimates(generated), estimates(real.others))) {
            add(.modes, row.0, row.1, row.2, found, real: perfect)
        }
    }

    private mutating func measureColumns() throws {
        let found = try ColumnMetrics(real: real.reference, generated: generated)
        let perfect = try ColumnMetrics(real: real.reference, generated: real.others)
        let names = real.training.featureNames ?? []
        func name(_ column: Int) -> String { names.indices.contains(column) ? names[column] : "\(column + 1)" }
        add(
            .columns, "column_w1_mean", "W1 of a column, mean", .lower, found.meanDistance(bootstrap),
            real: perfect.meanDistance(bootstrap))
        let columns = found.distances(bootstrap), perfectColumns = perfect.distances(bootstrap)
        for (column, (found, perfect)) in zip(columns, perfectColumns).enumerated() {
            add(.columns, "column_w1.\(name(column))", "W1 of \(name(column))", .lower, found, real: perfect)
        }
        if let difference = try found.largestCorrelationDifference(bootstrap), let pair = found.mostDifferentPair {
            add(
                .columns, "correlation_difference", "largest difference of correlations", .lower, difference,
                real: try perfect.largestCorrelationDifference(bootstrap))
            notes.append(
                "the correlation that differs most is that of '\(name(pair.first))' and '\(name(pair.second))'")
        }
    }
}

// MARK: - Pictures

extension Evaluation.Metrics {
    private mutating func measureLevels() throws {
        let count = min(Self.mostPictures, real.count)
        if count < real.count { notes.append("sliced Wasserstein distances are of \(count) pictures of each kind") }
        func levels(_ samples: Tensor) throws -> [SlicedWasserstein.Level] {
            try SlicedWasserstein(
                between: real.reference.sliced(0..<count), and: samples.sliced(0..<count), seed: seed
            ).levels
        }
        for (found, perfect) in zip(try levels(generated), try levels(real.others)) {
            add(
                .pictures, "sliced_wasserstein_\(found.height)x\(found.width)",
                "sliced Wasserstein, \(found.height)x\(found.width)", .lower, found.estimate(bootstrap),
                real: perfect.estimate(bootstrap))
        }
    }

    /// Nil where the data are no labelled pictures.
    private mutating func makeClassifier(_ runFolder: String, _ dataPath: String) throws -> RunClassifier? {
        guard real.training.sampleShape.count == 3 else { return nil }
        guard let made = try RunClassifier(for: real.training, path: dataPath, besideRun: runFolder, progress) else {
            notes.append(
                "the data have no labels to train a classifier on: neighbors are compared by their pixels, and there are no Fréchet "
                    + "distance and no class shares; data.labels names a file of classes")
            return nil
        }
        if let note = made.note { notes.append(note) }
        return made
    }

    private mutating func measureFeatures(of made: RunClassifier) throws {
        let reference = try made.features(of: real.reference)
        let others = try made.features(of: real.others), found = try made.features(of: generated)
        try measureNeighborhoods(reference, others, found)
        func distance(_ features: Tensor) throws -> Estimate {
            try FrechetDistance(real: reference, generated: features).estimate(bootstrap)
        }
        add(.features, "frechet_distance", "Fréchet distance", .lower, try distance(found), real: try distance(others))

        let classCount = made.classes.count
        func shares(_ features: Tensor) throws -> (shares: ClassShares, labels: [Int]) {
            let labels = try made.labels(ofFeatures: features)
            return (ClassShares(labels, classCount: classCount), labels)
        }
        let (ofReference, ofOthers, ofFound) = try (shares(reference).shares, shares(others), shares(found))
        add(
            .classes, "smallest_class_share", "smallest share of a class", .asReal,
            ofFound.shares.smallest(among: ofReference, bootstrap), real: ofOthers.shares.smallest(among: ofReference, bootstrap))
        add(
            .classes, "class_share_distance", "distance of class shares", .lower,
            ofFound.shares.distance(to: ofReference, bootstrap), real: ofOthers.shares.distance(to: ofReference, bootstrap))
        if let labels {
            func share(_ told: [Int]) -> Estimate {
                bootstrap.estimate([zip(told, labels).map { $0 == $1 ? 1 : 0 }], within: 0...1)
            }
            add(
                .classes, "class_asked_for", "of the class asked for", .higher, share(ofFound.labels),
                real: share(ofOthers.labels))
        }
        self.classifier = Evaluation.ClassifierSummary(
            accuracy: made.classifier.accuracy, isNew: made.isNew, classes: made.classes, generatedShares: ofFound.shares.shares,
            realShares: ofReference.shares)
    }

    /// Draws as many samples as the publications do, a part at a time.
    private mutating func measureStackedModes(_ made: RunClassifier, _ stack: StackedPictures) throws {
        let modeCount = StackedModes.modeCount(height: stack.height, classCount: made.classes.count)
        guard modeCount <= Self.mostStackedModes else {
            notes.append(
                "of the combinations of \(stack.height) of \(made.classes.count) classes, more than \(Self.mostStackedModes), none "
                    + "are counted")
            return
        }
        let count = StackedModes.sampleCount
        progress("drawing \(count) samples to count modes")
        func estimates(_ samples: (Range<Int>) throws -> Tensor) throws -> (covered: Estimate, divergence: Estimate) {
            let labels = try Evaluation.parts(of: count).flatMap { part in
                try made.labels(ofFeatures: made.features(of: samples(part)))
            }
            return StackedModes(labels, height: made.height, classCount: made.classes.count).estimates(bootstrap)
        }
        let latents = try generator.latents(count, seed: seed)
        let found = try estimates { try generator.samples(from: latents.sliced($0)) }
        let perfect = try estimates { try Tensor(stack.samples(Array($0)), shape: [$0.count] + stack.sampleShape) }
        add(.modes, "modes", "modes covered, of \(grouped(modeCount))", .higher, found.covered, real: perfect.covered)
        add(.modes, "reverse_kl", "reverse KL of mode shares", .lower, found.divergence, real: perfect.divergence)
    }
}
