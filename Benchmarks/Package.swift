// swift-tools-version: 6.2
import PackageDescription

// Apart from the library, so that who imports Kanto never resolves what only its benchmarks need.
let package = Package(
    name: "KantoBenchmarks",
    dependencies: [
        .package(name: "Kanto", path: ".."),
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.0", traits: []),
    ],
    targets: ["Kernels", "Steps"].map { name in
        .executableTarget(
            name: name,
            dependencies: [
                .product(name: "Benchmark", package: "benchmark"),
                .product(name: "Kanto", package: "Kanto"),
                .product(name: "KantoKernels", package: "Kanto"),
                .product(name: "KantoWorkloads", package: "Kanto"),
            ],
            path: "Benchmarks/\(name)",
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")])
    },
    swiftLanguageModes: [.v6]
)
