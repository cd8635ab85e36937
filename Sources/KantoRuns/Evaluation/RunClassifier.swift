import KantoData
import KantoDescriptions
import KantoGAN
import KantoMetrics
import KantoNN
import KantoTensor

/// The classifier of a run's data, trained once and kept beside the run. Of stacked pictures it tells the class of each.
struct RunClassifier {
    let classifier: Classifier
    /// How many pictures a sample is.
    let height: Int
    /// The names of its classes.
    let classes: [String]
    /// Whether it was trained now.
    let isNew: Bool
    /// Why it could not be kept; nil if it was.
    let note: String?

    private static let fileName = "classifier.safetensors"
    private static let networkName = "classifier"
    private static let seed: UInt64 = 1
    /// What a file of it says of itself.
    private enum Key {
        static let digest = "data_digest", description = "network", recipe = "recipe", accuracy = "accuracy"
    }

    /// Nil where the data are no labelled pictures, or too few of them.
    ///
    /// - Parameter progress: is told of a training, which takes a while.
    /// - Throws: `DataError` if data cannot be read; `KernelError`.
    init?(for samples: any Dataset, path: String, besideRun folder: String, _ progress: (String) -> Void) throws {
        let data = samples.stack?.pictures ?? samples
        height = samples.stack?.height ?? 1
        guard data.sampleShape.count == 3, data.labels != nil, data.count >= 100,
            let labels = try? ClassLabels(data, path: path)
        else { return nil }
        classes = labels.names
        let digest = try data.digest()
        let description = Classifier.description(for: data.sampleShape, classCount: classes.count)
        let file = "\(folder)/\(Self.fileName)"
        let expected = [
            Key.digest: digest, Key.description: description.descriptionValue.json, Key.recipe: Classifier.recipe,
        ]
        if let kept = Self.kept(file, expected) {
            (classifier, isNew, note) = (kept, false, nil)
            return
        }
        progress("training a classifier")
        var random = Random(seed: Self.seed, stream: RandomStream.evaluation.rawValue << 32 | 1)
        let chosen = Array(Array(0..<data.count).shuffled(using: &random).prefix(Classifier.mostPictures))
        let pictures = try Tensor(data.samples(chosen), shape: [chosen.count] + data.sampleShape)
        let trained = try Classifier(
            trainedOn: pictures, labels: chosen.map { labels.labels[$0] }, classCount: classes.count, seed: Self.seed)
        (classifier, isNew) = (trained, true)
        do {
            var metadata = expected
            metadata[Key.accuracy] = "\(trained.accuracy)"
            try SafetensorsFile.write(
                Checkpoint.arrays(of: [Self.networkName: trained.network]), metadata: metadata, hasDigest: true, to: file)
            note = nil
        } catch let error as DataError {
            // What was measured is worth as much; the next evaluation trains it again.
            note = "the classifier is not kept: \(error)"
        }
    }

    /// The features of each sample, [n, …]: those of its pictures, one behind the other.
    func features(of samples: Tensor) throws -> Tensor {
        try classifier.features(of: pictures(in: samples)).reshaped([samples.shape[0], height * Classifier.featureCount])
    }

    /// The classes of the pictures of each sample by its features.
    func labels(ofFeatures features: Tensor) throws -> [Int] {
        try classifier.labels(ofFeatures: features.reshaped([features.shape[0] * height, Classifier.featureCount]))
    }

    /// [n, height, width, stack · channels] to [n · stack, height, width, channels].
    private func pictures(in samples: Tensor) throws -> Tensor {
        guard height > 1 else { return samples }
        let shape = samples.shape, channels = shape[3] / height
        return try samples.reshaped([shape[0], shape[1] * shape[2], height, channels]).permuted([0, 2, 1, 3])
            .reshaped([shape[0] * height, shape[1], shape[2], channels])
    }

    /// What a file holds; nil if there is none, or it is damaged, or of other data or another version.
    private static func kept(_ path: String, _ expected: [String: String]) -> Classifier? {
        guard let file = try? SafetensorsFile(contentsOf: path), (try? file.checkDigest()) != nil,
            expected.allSatisfy({ file.metadata[$0.key] == $0.value }),
            let accuracy = file.metadata[Key.accuracy].flatMap(Double.init),
            let text = file.metadata[Key.description], let value = try? DescriptionValue(json: Array(text.utf8)),
            let description = try? NetworkDescription(value)
        else { return nil }
        var random = Random(seed: seed)
        guard let network = try? description.makeNetwork(using: &random),
            (try? Checkpoint.read(networkName, into: network, from: file)) != nil
        else { return nil }
        return Classifier(description: description, network: network, accuracy: accuracy)
    }
}
