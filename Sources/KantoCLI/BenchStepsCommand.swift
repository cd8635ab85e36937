import ArgumentParser
import Glibc
import Kanto
import KantoKernels
import KantoWorkloads

struct BenchStepsCommand: KantoCommand {
    static let configuration = CommandConfiguration(
        commandName: "steps", abstract: "Time the critic, generator and full-iteration steps of a WGAN-GP.",
        discussion: """
            The workloads are those of the usual comparisons with other frameworks. bound10 is ten times the work of a critic's \
            forward pass over the median: a critic step of a piecewise-linear critic needs ten such passes, so its ratio to the \
            limit, the best of those measured in turn with the steps, says how close to the machine's limit the step runs. Taps \
            that fall into the padding are counted, though they cost nothing, so the ratio may pass 1. Where it passes what their \
            share explains, other work had the machine while its limit was measured, and no limit is shown.
            """)

    @Argument(help: ArgumentHelp("Workloads: \(Workload.all.map(\.name).joined(separator: ", ")).", valueName: "workload"))
    var workloads: [String]

    @Option(help: "Seconds a step.")
    var seconds = 8.0

    @OptionGroup var criticStep: CriticStepOption

    @Flag(help: "One JSON object a line.")
    var json = false

    mutating func execute() throws {
        guard seconds > 0 else { throw Failure.usage("--seconds \(seconds): expected a positive number") }
        let chosen = try workloads.map { name in
            guard let workload = Workload.all.first(where: { $0.name == name }) else {
                throw Failure.usage(
                    unknownName("there is no workload", name, plural: "workloads", known: Workload.all.map(\.name)))
            }
            return workload
        }
        for workload in chosen { try measure(workload) }
    }

    private func measure(_ workload: Workload) throws {
        let networks = try workload.networks.makeNetworks(seed: 1)
        var random = Random(seed: 2)
        let real = try random.uniform(workload.batchShape)
        let count = workload.batchShape[0]
        let criticAdam = try Adam(networks.critic.parameters, learningRate: 1e-4, beta1: 0, beta2: 0.9)
        let generatorAdam = try Adam(networks.generator.parameters, learningRate: 1e-4, beta1: 0, beta2: 0.9)

        let method = try self.criticStep.methodOrAutomatic.resolved(for: networks.critic)

        func makeFake() throws -> Tensor {
            let noise = try random.normal([count, networks.latentSize])
            return try withoutGradient { try networks.generator(noise).reshaped(workload.batchShape) }
        }
        func criticStep(_ fake: Tensor) throws {
            let points = try TwoSidedPenalty().points(real: real, fake: fake, using: &random)
            let step = try CriticGradients(networks.critic, real: real, fake: fake, points: points, method: method)
            try criticAdam.update(with: step.gradients)
        }
        func generatorStep() throws {
            let noise = try random.normal([count, networks.latentSize])
            let loss = try -networks.critic(networks.generator(noise).reshaped(workload.batchShape)).mean()
            try generatorAdam.minimize(loss)
        }
        let fake = try makeFake()
        let steps: [(name: String, run: () throws -> Void)] = [
            ("critic", { try criticStep(fake) }),
            ("generator", generatorStep),
            (
                "iteration",
                {
                    for _ in 0..<5 { try criticStep(makeFake()) }
                    try generatorStep()
                }
            ),
        ]
        let problems = try workload.networks.critic.forwardProblems(batchSize: count)
        let work = (
            all: problems.reduce(0) { $0 + $1.floatingPointOperations } / 1e9,
            inside: problems.reduce(0) { $0 + $1.floatingPointOperationsInside } / 1e9
        )
        for (name, run) in steps {
            try run()
            var timings = Timings(), limits = Timings()
            let end = monotonicSeconds() + seconds
            while timings.count < 3 || (monotonicSeconds() < end && timings.count < 400) {
                try timings.measure(run)
                limits.append(try MachineLimit.multiplyAddRate())
            }
            let isCritic = name == "critic"
            try report(
                workload.name, name, timings, limit: limits.maximum, method: name == "generator" ? nil : method,
                work: isCritic ? work : nil)
        }
    }

    /// - Parameter work: billions of floating-point operations of one forward pass: all taps counted, and those inside the input
    ///   alone.
    private func report(
        _ workload: String, _ step: String, _ timings: Timings, limit: Double, method: CriticStepMethod?,
        work: (all: Double, inside: Double)?
    ) throws {
        let backend = try Backend.selected[0].name
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        let peak = usage.ru_maxrss / 1024
        let bound = work.map { 10 * $0.all / timings.median }
        // Four passes do no less than this.
        let least = method == .fourPass ? work.map { 10 * $0.inside / timings.median } : nil
        let isBusy = (least ?? 0) > BenchRow.largestShare * limit
        if json {
            var line = jsonLine([
                "peer": "\"kanto \(KantoTool.configuration.version) \(backend)\"", "workload": "\"\(workload)\"",
                "step": "\"\(step)\"",
                "median_ms": fixed(timings.median * 1e3, 2), "min_ms": fixed(timings.minimum * 1e3, 2), "peak_rss_mb": "\(peak)",
                "threads": "\(try Kernels.threadCount())",
            ])
            if !isBusy {
                line.removeLast()
                line += ", \"limit_gflops\": \(fixed(limit, 1))}"
            }
            if let method {
                line.removeLast()
                line += ", \"critic_step\": \"\(method.rawValue)\"}"
            }
            if let work, let bound {
                line.removeLast()
                line += ", \"forward_gflop\": \(fixed(work.all, 3)), \"bound10_gflops\": \(fixed(bound, 1))}"
            }
            print(line)
        } else {
            let times = "median \(fixed(timings.median * 1e3, 2)) ms, min \(fixed(timings.minimum * 1e3, 2)) ms"
            let limitText =
                isBusy
                ? "an unknown limit: the machine was busy while it was measured" : "\(fixed(limit, 1)) GFLOP/s"
            let words =
                [times, "peak \(peak) MB"] + (method.map { [$0.rawValue] } ?? [])
                + (bound.map { ["bound10 \(fixed($0, 1)) of \(limitText)"] } ?? [])
            print("\(workload) \(step)".padded(to: 18) + words.joined(separator: ", "))
        }
        try flushOutput()
    }
}
