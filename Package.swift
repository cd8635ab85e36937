// swift-tools-version: 6.2
import PackageDescription

#if canImport(Glibc)
import Glibc
/// A folder with include/ and lib/ of another oneDNN than the system's.
let prefixOfOneDNN = Context.environment["KANTO_ONEDNN"]
let hasOneDNN = access((prefixOfOneDNN ?? "/usr") + "/include/oneapi/dnnl/dnnl.h", F_OK) == 0
if let prefixOfOneDNN, !hasOneDNN {
    print("KANTO_ONEDNN is '\(prefixOfOneDNN)', which has no include/oneapi/dnnl/dnnl.h")
    exit(1)
}
// Debian keeps the header of the chosen BLAS (update-alternatives) in the folder of the architecture.
let hasCBLAS = ["x86_64", "aarch64"].contains { access("/usr/include/\($0)-linux-gnu/cblas.h", F_OK) == 0 }
/// `KANTO_PNG=off` builds as on a machine without libpng.
let wantsPNG = Context.environment["KANTO_PNG"]
if let wantsPNG, wantsPNG != "off" {
    print("KANTO_PNG is '\(wantsPNG)', expected 'off' or nothing")
    exit(1)
}
let hasPNG = wantsPNG == nil && access("/usr/include/png.h", F_OK) == 0
/// A folder with include/ and lib/ of another MPI than the system's, or `off`.
let prefixOfMPI = Context.environment["KANTO_MPI"]
// Debian keeps the header of the chosen MPI (update-alternatives) in the folder of the architecture.
let includeOfMPI = (prefixOfMPI.map { ["\($0)/include"] } ?? ["x86_64", "aarch64"].map { "/usr/include/\($0)-linux-gnu/mpi" })
    .first { access($0 + "/mpi.h", F_OK) == 0 }
if let prefixOfMPI, prefixOfMPI != "off", includeOfMPI == nil {
    print("KANTO_MPI is '\(prefixOfMPI)', which has no include/mpi.h")
    exit(1)
}
#else
let prefixOfMPI: String? = nil
let includeOfMPI: String? = nil
let prefixOfOneDNN: String? = nil
let hasOneDNN = false
let hasCBLAS = false
let hasPNG = false
#endif

// Kernels are optimized in debug builds too, so that tests run at full speed, and as one module, so that no call is left
// across files. One Swift source is compiled once for each instruction set.
func kernelSettings(_ march: String? = nil) -> [SwiftSetting] {
    var flags = ["-O", "-wmo", "-num-threads", "2", "-disable-batch-mode"]
    // Otherwise a vector's square root is a call to libm for each lane, which sets errno.
    flags += ["-Xcc", "-fno-math-errno"]
    #if arch(x86_64)
    if let march { flags += ["-Xcc", "-march=\(march)"] }
    #endif
    return [.unsafeFlags(flags)]
}

// Tests know which plugins are built.
let definesOfPlugins: [SwiftSetting] =
    (hasOneDNN ? [.define("ONEDNN")] : []) + (hasCBLAS ? [.define("CBLAS")] : [])
    + (includeOfMPI != nil ? [.define("MPI")] : [])

var products: [Product] = [
    .library(name: "Kanto", targets: ["Kanto"]),
    .library(name: "KantoPictures", targets: ["KantoPictures"]),
    .library(name: "KantoReport", targets: ["KantoReport"]),
    .library(name: "KantoKernels", targets: ["KantoKernels"]),
    .library(name: "KantoConsistency", targets: ["KantoConsistency"]),
    .library(name: "KantoWorkloads", targets: ["KantoWorkloads"]),
    .executable(name: "kanto", targets: ["KantoCLI"]),
]

