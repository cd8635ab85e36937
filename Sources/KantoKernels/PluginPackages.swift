extension Registry {
    /// How to get the plugins that come with Kanto.
    public static let waysToGet = [
        ("onednn", "libKantoOneDNN.so", "libdnnl-dev"), ("cblas", "libKantoCBLAS.so", "libopenblas-dev"),
    ].map { name, library, package in (name: name, way: wayToGet(library, package)) }

    /// How to get a plugin that comes with Kanto.
    package static func wayToGet(_ library: String, _ package: String) -> String {
        "\(library) is built by a plain 'swift build' in Kanto's own folder where \(package) is installed (apt-get install "
            + "\(package); after a build without it also 'swift package purge-cache'); programs of other packages find it with "
            + "KANTO_PLUGIN_PATH=KANTO/.build/debug, say"
    }
}
