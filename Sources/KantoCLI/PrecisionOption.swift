import ArgumentParser
import Kanto

extension Precision: ExpressibleByArgument {
    public init?(argument: String) {
        guard let precision = Self.allCases.first(where: { $0.description == argument }) else { return nil }
        self = precision
    }
    public static var allValueStrings: [String] { allCases.map(\.description) }
}

/// How exact products are, the same in every command that computes some.
struct PrecisionOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            How exact matmuls and convolutions are: float32, relaxed (within 2e-5, faster convolutions) or bfloat16 (factors \
            rounded to 8 bits, fast where the processor has the instruction). (default: KANTO_PRECISION, float32)
            """, valueName: "precision"))
    var precision: Precision?

    /// Runs `body` at the precision of the option, or at the one in force.
    func run<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
        guard let precision else { return try body() }
        return try withPrecision(precision, body)
    }
}