var targets: [Target] = [
    // The contract, and what C must do for Swift.
    .target(name: "KantoABI"),
    .target(name: "KantoShims"),
    .target(name: "KantoPluginCalls", dependencies: ["KantoShims"]),

    // Backends.
    .target(name: "KantoReference", dependencies: ["KantoABI"], swiftSettings: kernelSettings()),
    .target(
        name: "KantoSIMDBaseline", dependencies: ["KantoABI", "KantoShims"], path: "Sources/KantoSIMD/Baseline",
        swiftSettings: kernelSettings()),
    .target(
        name: "KantoSIMDAVX2", dependencies: ["KantoABI", "KantoShims"], path: "Sources/KantoSIMD/AVX2",
        swiftSettings: kernelSettings("x86-64-v3")),
    .target(
        name: "KantoSIMDAVX512", dependencies: ["KantoABI", "KantoShims"], path: "Sources/KantoSIMD/AVX512",
        swiftSettings: kernelSettings("x86-64-v4")),

    // The library, from the bottom up.
    .target(
        name: "KantoKernels",
        dependencies: [
            "KantoABI", "KantoShims", "KantoPluginCalls", "KantoReference", "KantoSIMDBaseline", "KantoSIMDAVX2", "KantoSIMDAVX512",
        ]),
    .target(
        name: "KantoConsistency", dependencies: ["KantoABI", "KantoReference", "KantoKernels"],
        swiftSettings: kernelSettings()),
    .target(name: "KantoCommunication", dependencies: ["KantoABI", "KantoKernels"]),
    .target(name: "KantoTensor", dependencies: ["KantoABI", "KantoKernels", "KantoCommunication"]),
    .target(name: "KantoDescriptions", dependencies: ["KantoKernels"]),
    .target(name: "KantoNN", dependencies: ["KantoTensor", "KantoDescriptions", "KantoCommunication"]),
    .target(name: "KantoGAN", dependencies: ["KantoNN", "KantoCommunication"]),
    .target(name: "KantoDigits", exclude: ["LICENSE-DATA.md"]),
    .target(
        name: "KantoData", dependencies: ["KantoTensor", "KantoDescriptions", "KantoDigits"] + (hasPNG ? ["CPNG"] : []),
        swiftSettings: hasPNG ? [.define("LIBPNG")] : []),
    // Its loops over samples are optimized in debug builds too.
    .target(name: "KantoMetrics", dependencies: ["KantoNN", "KantoData"], swiftSettings: kernelSettings()),
    .target(name: "KantoRuns", dependencies: ["KantoGAN", "KantoData", "KantoMetrics", "KantoCommunication"]),
    .target(name: "Kanto", dependencies: ["KantoRuns", "KantoCommunication"]),
    .target(name: "KantoPictures", dependencies: ["KantoRuns"]),
    .target(name: "KantoReport", dependencies: ["KantoPictures"]),
    .target(name: "KantoWorkloads", dependencies: ["KantoGAN"]),
    .executableTarget(
        name: "KantoCLI",
        dependencies: [
            "Kanto", "KantoPictures", "KantoReport", "KantoWorkloads", "KantoConsistency", "KantoCommunication",
            .product(name: "ArgumentParser", package: "swift-argument-parser"),
        ]),

    // Tests.
    .target(name: "AllocationCounter", path: "Tests/AllocationCounter"),
    .target(name: "TestSupport", dependencies: ["AllocationCounter", "KantoABI", "KantoKernels"], path: "Tests/TestSupport"),
    .testTarget(name: "KantoKernelsTests", dependencies: ["KantoABI", "KantoKernels", "KantoShims", "TestSupport"]),
    .testTarget(name: "KantoCommunicationTests", dependencies: ["KantoCommunication", "KantoTensor", "KantoNN", "TestSupport"]),
    .testTarget(name: "KantoTensorTests", dependencies: ["KantoTensor"]),
    .testTarget(name: "KantoNNTests", dependencies: ["KantoNN"]),
    .testTarget(name: "KantoGANTests", dependencies: ["KantoGAN", "KantoData", "KantoWorkloads", "TestSupport"]),
    .testTarget(name: "KantoDataTests", dependencies: ["KantoData", "TestSupport"]),
    .testTarget(name: "KantoMetricsTests", dependencies: ["KantoMetrics", "TestSupport"], exclude: ["Reference"]),
    .testTarget(name: "KantoRunsTests", dependencies: ["KantoRuns", "TestSupport"], exclude: ["Goldens"]),
    .testTarget(name: "KantoPicturesTests", dependencies: ["KantoPictures", "TestSupport"]),
    .testTarget(name: "KantoReportTests", dependencies: ["KantoReport", "TestSupport"]),
    .testTarget(name: "KantoWorkloadsTests", dependencies: ["KantoWorkloads"]),
    .testTarget(name: "KantoTests", dependencies: ["Kanto"]),
    .testTarget(name: "KantoCLITests", dependencies: ["KantoCLI", "TestSupport"]),
    .testTarget(name: "KantoReferenceTests", dependencies: ["KantoReference", "KantoKernels", "KantoConsistency"]),
    .testTarget(
        name: "ConsistencyTests", dependencies: ["KantoKernels", "KantoConsistency", "KantoWorkloads", "TestSupport"],
        swiftSettings: definesOfPlugins),
    .testTarget(
        name: "PluginTests", dependencies: ["KantoABI", "KantoKernels", "KantoCLI", "TestSupport"],
        swiftSettings: definesOfPlugins),
    .testTarget(
        name: "KantoSIMDTests", dependencies: ["KantoKernels", "KantoConsistency"], swiftSettings: kernelSettings()),
]

