import ArgumentParser
import Kanto

extension CriticStepMethod: ExpressibleByArgument {}

/// The choice of the critic's step, the same in every command that takes one.
struct CriticStepOption: ParsableArguments {
    @Option(
        name: .customLong("critic-step"),
        help: ArgumentHelp(
            "How the critic's gradients are computed: by the tape, in four passes without one, or in four passes where the critic "
                + "allows it.", valueName: "method"))
    var method: CriticStepMethod?

    /// What the option says, or that four passes are taken where the critic allows it.
    var methodOrAutomatic: CriticStepMethod { method ?? .automatic }
}
