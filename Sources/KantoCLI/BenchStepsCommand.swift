import ArgumentParser
import Glibc
import Kanto
import KantoCommunication
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

            Started by a launcher, mpirun -n 4 kanto bench steps mnist, the ranks share each batch as a training does. Then the \
            iteration is timed alone, and WAITING is the share of it that a rank spends on the others: until they come to a sum, \
            and while numbers are on their way.
            """)

    @Argument(help: ArgumentHelp("Workloads: \(Workload.all.map(\.name).joined(separator: ", ")).", valueName: "workload"))
    var workloads: [String]

    @Option(help: "Seconds a step.")
    var seconds = 8.0

    @OptionGroup var criticStep: CriticStepOption

    @OptionGroup var precision: PrecisionOption

    @Flag(help: "One JSON object a line.")
    var json = false

    mutating func execute() throws {
        try Failure.requirePositive(seconds: seconds)
        let chosen = try workloads.map { name in
            guard let workload = Workload.all.first(where: { $0.name == name }) else {
                throw Failure.usage(
                    unknownName("there is no workload", name, plural: "workloads", known: Workload.all.map(\.name)))
            }
            return workload
        }
        let communicator = try RankedProcess.join()
        try precision.run { for workload in chosen { try measure(workload, communicator) } }
    }

    private func measure(_ workload: Workload, _ communicator: Communicator?) throws {
        let networks = try workload.networks.makeNetworks(seed: 1)
        var random = Random(seed: 2)
        let real = try random.uniform(workload.batchShape)
        let count = workload.batchShape[0]
        let adam = OptimizerDescription(Adam.Description(beta1: 0, beta2: 0.9), learningRate: 1e-4)
        let method = try self.criticStep.methodOrAutomatic.resolved(for: networks.critic)
        var steps: [(name: String, run: () throws -> Void)] = []
        if communicator == nil {
            let criticAdam = try adam.makeOptimizer(networks.critic.parameters, stepCount: 1)
            let generatorAdam = try adam.makeOptimizer(networks.generator.parameters, stepCount: 1)
            let fake = try withoutGradient {
                try networks.generator(random.normal([count, networks.latentSize])).reshaped(workload.batchShape)
            }
            steps = [
                (
                    "critic",
                    {
                        let points = try TwoSidedPenalty().points(real: real, fake: fake, using: &random)
                        let step = try CriticGradients(networks.critic, real: real, fake: fake, points: points, method: method)
                        try criticAdam.update(with: step.gradients)
                    }
                ),
                (
                    "generator",
                    {
                        let noise = try random.normal([count, networks.latentSize])
                        let loss = try -networks.critic(networks.generator(noise).reshaped(workload.batchShape)).mean()
                        try generatorAdam.minimize(loss)
                    }
                ),
            ]
        }
        var training = TrainingConfiguration()
        training.batchSize = count
        training.optimizer = adam
        training.criticStep = method
        let trainer = try Trainer(
            critic: networks.critic, generator: networks.generator, latentSize: networks.latentSize, data: real,
            configuration: training, communicator: communicator)
        steps.append(("iteration", { _ = try trainer.runIteration() }))

        let problems = try workload.networks.critic.forwardProblems(batchSize: count)
        let work = (
            all: problems.reduce(0) { $0 + $1.floatingPointOperations } / 1e9,
            inside: problems.reduce(0) { $0 + $1.floatingPointOperationsInside } / 1e9
        )
        let summed = trainer.configuration.criticSteps * networks.critic.parameterCount + networks.generator.parameterCount
        for (name, run) in steps {
            try report(
                StepTimes(of: run, seconds: seconds, communicator), workload.name, name,
                method: name == "generator" ? nil : method,
                work: name == "critic" ? work : nil, summedBytes: 4 * summed)
        }
    }

    /// - Parameters:
    ///   - work: billions of floating-point operations of one forward pass: all taps counted, and those inside the input alone.
    ///   - summedBytes: of the gradients that ranks add up in an iteration.
    private func report(
        _ times: StepTimes, _ workload: String, _ step: String, method: CriticStepMethod?, work: (all: Double, inside: Double)?,
        summedBytes: Int
    ) throws {
        let (timings, limit) = (times.timings, times.limit)
        let backend = try Backend.selected[0].name
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        let peak = usage.ru_maxrss / 1024
        let bound = work.map { 10 * $0.all / timings.median }
        // Four passes do no less than this.
        let least = method == .fourPass ? work.map { 10 * $0.inside / timings.median } : nil
        let isBusy = (least ?? 0) > BenchRow.largestShare * limit
        if json {
            var fields: [(key: String, value: String)] = [
                ("peer", "\"kanto \(KantoTool.configuration.version) \(backend)\""), ("workload", "\"\(workload)\""),
                ("step", "\"\(step)\""), ("median_ms", fixed(timings.median * 1e3, 2)),
                ("min_ms", fixed(timings.minimum * 1e3, 2)),
                ("peak_rss_mb", "\(peak)"), ("threads", "\(try Kernels.threadCount())"),
            ]
            if !isBusy { fields.append(("limit_gflops", fixed(limit, 1))) }
            if let method { fields.append(("critic_step", "\"\(method.rawValue)\"")) }
            if let work, let bound { fields += [("forward_gflop", fixed(work.all, 3)), ("bound10_gflops", fixed(bound, 1))] }
            if let ranks = times.ranks {
                fields += [
                    ("ranks", "\(ranks.count)"), ("summed_bytes", "\(summedBytes)"), ("waiting", fixed(ranks.waiting.mean, 4)),
                    ("most_waiting", fixed(ranks.waiting.most, 4)),
                ]
            }
            print(jsonLine(fields))
        } else {
            let limitText =
                isBusy
                ? "an unknown limit: the machine was busy while it was measured" : "\(fixed(limit, 1)) GFLOP/s"
            var words = [
                "median \(fixed(timings.median * 1e3, 2)) ms, min \(fixed(timings.minimum * 1e3, 2)) ms", "peak \(peak) MB",
            ]
            if let method { words.append(method.rawValue) }
            if let bound { words.append("bound10 \(fixed(bound, 1)) of \(limitText)") }
            if let ranks = times.ranks {
                words.append(
                    "\(ranks.count) ranks, waiting \(fixed(100 * ranks.waiting.mean, 1))%, at most \(fixed(100 * ranks.waiting.most, 1))%"
                )
            }
            print("\(workload) \(step)".padded(to: 18) + words.joined(separator: ", "))
        }
        try flushOutput()
    }
}

/// How long a step takes, on one rank or on several that share it.
private struct StepTimes {
    /// Of the first rank.
    private(set) var timings = Timings()
    /// GFLOP/s of multiply-adds, the best of those measured in turn with the steps.
    let limit: Double
    /// How many ranks, and the share of their time in calls to each other; nil of a process alone.
    private(set) var ranks: (count: Int, waiting: (mean: Double, most: Double))?

    /// - Parameter seconds: at least three steps are timed.
    init(of step: () throws -> Void, seconds: Double, _ communicator: Communicator?) throws {
        try step()
        var (limits, waiting, total) = (Timings(), 0.0, 0.0)
        let end = monotonicSeconds() + seconds
        var isOver = false
        while !isOver {
            try communicator?.barrier()
            let (start, before) = (monotonicSeconds(), communicator?.secondsInCalls ?? 0)
            try timings.measure(step)
            total += monotonicSeconds() - start
            waiting += (communicator?.secondsInCalls ?? 0) - before
            limits.append(try MachineLimit.multiplyAddRate(of: Kernels.precision()))
            isOver = timings.count >= 400 || timings.count >= 3 && monotonicSeconds() > end
            // By the first rank's clock.
            if let communicator { isOver = try communicator.fromFirst([isOver ? 1 : 0]) == [1] }
        }
        limit = limits.maximum
        guard let communicator else { return }
        var shares = [Double](repeating: 0, count: communicator.rankCount)
        shares[communicator.rank] = waiting / total
        shares = try communicator.sums(of: shares)
        ranks = (shares.count, (shares.reduce(0, +) / Double(shares.count), shares.max()!))
    }
}