// Nothing but the plugin's two symbols leaves the library: names of the host's own modules cannot clash.
let exportsOfPlugin = LinkerSetting.unsafeFlags([
    "-Xlinker", "--version-script=\(Context.packageDirectory)/Plugins/exports.map",
])

if hasPNG {
    targets.append(.systemLibrary(name: "CPNG", path: "Sources/CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]))
}

if hasOneDNN {
    products.append(.library(name: "KantoOneDNN", type: .dynamic, targets: ["KantoOneDNN"]))
    let include = prefixOfOneDNN.map { ["-I\($0)/include"] } ?? []
    let library = prefixOfOneDNN.map { ["-L\($0)/lib", "-Xlinker", "-rpath", "-Xlinker", "\($0)/lib"] } ?? []
    targets += [
        .target(
            name: "OneDNNAdapter", dependencies: ["KantoABI"], path: "Plugins/OneDNN/Adapter",
            cSettings: [.unsafeFlags(include)],
            linkerSettings: [.unsafeFlags(library), .linkedLibrary("dnnl"), .linkedLibrary("gomp")]),
        .target(
            name: "KantoOneDNN", dependencies: ["KantoABI", "OneDNNAdapter"], path: "Plugins/OneDNN/Backend",
            swiftSettings: kernelSettings() + [.unsafeFlags(include.flatMap { ["-Xcc", $0] })],
            linkerSettings: [exportsOfPlugin]),
        .testTarget(
            name: "OneDNNTests", dependencies: ["KantoABI", "KantoKernels", "KantoConsistency"], swiftSettings: kernelSettings()),
    ]
}

if hasCBLAS {
    products.append(.library(name: "KantoCBLAS", type: .dynamic, targets: ["KantoCBLAS"]))
    targets.append(
        .target(
            name: "KantoCBLAS", dependencies: ["KantoABI"], path: "Plugins/CBLAS", publicHeadersPath: ".",
            cSettings: [.unsafeFlags(["-O2"])],
            linkerSettings: [.linkedLibrary("blas"), .linkedLibrary("m"), exportsOfPlugin]))
}

if let includeOfMPI {
    products.append(.library(name: "KantoMPI", type: .dynamic, targets: ["KantoMPI"]))
    let library = prefixOfMPI.map { ["-L\($0)/lib", "-Xlinker", "-rpath", "-Xlinker", "\($0)/lib"] } ?? []
    targets.append(
        .target(
            name: "KantoMPI", dependencies: ["KantoABI"], path: "Plugins/MPI", exclude: ["README.md"], publicHeadersPath: ".",
            cSettings: [.unsafeFlags(["-O2", "-I\(includeOfMPI)"])],
            linkerSettings: [
                .unsafeFlags(library), .linkedLibrary("mpi"),
                .unsafeFlags(["-Xlinker", "--version-script=\(Context.packageDirectory)/Plugins/communicator.map"]),
            ]))
}

// What reads compressed files and photographs. A library that is not installed costs its formats only; KANTO_ZLIB=off and
// KANTO_JPEG=off build as if it were not.
func isInstalled(_ header: String, unless variable: String) -> Bool {
    #if canImport(Glibc)
    if let word = Context.environment[variable] {
        guard word == "off" else {
            print("\(variable) is '\(word)', expected 'off' or nothing")
            exit(1)
        }
        return false
    }
    return ["", "x86_64-linux-gnu/", "aarch64-linux-gnu/"].contains { access("/usr/include/\($0)\(header)", F_OK) == 0 }
    #else
    return false
    #endif
}

@MainActor func extend(_ name: String, dependencies: [Target.Dependency] = [], define: String? = nil, exclude: [String] = []) {
    let target = targets.first { $0.name == name }!
    target.dependencies += dependencies
    target.exclude += exclude
    if let define { target.swiftSettings = (target.swiftSettings ?? []) + [.define(define)] }
}

extend("KantoData", dependencies: ["KantoABI", "KantoShims"])
extend("KantoDataTests", exclude: ["Fixtures"])
if isInstalled("zlib.h", unless: "KANTO_ZLIB") {
    targets.append(.systemLibrary(name: "CZlib", path: "Sources/CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]))
    extend("KantoData", dependencies: ["CZlib"], define: "ZLIB")
}
if isInstalled("jpeglib.h", unless: "KANTO_JPEG") {
    targets.append(.target(name: "KantoJPEG", linkerSettings: [.linkedLibrary("jpeg")]))
    extend("KantoData", dependencies: ["KantoJPEG"], define: "LIBJPEG")
}

let package = Package(
    name: "Kanto",
    products: products,
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    ],
    targets: targets,
    swiftLanguageModes: [.v6]
)
