/// A kind of data: how it is recognized and how it is opened. To add one, add a row to `all`, and a file that opens it.
struct DatasetFormat: Sendable {
    /// As the key `format` has it.
    let name: String
    /// For people, in a few words.
    let summary: String
    /// Whether data are of this kind, told by their content.
    let recognizes: @Sendable (DataSource) -> Bool
    let open: @Sendable (DataSource, DataDescription, Datasets.Options) throws -> any Dataset

    /// In the order in which they are tried: those with a magic number first.
    static let all: [DatasetFormat] =
        [
            DatasetFormat(
                name: "npy", summary: "an array of NumPy", recognizes: NPYDataset.recognizes, open: NPYDataset.open),
            DatasetFormat(
                name: "npz", summary: "an archive of NumPy's arrays", recognizes: NPZDataset.recognizes, open: NPZDataset.open),
            DatasetFormat(
                name: "idx", summary: "MNIST, Fashion-MNIST, EMNIST: a file or the folder of them, .gz too",
                recognizes: IDXDataset.recognizes, open: IDXDataset.open),
            DatasetFormat(
                name: "cifar10", summary: "CIFAR-10's binary version: a file or the folder of them",
                recognizes: CIFAR.ten.recognizes, open: CIFAR.ten.open),
            DatasetFormat(
                name: "cifar100", summary: "CIFAR-100's binary version: a file or the folder of them",
                recognizes: CIFAR.hundred.recognizes, open: CIFAR.hundred.open),
            DatasetFormat(
                name: "csv", summary: "rows of numbers, with a header or without", recognizes: CSVDataset.recognizes,
                open: CSVDataset.open),
            DatasetFormat(
                name: "images", summary: "a folder of PNG and JPEG pictures; folders in it are classes",
                recognizes: ImageFolder.recognizes, open: ImageFolder.open),
            DatasetFormat(
                name: "digits", summary: "the 1,797 digits of 8x8 that ship with Kanto", recognizes: { $0.isNamed("digits") },
                open: openDigits),
        ]
        + PlaneSet.allCases.map { set in
            DatasetFormat(
                name: set.rawValue, summary: set.summary, recognizes: { $0.isNamed(set.rawValue) },
                open: { _, description, options in try PlaneDataset(set, description, seed: options.seed) })
        }

    /// The sets that Kanto makes. Their names mean them also where a file or a folder has such a name, which `./digits` means.
    static let setsMadeHere = ["digits"] + PlaneSet.allCases.map(\.rawValue)

    static let names = all.map(\.name).joined(separator: ", ")
}

extension DataSource {
    /// Whether it is the set of that name, and not a file of that name.
    fileprivate func isNamed(_ name: String) -> Bool {
        if case .nothing = content { path == name } else { false }
    }
}
